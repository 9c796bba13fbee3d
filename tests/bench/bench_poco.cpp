// The yardstick of the benchmark: a bare Poco::Net::HTTPServer whose handler parses the JSON body and answers
// with its arguments as JSON. No authentication, policy, limit, validation or audit. Prints its port, serves
// until stdin ends. With the files of a certificate and its key it serves HTTPS.
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/SecureServerSocket.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/StreamCopier.h>
#include <Poco/ThreadPool.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

namespace {

namespace net = Poco::Net;

class Handler final : public net::HTTPRequestHandler {
 public:
  void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override {
    std::string body;
    Poco::StreamCopier::copyToString(request.stream(), body);
    const auto call = nlohmann::json::parse(body);
    const nlohmann::json answer = {
        {"jsonrpc", "2.0"}, {"id", call["id"]}, {"result", call["params"]["arguments"]}};
    const std::string text = answer.dump();
    response.setContentType("application/json");
    response.sendBuffer(text.data(), text.size());
  }
};

class Factory final : public net::HTTPRequestHandlerFactory {
 public:
  net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
    return new Handler;
  }
};

net::ServerSocket listen(int argc, char** argv) {
  const net::SocketAddress free_port("127.0.0.1", 0);
  if (argc != 3) return net::ServerSocket(free_port);
  const net::Context::Ptr context =
      new net::Context(net::Context::TLS_SERVER_USE, argv[2], argv[1], "", net::Context::VERIFY_NONE);
  return net::SecureServerSocket(free_port, 64, context);
}

}  // namespace

int main(int argc, char** argv) {
  const net::ServerSocket socket = listen(argc, argv);
  auto* parameters = new net::HTTPServerParams;  // owned by the server
  parameters->setKeepAlive(true);
  parameters->setMaxKeepAliveRequests(0);
  parameters->setMaxQueued(256);
  parameters->setMaxThreads(80);
  Poco::ThreadPool pool(8, 80);
  net::HTTPServer server(new Factory, pool, socket, parameters);
  server.start();
  std::printf("port %u\n", static_cast<unsigned>(socket.address().port()));
  std::fflush(stdout);
  char c;
  while (::read(STDIN_FILENO, &c, 1) > 0) {
  }
  server.stopAll(true);
  return 0;
}
