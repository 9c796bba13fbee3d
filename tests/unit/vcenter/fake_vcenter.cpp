#include "fake_vcenter.h"

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/SecureServerSocket.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/StreamCopier.h>
#include <Poco/ThreadPool.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>

#include "base/crypto.h"
#include "base/json.h"

namespace vmcp::test {
namespace {

namespace net = Poco::Net;

constexpr std::chrono::seconds kPatience{5};

const char* kUnauthenticated =
    R"({"error_type":"UNAUTHENTICATED","messages":[{"args":[],"default_message":"Authentication required.","id":"com.vmware.vapi.endpoint.method.authentication.required"}]})";

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

struct FakeVcenter::State {
  Options options;
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  // guarded by mutex
  std::map<std::string, std::vector<Answer>> scripts;
  std::map<std::string, std::size_t> used;
  std::vector<Received> received;
  // Kept to the end: who drops the last reference is decided inside Poco, where ThreadSanitizer does not see
  // the count, and would take the deletion for a race.
  std::vector<net::StreamSocket> cut;
  std::set<std::string> api_ids, vim_ids;
  int next_id = 1, refuse_login = 0, generation = 0;
  bool refuse_all = false, hold_login = false, ending = false, reissue = false;

  std::unique_ptr<Poco::ThreadPool> threads;
  std::unique_ptr<net::HTTPServer> server;
  unsigned short port = 0;

  bool known(const std::string& id, bool vim) const {
    if (refuse_all || id.empty()) return false;
    if (vim) return vim_ids.count(id) > 0 || (options.share_session && api_ids.count(id) > 0);
    return api_ids.count(id) > 0;
  }

  void hold(std::unique_lock<std::mutex>& lock) {
    const int start = generation;
    changed.wait_for(lock, kPatience, [&] { return ending || generation != start; });
  }

  Answer login(const Received& request, std::unique_lock<std::mutex>& lock) {
    if (hold_login) hold(lock);
    if (refuse_login != 0) return {refuse_login, refuse_login == 401 ? wrap_error(kUnauthenticated) : ""};
    const std::string expected = "Basic " + base64_encode(options.user + ":" + options.password);
    const auto given = request.headers.find("authorization");
    if (given == request.headers.end() || given->second != expected)
      return {401, wrap_error(kUnauthenticated)};
    const std::string id = "token-" + std::to_string(next_id++);
    api_ids.insert(id);
    if (options.rest) return {200, "{\"value\":\"" + id + "\"}"};
    return {201, "\"" + id + "\""};
  }

  std::string wrap_error(const std::string& body) const {
    return options.rest ? R"({"type":"com.vmware.vapi.std.errors.unauthenticated","value":)" + body + "}"
                        : body;
  }

  Answer vim_login(const Received& request) {
    const Result<Json> body = parse_json(request.body);
    if (!body || (*body)["userName"] != options.user || (*body)["password"] != options.password) {
      return {500, R"({"_typeName":"InvalidLogin","faultstring":"Cannot complete login."})"};
    }
    const std::string id = "vim-" + std::to_string(next_id++);
    vim_ids.insert(id);
    return {200, R"({"_typeName":"UserSession","key":"k"})", {{"vmware-api-session-id", id}}};
  }

  Answer scripted(const Received& request) {
    const std::string key = request.method + " " + request.target;
    const auto script = scripts.find(key);
    if (script == scripts.end()) return {404, R"({"error_type":"NOT_FOUND","messages":[]})"};
    const std::size_t index = std::min(used[key]++, script->second.size() - 1);
    return script->second[index];
  }

