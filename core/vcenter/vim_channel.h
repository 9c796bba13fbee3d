// VI/JSON of one vCenter: release negotiation, session, errors around one request.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "vcenter/connection.h"
#include "vcenter/session.h"

namespace vmcp::vcenter {

// True if the method changes nothing and gives the same answer when it is called again.
using VimReads = std::function<bool(std::string_view type, std::string_view method)>;
bool table_vim_reads(std::string_view type, std::string_view method);

// [any thread] The references outlive the channel.
class VimChannel {
 public:
  // `note` is told of every login of its own (and may take secrets out of its error).
  using NoteLogin = std::function<void(Session::Login&)>;
  VimChannel(Sender& sender, Session& shared, ApiMode mode, Credentials who, VimReads reads, NoteLogin note);

  Reply call(const VimRequest& request, const CallLimits& limits);
  Result<About> about(const CallLimits& limits);
  void close(const CallLimits& limits);

 private:
  // Whether vCenter accepts the Automation API's session here: from 8.0 U3 on it does, before that it is not
  // documented, so it is tried.
  enum class Sharing { untried, shared, own };

  // An answer, or what the caller gets instead of one.
  struct Outcome {
    std::optional<HttpResponse> response;
    Reply failure;
  };
  Outcome send(HttpRequest& request, bool reads, const CallLimits& limits);
  SingleFlight<About>::Made negotiate(const CallLimits& limits);
  Result<std::string> negotiate_release(const CallLimits& limits);
  Session::Login own_login(const CallLimits& limits);
  Reply answer(const VimRequest& request, const HttpResponse& response, bool reads) const;

  Sender& sender_;
  Session& shared_;
  const ApiMode mode_;
  const Credentials who_;
  const VimReads reads_;
  const NoteLogin note_;
  std::atomic<Sharing> sharing_{Sharing::untried};
  SingleFlight<About> about_;
  Session own_;
};

}  // namespace vmcp::vcenter
