// The Automation API of one vCenter: dialect, session, errors around one request.
#pragma once

#include "vcenter/connection.h"
#include "vcenter/session.h"

namespace vmcp::vcenter {

// [any thread] The references outlive the channel.
class AutomationChannel {
 public:
  AutomationChannel(Sender& sender, Session& session, ApiMode mode)
      : sender_(sender), session_(session), mode_(mode) {}

  // GET is repeated on passing failures; everything else is sent at most once, and a second time only after a
  // 401, which says that it was not carried out.
  Reply call(const AutomationRequest& request, const CallLimits& limits);

 private:
  Reply answer(const AutomationRequest& request, const HttpResponse& response) const;

  Sender& sender_;
  Session& session_;
  const ApiMode mode_;
};

Reply failed_reply(Error error);
// A request that got no answer.
Reply failed_reply(const TransportFailure& failure, const Sender& sender, bool changing);
// The session was refused although it is new.
Error session_refused(std::string_view host, std::string_view detail);

}  // namespace vmcp::vcenter