  Answer decide(const Received& request, std::unique_lock<std::mutex>& lock) {
    const std::string& target = request.target;
    const std::string session_path = options.rest ? "/rest/com/vmware/cis/session" : "/api/session";
    if (target == session_path && request.method == "POST") return login(request, lock);
    if (target == session_path && request.method == "DELETE") {
      return {api_ids.erase(request.session()) ? (options.rest ? 200 : 204) : 401, ""};
    }
    if (target == "/api/vcenter/system?action=hello") {
      if (!options.hello) return {404, R"({"error_type":"NOT_FOUND","messages":[]})"};
      return {200, R"({"api_release":"8.0.2.0"})"};
    }
    if (target == "/sdk/vimServiceVersions.xml" && !options.versions_xml.empty()) {
      return {200, options.versions_xml, {}, false, false, "text/xml"};
    }
    const bool vim = target.rfind("/sdk/vim25/", 0) == 0;
    const auto ends_with = [&](const char* tail) { return target.size() > 11 && target.ends_with(tail); };
    if (vim && scripts.count(request.method + " " + target) == 0) {
      if (ends_with("/ServiceInstance/ServiceInstance/content")) return {200, kContent};
      if (ends_with("/SessionManager/sm-9/Login")) return vim_login(request);
      if (ends_with("/SessionManager/sm-9/Logout")) {
        vim_ids.erase(request.session());
        return {204, ""};
      }
    }
    if (!known(request.session(), vim)) {
      if (vim)
        return {500, R"({"_typeName":"NotAuthenticated","faultstring":"The session is not authenticated."})"};
      return {401, wrap_error(kUnauthenticated)};
    }
    Answer answer = scripted(request);
    if (answer.hold) hold(lock);
    if (vim && reissue) {
      reissue = false;
      vim_ids.erase(request.session());
      const std::string id = "vim-" + std::to_string(next_id++);
      vim_ids.insert(id);
      answer.headers.emplace_back("vmware-api-session-id", id);
    }
    return answer;
  }
};

namespace {

class Handler final : public net::HTTPRequestHandler {
 public:
  explicit Handler(FakeVcenter::State& state) : state_(state) {}

  void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override {
    Received seen;
    seen.method = request.getMethod();
    seen.target = request.getURI();
    for (const auto& [name, value] : request) seen.headers[lower(name)] = value;
    Poco::StreamCopier::copyToString(request.stream(), seen.body);
    Answer answer;
    {
      std::unique_lock lock(state_.mutex);
      state_.received.push_back(seen);
      state_.changed.notify_all();
      answer = state_.decide(seen, lock);
    }
    if (answer.cut) {
      net::StreamSocket socket = static_cast<net::HTTPServerRequestImpl&>(request).detachSocket();
      socket.close();
      const std::lock_guard lock(state_.mutex);
      state_.cut.push_back(std::move(socket));
      return;
    }
    response.setStatus(static_cast<net::HTTPResponse::HTTPStatus>(answer.status));
    response.setContentType(answer.content_type);
    for (const auto& [name, value] : answer.headers) response.set(name, value);
    if (answer.status != 204) response.setContentLength64(static_cast<Poco::Int64>(answer.body.size()));
    try {
      response.send() << answer.body;
    } catch (const Poco::Exception&) {  // the client went away: some tests want that
    }
  }

 private:
  FakeVcenter::State& state_;
};

class Factory final : public net::HTTPRequestHandlerFactory {
 public:
  explicit Factory(FakeVcenter::State& state) : state_(state) {}
  net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
    return new Handler(state_);
  }

 private:
  FakeVcenter::State& state_;
};

net::ServerSocket listen(const FakeVcenter::Options& options) {
  const net::SocketAddress address(options.host, 0);
  if (options.certificate.empty()) return net::ServerSocket(address);
  const net::Context::Ptr context(new net::Context(net::Context::TLS_SERVER_USE, options.certificate,
                                                   options.certificate, "", net::Context::VERIFY_NONE));
  return net::SecureServerSocket(address, 64, context);
}

}  // namespace

FakeVcenter::FakeVcenter() : FakeVcenter(Options{}) {}

FakeVcenter::FakeVcenter(Options options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  state_->threads = std::make_unique<Poco::ThreadPool>(2, 40);
  net::ServerSocket socket = listen(state_->options);
  state_->port = socket.address().port();
  Poco::AutoPtr<net::HTTPServerParams> params(new net::HTTPServerParams);
  params->setMaxThreads(40);
  params->setKeepAlive(true);
  state_->server = std::make_unique<net::HTTPServer>(new Factory(*state_), *state_->threads, socket, params);
  state_->server->start();
}

FakeVcenter::~FakeVcenter() {
  stop();
}

void FakeVcenter::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->ending = true;
    state_->changed.notify_all();
  }
  if (state_->server) {
    state_->server->stopAll(true);
    state_->server.reset();
    state_->threads->joinAll();
  }
}

