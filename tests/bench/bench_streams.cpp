// What many clients that only wait cost: idle keep-alive connections and open subscriptions/listen streams in
// one server process, behind the whole chain, held by this process. Prints "name value" lines; memory is what
// the server grew by, an event's time is from the order to write it until the last stream's client has it.
//
//   bench_streams [plain|tls] [idle connections] [streams]        (plain, 9900, 9900)
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "admin/health.h"
#include "bench/world.h"
#include "http/routes.h"
#include "http/server.h"
#include "mcp/endpoint.h"

namespace {

using Clock = std::chrono::steady_clock;
namespace http = vmcp::http;

constexpr int kRounds = 5;
constexpr auto kPatience = std::chrono::seconds(10);  // for one event to arrive everywhere
// What every listener is sent for one change of the list of tools.
constexpr std::string_view kEvent =
    "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\",\"params\":{\"_meta\":"
    "{\"io.modelcontextprotocol/subscriptionId\":\"l\"}}}\n\n";

// How the answers end that are not counted.
constexpr std::string_view kDiscovered = "}}", kAcknowledged = "}}\n\n\r\n";

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "bench_streams: %s (%s)\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

// ---- the server's process

// A certificate for one run; the clients do not verify it.
http::TlsSettings make_certificate(const std::string& folder) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("bench"), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  X509_sign(certificate, key, EVP_sha256());
  const http::TlsSettings files{folder + "/certificate.pem", folder + "/key.pem", {}};
  ::umask(077);
  std::FILE* out = std::fopen(files.certificate_file.c_str(), "w");
  if (out == nullptr || PEM_write_X509(out, certificate) != 1 || std::fclose(out) != 0)
    give_up("certificate");
  out = std::fopen(files.key_file.c_str(), "w");
  if (out == nullptr || PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      std::fclose(out) != 0)
    give_up("key");
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

// Tells its port, then tells every listener of one change for each byte of `orders` until it ends.
void serve(bool tls, int tell, int orders) {
  vmcp::bench::World world;
  vmcp::pipeline::Background background(2, 16, world.log());
  vmcp::mcp::Endpoint endpoint({}, world.pipeline(), background, background, world.tasks(), world.log());
  const vmcp::admin::Health health([] { return vmcp::admin::Readiness{true, {}}; });
  const http::Routes routes("/mcp", http::OriginGuard({}, {}, true), endpoint, world.pipeline(), health);
  http::ServerLimits limits;
  limits.max_connections = limits.max_connections_per_address = 20'000;
  limits.idle_timeout = vmcp::milliseconds(600'000);
  http::Server server(
      limits, [&](const http::HttpExchangePtr& exchange) { routes.handle(exchange); }, world.log());
  char folder[] = "/tmp/bench_streams_XXXXXX";
  if (tls) {
    if (::mkdtemp(folder) == nullptr) give_up("folder");
    const http::TlsSettings files = make_certificate(folder);
    const bool used = server.use_tls(files).ok();
    ::unlink(files.certificate_file.c_str());
    ::unlink(files.key_file.c_str());
    ::rmdir(folder);
    if (!used) give_up("TLS");
  }
  if (!server.start("127.0.0.1", 0)) give_up("server");
  const std::uint16_t port = server.port();
  if (::write(tell, &port, sizeof port) != sizeof port) give_up("pipe");
  char order;
  while (::read(orders, &order, 1) == 1) {
    endpoint.changed({vmcp::mcp::Change::Kind::tools, {}});
  }
  server.stop(vmcp::milliseconds(0));
}

struct Server {
  pid_t pid;
  std::uint16_t port;
  int orders;
};

Server start(bool tls) {
  int told[2], orders[2];
  if (::pipe2(told, O_CLOEXEC) != 0 || ::pipe2(orders, O_CLOEXEC) != 0) give_up("pipe");
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(orders[1]);
    serve(tls, told[1], orders[0]);
    std::_Exit(0);
  }
  ::close(orders[0]);
  ::close(told[1]);
  Server server{pid, 0, orders[1]};
  if (::read(told[0], &server.port, sizeof server.port) != sizeof server.port)
    give_up("the server did not start");
  ::close(told[0]);
  return server;
}

double status_of(pid_t pid, const std::string& label) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(label + ":", 0) == 0) return std::atof(line.c_str() + label.size() + 1);
  }
  return 0;
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

// ---- the clients

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on =
      1;  // else the client waits 40 ms for an acknowledgement between its handshake and its request
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval patience{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) give_up("connect");
  return fd;
}

std::string request_of(const char* method, const char* params) {
  std::string body = R"({"jsonrpc":"2.0","id":"l","method":")";
  body.append(method).append(R"(","params":{)").append(params);
  body += R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
          R"("io.modelcontextprotocol/clientCapabilities":{},)"
          R"("io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"}}}})";
  return std::string("POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ") +
         vmcp::bench::kToken +
         "\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
         "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: " +
         method + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

const std::string& idle_request() {
  static const std::string text = request_of("server/discover", "");
  return text;
}
const std::string& listen_request() {
  static const std::string text =
      request_of("subscriptions/listen", R"("notifications":{"toolsListChanged":true},)");
  return text;
}

// Connects, asks once and reads until `mark` has come.
int ask(std::uint16_t port, SSL_CTX* tls, const std::string& request, std::string_view mark) {
  const int fd = connect_to(port);
  std::string answer;
  char bytes[4096];
  const auto whole = [&](ssize_t n) {
    if (n <= 0) give_up("no answer: " + answer);
    answer.append(bytes, static_cast<std::size_t>(n));
    return answer.find(mark) != std::string::npos;
  };
  if (tls == nullptr) {
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) give_up("send");
    while (!whole(::recv(fd, bytes, sizeof bytes, 0))) {
    }
    return fd;
  }
  SSL* const ssl = SSL_new(tls);
  SSL_set_fd(ssl, fd);
  if (SSL_connect(ssl) != 1 || SSL_write(ssl, request.data(), static_cast<int>(request.size())) <= 0)
    give_up("no connection over TLS");
  while (!whole(SSL_read(ssl, bytes, sizeof bytes))) {
  }
  // What follows is only counted, so the client needs no more of TLS; the memory of both sides would not fit
  // beside.
  SSL_set_quiet_shutdown(ssl, 1);
  SSL_free(ssl);
  return fd;
}

