#include "vcenter/poco_transport.h"

#include <Poco/AutoPtr.h>
#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>

#include "vcenter/guarded_socket.h"
#include "vcenter/resolver.h"
#include "vcenter/tls_context.h"

namespace vmcp::vcenter {
namespace {

using FailureKind = TransportFailure::Kind;
using Stop = SocketGuard::Stop;

// Below vCenter's own keep-alive time, so that a reused connection is rarely one that is being closed.
constexpr std::chrono::seconds kMaxIdle{50};
constexpr milliseconds kPoolSlice{100};

SteadyTime now() {
  return std::chrono::steady_clock::now();
}

// Poco's session with a look at what it has read ahead.
class PocoSession final : public Poco::Net::HTTPClientSession {
 public:
  using Poco::Net::HTTPClientSession::HTTPClientSession;
  bool read_ahead() const { return buffered() > 0; }
};

struct Link {
  SocketGuard guard;  // first: outlives the socket inside the session
  std::unique_ptr<PocoSession> session;
  Poco::Net::SocketImpl* socket = nullptr;  // owned by the session
  SteadyTime idle_since{};
  bool reused = false;

  // Something to read on an idle connection is its end (or rubbish): useless either way.
  bool stale() const {
    pollfd watched{socket->sockfd(), POLLIN, 0};
    return now() - idle_since > kMaxIdle || session->read_ahead() || ::poll(&watched, 1, 0) != 0;
  }
};
using LinkPtr = std::unique_ptr<Link>;

FailureKind kind_of(Stop stop) {
  switch (stop) {
    case Stop::timeout:
      return FailureKind::timeout;
    case Stop::cancelled:
      return FailureKind::cancelled;
    default:
      return FailureKind::broken;
  }
}

// At most `max` connections, idle ones reused last-in first-out.
class Pool {
 public:
  explicit Pool(std::size_t max) : max_(std::max<std::size_t>(max, 1)) {}

  // Reserves a place; `idle` holds a reusable connection if one was there. False: none in time.
  bool enter(const CallLimits& limits, LinkPtr& idle) {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (!idle_.empty()) {
        idle = std::move(idle_.back());
        idle_.pop_back();
        return true;
      }
      if (open_ < max_) {
        ++open_;
        return true;
      }
      if (limits.cancel.cancelled() || now() >= limits.deadline) return false;
      changed_.wait_until(lock, std::min(limits.deadline, now() + kPoolSlice));
    }
  }

  // Gives the place back, with the connection if it can be used again.
  void leave(LinkPtr link) {
    {
      const std::lock_guard lock(mutex_);
      if (link) {
        link->idle_since = now();
        link->reused = true;
        idle_.push_back(std::move(link));
      } else {
        --open_;
      }
    }
    changed_.notify_one();
  }

  void drain() {
    std::vector<LinkPtr> doomed;  // closed outside the lock
    {
      const std::lock_guard lock(mutex_);
      doomed.swap(idle_);
      open_ -= doomed.size();
    }
    changed_.notify_all();
  }

 private:
  const std::size_t max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<LinkPtr> idle_;  // guarded by mutex_
  std::size_t open_ = 0;       // guarded by mutex_; idle ones included
};

class PocoTransport final : public Transport {
 public:
  PocoTransport(Endpoint endpoint, TransportOptions options, Poco::Net::Context::Ptr tls)
      : endpoint_(std::move(endpoint)),
        options_(std::move(options)),
        authority_(endpoint_.authority(options_.plain_http ? 80 : 443)),
        tls_(std::move(tls)),
        resolver_(endpoint_),
        pool_(options_.max_connections) {}

  HttpOutcome send(const HttpRequest& request, const CallLimits& caller) override {
    CallLimits limits = caller;
    limits.deadline = std::min(limits.deadline, now() + options_.timeout);
    LinkPtr link;
    if (!pool_.enter(limits, link)) {
      if (limits.cancel.cancelled())
        return TransportFailure{FailureKind::cancelled, false, "while waiting for a connection"};
      return TransportFailure{FailureKind::busy, false,
                              "all " + std::to_string(options_.max_connections) + " connections are in use"};
    }
    if (link && link->stale()) link.reset();
    HttpOutcome outcome = attempt(request, limits, link);
    if (lost_on_reuse(outcome, request, link)) {
      link.reset();
      outcome = attempt(request, limits, link);
    }
    const bool reusable = std::holds_alternative<HttpResponse>(outcome) && link;
    pool_.leave(reusable ? std::move(link) : nullptr);
    return outcome;
  }

