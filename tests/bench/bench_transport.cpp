// What the transport alone costs: a handler that echoes the body, behind our server and behind a bare
// Poco::Net::HTTPServer, loaded by wrk one after the other in the same run. Prints one line per server and
// number of connections: requests/s, CPU microseconds per request of the serving process, p50, p99.
//
//   bench_transport [seconds [connections…]]        (3 seconds, 16 and 64 connections)
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/StreamCopier.h>
#include <Poco/ThreadPool.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "http/server.h"

namespace {

namespace net = Poco::Net;

// Serves until its standard input ends, then prints nothing and returns.
void wait_for_end(int until) {
  char c;
  while (::read(until, &c, 1) > 0) {
  }
}

void serve_ours(int tell, int until) {
  vmcp::SilentLog log;
  vmcp::http::Server server(
      {},
      [](const vmcp::http::HttpExchangePtr& exchange) {
        vmcp::http::Response response;
        response.content_type = "application/json";
        response.body = exchange->request().body;
        exchange->respond(std::move(response));
      },
      log);
  if (!server.start("127.0.0.1", 0)) std::_Exit(1);
  const std::uint16_t port = server.port();
  if (::write(tell, &port, sizeof port) != sizeof port) std::_Exit(1);
  wait_for_end(until);
  server.stop(vmcp::milliseconds(1000));
}

class Echo : public net::HTTPRequestHandler {
 public:
  void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override {
    std::string body;
    Poco::StreamCopier::copyToString(request.stream(), body);
    response.setContentType("application/json");
    response.setContentLength(static_cast<std::streamsize>(body.size()));
    response.send() << body;
  }
};

class EchoFactory : public net::HTTPRequestHandlerFactory {
 public:
  net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override { return new Echo; }
};

void serve_poco(int tell, int until) {
  Poco::ThreadPool threads(4, 1100);
  auto* params = new net::HTTPServerParams;
  params->setMaxThreads(1100);
  params->setMaxQueued(1100);
  params->setKeepAlive(true);
  net::ServerSocket socket(net::SocketAddress("127.0.0.1", 0), 1024);
  net::HTTPServer server(new EchoFactory, threads, socket, params);
  server.start();
  const std::uint16_t port = socket.address().port();
  if (::write(tell, &port, sizeof port) != sizeof port) std::_Exit(1);
  wait_for_end(until);
  server.stopAll(true);
}

double cpu_seconds(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(stat, line);
  line.erase(0, line.rfind(')') + 2);
  unsigned long user = 0, system = 0;
  std::sscanf(line.c_str(), "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::string run(const std::string& command) {
  std::string out;
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::array<char, 4096> part;
  while (pipe && std::fgets(part.data(), part.size(), pipe.get()) != nullptr) out += part.data();
  return out;
}

std::string word_after(const std::string& text, const std::string& label) {
  const std::size_t at = text.find(label);
  if (at == std::string::npos) return "?";
  const std::size_t start = text.find_first_not_of(" \t", at + label.size());
  return text.substr(start, text.find_first_of(" \n", start) - start);
}

struct Child {
  pid_t pid;
  std::uint16_t port;
  int end;
};

Child start(void (*serve)(int, int)) {
  int told[2], until[2];
  if (::pipe(told) != 0 || ::pipe(until) != 0) std::exit(1);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(until[1]);
    serve(told[1], until[0]);
    std::_Exit(0);
  }
  ::close(until[0]);
  ::close(told[1]);
  Child child{pid, 0, until[1]};
  if (::read(told[0], &child.port, sizeof child.port) != sizeof child.port) std::exit(1);
  ::close(told[0]);
  return child;
}

void measure(const char* name, void (*serve)(int, int), const std::string& script, int seconds,
             int connections) {
  const Child child = start(serve);
  const std::string load = "wrk -t1 --latency -s " + script + " -c" + std::to_string(connections);
  const std::string url = " http://127.0.0.1:" + std::to_string(child.port) + "/mcp 2>&1";
  run(load + " -d1" + url);  // warm
  const double before = cpu_seconds(child.pid);
  const std::string out = run(load + " -d" + std::to_string(seconds) + url);
  const double used = cpu_seconds(child.pid) - before;
  ::close(child.end);
  ::waitpid(child.pid, nullptr, 0);
  const std::size_t in = out.find(" requests in");
  const std::size_t line = out.rfind('\n', in) + 1;
  const double requests = in == std::string::npos ? 0 : std::atof(out.substr(line, in - line).c_str());
  std::printf("%-6s %4d connections  %8s requests/s  %6.2f us CPU/request  p50 %s  p99 %s%s\n", name,
              connections, word_after(out, "Requests/sec:").c_str(), requests > 0 ? used * 1e6 / requests : 0,
              word_after(out, " 50%").c_str(), word_after(out, " 99%").c_str(),
              out.find("Non-2xx") == std::string::npos && out.find("Socket errors") == std::string::npos
                  ? ""
                  : "  ERRORS");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 3;
  std::vector<int> connections;
  for (int i = 2; i < argc; ++i) connections.push_back(std::atoi(argv[i]));
  if (connections.empty()) connections = {16, 64};
  char script[] = "/tmp/bench_transport_XXXXXX";
  const int fd = ::mkstemp(script);
  if (fd < 0) return 1;
  ::close(fd);
  std::ofstream(script)
      << "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n"
         "wrk.headers['Accept'] = 'application/json, text/event-stream'\n"
         "wrk.headers['Authorization'] = 'Bearer demo-read'\n"
         "wrk.headers['MCP-Protocol-Version'] = '2025-11-25'\n"
         "wrk.body = '{\"jsonrpc\":\"2.0\",\"id\":1,\"text\":\"' .. string.rep('x', 262) .. "
         "'\"}'\n";
  for (const int c : connections) {
    measure("poco", serve_poco, script, seconds, c);
    measure("ours", serve_ours, script, seconds, c);
  }
  ::unlink(script);
  return 0;
}