void FakeVcenter::on(const std::string& method, const std::string& target, std::vector<Answer> answers) {
  const std::lock_guard lock(state_->mutex);
  state_->scripts[method + " " + target] = std::move(answers);
  state_->used[method + " " + target] = 0;
}

void FakeVcenter::release() {
  const std::lock_guard lock(state_->mutex);
  state_->hold_login = false;
  ++state_->generation;
  state_->changed.notify_all();
}

void FakeVcenter::expire_sessions() {
  const std::lock_guard lock(state_->mutex);
  state_->api_ids.clear();
  state_->vim_ids.clear();
}

void FakeVcenter::refuse_logins(int status) {
  const std::lock_guard lock(state_->mutex);
  state_->refuse_login = status;
}

void FakeVcenter::refuse_all_sessions(bool on) {
  const std::lock_guard lock(state_->mutex);
  state_->refuse_all = on;
}

void FakeVcenter::hold_logins() {
  const std::lock_guard lock(state_->mutex);
  state_->hold_login = true;
}

void FakeVcenter::reissue_next_vim_id() {
  const std::lock_guard lock(state_->mutex);
  state_->reissue = true;
}

int FakeVcenter::count(const std::string& method, const std::string& target) const {
  const std::lock_guard lock(state_->mutex);
  return static_cast<int>(
      std::count_if(state_->received.begin(), state_->received.end(),
                    [&](const Received& r) { return r.method == method && r.target == target; }));
}

int FakeVcenter::logins() const {
  return count("POST", "/api/session") + count("POST", "/rest/com/vmware/cis/session");
}
int FakeVcenter::logouts() const {
  return count("DELETE", "/api/session") + count("DELETE", "/rest/com/vmware/cis/session");
}
int FakeVcenter::vim_logins() const {
  return count("POST", "/sdk/vim25/8.0.2.0/SessionManager/sm-9/Login");
}
int FakeVcenter::vim_logouts() const {
  return count("POST", "/sdk/vim25/8.0.2.0/SessionManager/sm-9/Logout");
}
int FakeVcenter::connections() const {
  return state_->server->totalConnections();
}

std::vector<Received> FakeVcenter::received() const {
  const std::lock_guard lock(state_->mutex);
  return state_->received;
}

bool FakeVcenter::wait_for(const std::string& method, const std::string& target, int times) const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, kPatience, [&] {
    return std::count_if(state_->received.begin(), state_->received.end(), [&](const Received& r) {
             return r.method == method && r.target == target;
           }) >= times;
  });
}

unsigned short FakeVcenter::port() const {
  return state_->port;
}

std::string FakeVcenter::address() const {
  const std::string& host = state_->options.host;
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(state_->port);
}

std::string versions_xml(const std::string& newest, const std::vector<std::string>& prior) {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<namespaces version=\"1.0\">\n <namespace>\n"
      "  <name>urn:vim25</name>\n  <version>" +
      newest + "</version>\n  <priorVersions>\n";
  for (const std::string& version : prior) out += "   <version>" + version + "</version>\n";
  return out +
         "  </priorVersions>\n </namespace>\n "
         "<namespace><name>urn:other</name><version>9.9.9.9</version></namespace>\n</namespaces>\n";
}

}  // namespace vmcp::test