// Until every stream has received `size` bytes more; milliseconds, or -1 when they do not come.
double arrival(int poller, std::size_t streams, std::vector<std::size_t>& received, std::size_t size,
               Clock::time_point began) {
  std::fill(received.begin(), received.end(), 0);
  std::size_t done = 0;
  std::vector<epoll_event> events(1024);
  char bytes[4096];
  while (done < streams) {
    if (Clock::now() - began > kPatience) return -1;
    const int n = ::epoll_wait(poller, events.data(), static_cast<int>(events.size()), 1000);
    for (int i = 0; i < n; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const int fd = static_cast<int>(event.data.u64 >> 32);
      std::size_t& got = received[event.data.u64 & 0xffffffff];
      const ssize_t more = ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
      if (more <= 0) give_up("a stream ended");
      const bool had_all = got >= size;
      got += static_cast<std::size_t>(more);
      if (!had_all && got >= size) ++done;
    }
  }
  return std::chrono::duration<double, std::milli>(Clock::now() - began).count();
}

int watch(const std::vector<int>& streams) {
  const int poller = ::epoll_create1(EPOLL_CLOEXEC);
  for (std::size_t i = 0; i < streams.size(); ++i) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = static_cast<std::uint64_t>(streams[i]) << 32 | i;
    if (::epoll_ctl(poller, EPOLL_CTL_ADD, streams[i], &event) != 0) give_up("epoll");
  }
  return poller;
}

void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc > 1 ? argv[1] : "plain";
  if (kind != "plain" && kind != "tls") {
    std::fprintf(stderr, "bench_streams [plain|tls] [idle connections] [streams]\n");
    return 2;
  }
  const std::size_t idle = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 9900;
  const std::size_t open = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 9900;
  ::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  const Server server = start(kind == "tls");
  SSL_CTX* const tls = kind == "tls" ? SSL_CTX_new(TLS_client_method()) : nullptr;

  // What the first calls allocate is no client's.
  ::close(ask(server.port, tls, idle_request(), kDiscovered));
  ::close(ask(server.port, tls, listen_request(), kAcknowledged));
  const double empty_kb = status_of(server.pid, "VmRSS");
  const auto began = Clock::now();
  std::vector<int> connections, streams;
  for (std::size_t i = 0; i < idle; ++i)
    connections.push_back(ask(server.port, tls, idle_request(), kDiscovered));
  for (std::size_t i = 0; i < open; ++i)
    streams.push_back(ask(server.port, tls, listen_request(), kAcknowledged));
  const double set_up = std::chrono::duration<double>(Clock::now() - began).count();

  const int poller = watch(streams);
  // The event in its chunk, and under TLS 1.3 in its record: 5 bytes before, the type and the tag behind.
  char chunk_size[16];
  std::snprintf(chunk_size, sizeof chunk_size, "%zx\r\n", kEvent.size());
  const std::size_t size = std::strlen(chunk_size) + kEvent.size() + 2 + (tls != nullptr ? 5 + 1 + 16 : 0);
  std::vector<std::size_t> received(open);
  std::vector<double> times;
  const double cpu_before = cpu_seconds(server.pid);
  for (int i = 0; i < kRounds; ++i) {
    const auto ordered = Clock::now();
    if (::write(server.orders, "e", 1) != 1) give_up("order");
    const double took = arrival(poller, open, received, size, ordered);
    if (took < 0) give_up("an event did not arrive everywhere");
    times.push_back(took);
  }
  const double cpu = cpu_seconds(server.pid) - cpu_before;
  const double grown_mb = (status_of(server.pid, "VmRSS") - empty_kb) / 1024;
  const double peak_mb = (status_of(server.pid, "VmHWM") - empty_kb) / 1024;
  const double threads = status_of(server.pid, "Threads");
  std::sort(times.begin(), times.end());
  const auto say = [&](const char* name, double value) {
    std::printf("streams_%s_%s %.1f\n", kind.c_str(), name, value);
  };
  say("clients", static_cast<double>(idle + open));
  say("threads", threads);
  say("resident_mb", grown_mb);
  say("peak_mb", peak_mb);
  say("event_ms_median", times[times.size() / 2]);
  say("event_ms_worst", times.back());
  say("event_cpu_us", cpu * 1e6 / kRounds / static_cast<double>(std::max<std::size_t>(open, 1)));
  say("set_up_s", set_up);
  ::close(server.orders);
  for (const int fd : connections) ::close(fd);
  for (const int fd : streams) ::close(fd);
  ::waitpid(server.pid, nullptr, 0);
  SSL_CTX_free(tls);
  return 0;
}