  void close_idle() override { pool_.drain(); }

 private:
  // The race of every kept-alive connection: the peer closed it while our request was under way.
  static bool lost_on_reuse(const HttpOutcome& outcome, const HttpRequest& request, const LinkPtr& link) {
    const auto* failure = std::get_if<TransportFailure>(&outcome);
    return failure && failure->kind == FailureKind::broken && link && link->reused &&
           link->guard.received == 0 && (!failure->sent || request.idempotent);
  }

  // Connects if `link` is empty. On success `link` stays only if it can be used again.
  HttpOutcome attempt(const HttpRequest& request, const CallLimits& limits, LinkPtr& link) {
    if (!link) {
      if (auto failure = connect(limits, link)) return *failure;
    } else {
      link->guard.arm(limits);
    }
    bool keep = false;
    HttpOutcome outcome = exchange(request, limits.traceparent, *link, keep);
    if (std::holds_alternative<HttpResponse>(outcome) && !keep) link.reset();
    return outcome;
  }

  std::optional<TransportFailure> connect(const CallLimits& limits, LinkPtr& out);
  std::optional<TransportFailure> connect_to(const Poco::Net::SocketAddress& address,
                                             const CallLimits& limits, SteadyTime deadline, LinkPtr& out);
  HttpOutcome exchange(const HttpRequest& request, const std::string& traceparent, Link& link,
                       bool& keep) const;
  HttpOutcome receive(Link& link, bool& keep) const;

