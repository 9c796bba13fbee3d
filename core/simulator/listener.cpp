#include "simulator/listener.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>

#include <array>
#include <istream>

namespace vmcp::simulator {
namespace {

constexpr int kMostThreads = 256;  // one per connection; clients of a test suite, not of the world
constexpr int kMostQueued = 512;
constexpr std::size_t kMostRequestBody = 16u << 20;
constexpr int kKeepAliveSeconds = 60;

using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

// False: longer than allowed.
bool read_body(std::istream& in, std::string& body) {
  std::array<char, 16'384> buffer;
  while (in.good()) {
    in.read(buffer.data(), buffer.size());
    body.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
    if (body.size() > kMostRequestBody) return false;
  }
  return true;
}

void send(HTTPServerResponse& out, const Reply& reply, bool keep_alive) {
  out.setStatus(static_cast<HTTPServerResponse::HTTPStatus>(reply.status));
  out.setReason(HTTPServerResponse::getReasonForStatus(out.getStatus()));
  out.setKeepAlive(keep_alive);
  for (const auto& [name, value] : reply.headers) out.add(name, value);
  if (reply.status != 204) out.setContentLength64(static_cast<Poco::Int64>(reply.body.size()));
  if (reply.body.empty()) {
    out.send();
  } else {
    out.sendBuffer(reply.body.data(), reply.body.size());
  }
}

class RequestHandler final : public Poco::Net::HTTPRequestHandler {
 public:
  explicit RequestHandler(const Listener::Handler& handler) : handler_(handler) {}

  void handleRequest(HTTPServerRequest& in, HTTPServerResponse& out) override {
    Request request;
    request.method = in.getMethod();
    const std::string& target = in.getURI();
    const auto mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string::npos) request.query = target.substr(mark + 1);
    request.headers.assign(in.begin(), in.end());
    request.peer = in.clientAddress().host().toString();
    if (in.getExpectContinue()) out.sendContinue();
    if (!read_body(in.stream(), request.body)) {
      send(out, {413, {}, {}}, false);
      return;
    }
    const Reply reply = handler_(request);
    if (reply.cut) {
      out.setKeepAlive(false);  // without an answer and without keep-alive Poco closes the connection
    } else {
      send(out, reply, in.getKeepAlive());
    }
  }

 private:
  const Listener::Handler& handler_;
};

class Factory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  explicit Factory(const Listener::Handler& handler) : handler_(handler) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override {
    return new RequestHandler(handler_);  // Poco deletes it
  }

 private:
  const Listener::Handler& handler_;
};

}  // namespace

struct Listener::Impl {
  explicit Impl(Handler h) : handler(std::move(h)), pool("simulator", 2, kMostThreads) {}
  Handler handler;
  Poco::ThreadPool pool;
  std::unique_ptr<Poco::Net::HTTPServer> server;
};

Listener::Listener(Handler handler) : impl_(std::make_unique<Impl>(std::move(handler))) {}
Listener::~Listener() {
  stop();
}

Result<void> Listener::start(const std::string& host, std::uint16_t port) {
  try {
    auto params = Poco::AutoPtr<Poco::Net::HTTPServerParams>(new Poco::Net::HTTPServerParams);
    params->setMaxThreads(kMostThreads);
    params->setMaxQueued(kMostQueued);
    params->setKeepAlive(true);
    params->setMaxKeepAliveRequests(0);
    params->setKeepAliveTimeout(Poco::Timespan(kKeepAliveSeconds, 0));
    Poco::Net::ServerSocket socket;
    // Not the constructor's way: it would share the port with whoever else listens there.
    socket.bind(Poco::Net::SocketAddress(host, port), true, false);
    socket.listen(kMostQueued);
    impl_->server =
        std::make_unique<Poco::Net::HTTPServer>(new Factory(impl_->handler), impl_->pool, socket, params);
    impl_->server->start();
  } catch (const Poco::Exception& e) {
    return make_error(Code::unavailable, "the simulated vCenter cannot listen on " + host + ":" +
                                             std::to_string(port) + " (" + e.displayText() +
                                             "); choose another port, or 0 for a free one");
  }
  return {};
}

void Listener::stop() {
  if (!impl_->server) return;
  impl_->server->stopAll(true);
  impl_->pool.joinAll();
  impl_->server.reset();
}

std::uint16_t Listener::port() const {
  return impl_->server ? impl_->server->port() : 0;
}

}  // namespace vmcp::simulator
