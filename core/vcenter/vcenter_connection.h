// The real Connection: one transport, one breaker, one shared session, two channels.
#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "vcenter/automation_channel.h"
#include "vcenter/endpoint.h"
#include "vcenter/vim_channel.h"

namespace vmcp::vcenter {

class VcenterConnection final : public Connection {
 public:
  // `log` outlives the connection.
  VcenterConnection(Endpoint endpoint, const Settings& settings, std::unique_ptr<Transport> transport,
                    VimReads vim_reads, Log& log);

  const std::string& name() const override { return endpoint_.name; }
  Reply automation(const AutomationRequest& request, const CallLimits& limits) override;
  Reply vim(const VimRequest& request, const CallLimits& limits) override;
  Result<About> about(const CallLimits& limits) override;
  void close() override;

  const Endpoint& endpoint() const { return endpoint_; }

 private:
  Session::Login log_in(const CallLimits& limits);
  void note_login(Session::Login& made, std::string_view protocol);
  // vCenter's words may repeat what we sent: the password must not come back through them.
  void redact(Error& error) const;
  Reply finish(Reply reply, std::string_view what, std::string_view path) const;

  const Endpoint endpoint_;
  const ApiMode mode_;
  const Credentials who_;
  Log& log_;
  // Members below use those above and before them.
  const SystemClock clock_;
  const std::unique_ptr<Transport> transport_;
  Breaker breaker_{clock_};
  Sender sender_;
  Session session_;
  AutomationChannel automation_;
  VimChannel vim_;
};

}  // namespace vmcp::vcenter
