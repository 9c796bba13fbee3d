// A small scripted vCenter on a loopback port, for the client's tests: sessions in both protocols, and for
// every other request the answers that the test has written down. Counts what it received.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vmcp::test {

struct Received {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string session() const {
    const auto it = headers.find("vmware-api-session-id");
    return it == headers.end() ? std::string() : it->second;
  }
};

struct Answer {
  int status = 200;
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
  bool hold = false;  // answers only after release() (or at the end of the test)
  bool cut = false;   // reads the request, then closes the connection without a word
  std::string content_type = "application/json";
};

class FakeVcenter {
 public:
  struct Options {
    std::string user = "svc@vsphere.local";
    std::string password = "pw-of-the-test";
    bool rest = false;           // serves /rest sessions instead of /api ones
    bool share_session = true;   // VI/JSON takes the Automation API's id
    bool hello = true;           // serves system?action=hello
    std::string versions_xml{};  // vimServiceVersions.xml
    std::string certificate{};   // PEM file with key and certificate: TLS
    std::string host = "127.0.0.1";
  };
  FakeVcenter();
  explicit FakeVcenter(Options options);
  ~FakeVcenter();

  // Answers in turn; the last one repeats. `target` is the exact path and query.
  void on(const std::string& method, const std::string& target, std::vector<Answer> answers);
  void release();                     // lets held answers go
  void expire_sessions();             // every id given out so far is unknown from now on
  void refuse_logins(int status);     // 0 = normal again
  void refuse_all_sessions(bool on);  // ids are given out but never accepted
  void hold_logins();                 // until release()
  void reissue_next_vim_id();         // the next VI/JSON answer replaces the caller's id

  int count(const std::string& method, const std::string& target) const;
  int logins() const;  // /api or /rest
  int vim_logins() const;
  int logouts() const;
  int vim_logouts() const;
  int connections() const;
  std::vector<Received> received() const;
  // Waits until `target` was asked `times` times; false after five seconds.
  bool wait_for(const std::string& method, const std::string& target, int times) const;

  std::string address() const;  // "127.0.0.1:41234"
  unsigned short port() const;
  void stop();  // closes the port; start again is not possible

  struct State;

 private:
  std::unique_ptr<State> state_;
};

inline constexpr const char* kContent =
    R"({"_typeName":"ServiceContent","rootFolder":{"_typeName":"ManagedObjectReference","type":"Folder","value":"group-d1"},)"
    R"("propertyCollector":{"_typeName":"ManagedObjectReference","type":"PropertyCollector","value":"pc-7"},)"
    R"("viewManager":{"_typeName":"ManagedObjectReference","type":"ViewManager","value":"vm-mgr"},)"
    R"("sessionManager":{"_typeName":"ManagedObjectReference","type":"SessionManager","value":"sm-9"},)"
    R"("perfManager":{"_typeName":"ManagedObjectReference","type":"PerformanceManager","value":"perf-3"},)"
    R"("taskManager":{"_typeName":"ManagedObjectReference","type":"TaskManager","value":"tasks-2"},)"
    R"("about":{"_typeName":"AboutInfo","name":"fake","fullName":"Fake vCenter 8.0.2","version":"8.0.2","build":"4711",)"
    R"("apiVersion":"8.0.2.0","apiType":"VirtualCenter","instanceUuid":"11111111-2222-3333-4444-555555555555"}})";

std::string versions_xml(const std::string& newest, const std::vector<std::string>& prior);

}  // namespace vmcp::test