  const Endpoint endpoint_;
  const TransportOptions options_;
  const std::string authority_;
  const Poco::Net::Context::Ptr tls_;  // null for plain HTTP
  Resolver resolver_;
  Pool pool_;
};

std::optional<TransportFailure> PocoTransport::connect(const CallLimits& limits, LinkPtr& out) {
  const SteadyTime deadline = std::min(limits.deadline, now() + options_.connect_timeout);
  const Resolver::Answer found =
      resolver_.resolve([&] { return limits.cancel.cancelled() || now() >= deadline; });
  if (limits.cancel.cancelled())
    return TransportFailure{FailureKind::cancelled, false, "while looking up the name"};
  if (found.addresses.empty()) {
    return TransportFailure{FailureKind::connect, false,
                            found.problem.empty() ? "the name lookup took too long" : found.problem};
  }
  std::optional<TransportFailure> failure;
  for (const auto& address : found.addresses) {
    failure = connect_to(address, limits, deadline, out);
    // A host that answers with a certificate that we refuse is found: another address of it is no remedy.
    if (!failure || failure->kind == FailureKind::cancelled || failure->kind == FailureKind::tls) break;
  }
  return failure;
}

std::optional<TransportFailure> PocoTransport::connect_to(const Poco::Net::SocketAddress& address,
                                                          const CallLimits& limits, SteadyTime deadline,
                                                          LinkPtr& out) {
  auto link = std::make_unique<Link>();
  link->guard.arm(limits);
  link->guard.narrow(deadline);
  const auto failed = [&](FailureKind kind, std::string detail) {
    if (link->guard.stop == Stop::cancelled) kind = FailureKind::cancelled;
    return TransportFailure{kind, false, address.toString() + ": " + std::move(detail)};
  };
  bool connected = false;
  try {
    TlsSocket* secure = nullptr;
    Poco::Net::StreamSocketImpl* raw = nullptr;
    if (tls_) {
      raw = secure = new TlsSocket(link->guard, tls_);
      // An address is no name for SNI; without one Poco checks the certificate against the address.
      if (!endpoint_.literal) secure->setPeerHostName(endpoint_.host);
    } else {
      raw = new PlainSocket(link->guard);
    }
    const Poco::Net::StreamSocket socket(raw);  // owns `raw`
    raw->connectNB(address);
    if (!link->guard.wait(raw->sockfd(), POLLOUT))
      return failed(FailureKind::connect, "connecting took too long");
    if (const int error = raw->socketError()) return failed(FailureKind::connect, std::strerror(error));
    connected = true;
    raw->setNoDelay(true);
    tls_verdict().clear();
    if (secure && !secure->handshake(endpoint_.host))
      return failed(FailureKind::connect, "the TLS handshake took too long");
    link->session = std::make_unique<PocoSession>(socket);
    // Poco would otherwise add "Connection: close" and forget the connection.
    link->session->setKeepAlive(true);
    link->socket = raw;
  } catch (const Poco::Exception& e) {
    const std::string verdict = connected ? tls_verdict() : std::string();
    return failed(connected ? FailureKind::tls : FailureKind::connect,
                  verdict.empty() ? e.displayText() : verdict);
  }
  link->guard.arm(limits);
  out = std::move(link);
  return std::nullopt;
}

HttpOutcome PocoTransport::exchange(const HttpRequest& request, const std::string& traceparent, Link& link,
                                    bool& keep) const {
  SocketGuard& guard = link.guard;
  const auto failed = [&](std::string detail) {
    return TransportFailure{kind_of(guard.stop), guard.sent > 0, std::move(detail)};
  };
  // Connecting or waiting for a place may have used up the time.
  if (guard.expired()) return failed("before sending");
  try {
    Poco::Net::HTTPRequest head(request.method, request.target, Poco::Net::HTTPMessage::HTTP_1_1);
    head.set("Host", authority_);
    for (const auto& [name, value] : request.headers) head.set(name, value);
    // For the proxies and gateways between here and vCenter; vCenter itself does not ask for it.
    if (!traceparent.empty()) head.set("traceparent", traceparent);
    const bool bodied = request.method != "GET" && request.method != "HEAD" && request.method != "DELETE";
    if (bodied || !request.body.empty())
      head.setContentLength64(static_cast<Poco::Int64>(request.body.size()));
    std::ostream& out = link.session->sendRequest(head);
    out.write(request.body.data(), static_cast<std::streamsize>(request.body.size()));
    return receive(link, keep);
  } catch (const Poco::Exception& e) {
    return failed(e.displayText());
  } catch (const std::exception& e) {
    return failed(e.what());
  }
}

HttpOutcome PocoTransport::receive(Link& link, bool& keep) const {
  SocketGuard& guard = link.guard;
  Poco::Net::HTTPResponse head;
  std::istream& in = link.session->receiveResponse(head);
  // Poco takes a head that was cut off for a whole one.
  if (guard.peer_closed)
    return TransportFailure{FailureKind::broken, true, "the connection ended inside the head"};
  HttpResponse response;
  response.status = head.getStatus();
  for (const auto& [name, value] : head) {
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    response.headers.emplace_back(std::move(lower), value);
  }
  std::array<char, 16384> block;
  while (in) {
    in.read(block.data(), block.size());
    const auto n = static_cast<std::size_t>(in.gcount());
    if (response.body.size() + n > options_.max_answer_bytes) {
      return TransportFailure{
          FailureKind::too_large, true,
          "the answer exceeds " + std::to_string(options_.max_answer_bytes >> 20) + " MiB"};
    }
    response.body.append(block.data(), n);
  }
  if (guard.stop != Stop::none) return TransportFailure{kind_of(guard.stop), true, "inside the body"};
  const bool chunked = head.getChunkedTransferEncoding();
  const bool sized = head.hasContentLength();
  const bool empty_by_status = response.status == 204 || response.status == 304;
  if (!empty_by_status) {
    if (chunked && (guard.peer_closed || link.session->read_ahead())) {
      return TransportFailure{FailureKind::broken, true, "the chunked body is cut or malformed"};
    }
    if (!chunked && sized && response.body.size() != static_cast<std::size_t>(head.getContentLength64())) {
      return TransportFailure{FailureKind::broken, true, "the body is shorter than announced"};
    }
  }
  keep = (chunked || sized || empty_by_status) && head.getKeepAlive() && !guard.peer_closed &&
         !link.session->read_ahead();
  return response;
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

Result<std::unique_ptr<Transport>> make_poco_transport(Endpoint endpoint, TransportOptions options,
                                                       Log& log) {
  Poco::Net::Context::Ptr tls;
  if (!options.plain_http) {
    auto made = make_tls_context(options.verify_tls, options.ca_bundle);
    if (!made) return made.error();
    tls = *made;
    if (!options.verify_tls) {
      log.warning("vcenter_tls_not_verified",
                  {{"host", endpoint.name},
                   {"meaning", "INSECURE=true: anyone between this server and vCenter can read the password"},
                   {"fix", "set INSECURE=false and VCENTER_CA_BUNDLE to the PEM file of vCenter's CA"}});
    }
  }
  return std::unique_ptr<Transport>(
      std::make_unique<PocoTransport>(std::move(endpoint), std::move(options), std::move(tls)));
}

}  // namespace vmcp::vcenter
