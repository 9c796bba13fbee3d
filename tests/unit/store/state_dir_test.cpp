#include "store/state_dir.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/rounds.h"

using namespace vmcp;
using store::StateDir;
namespace fs = std::filesystem;

namespace {

class TempDir {
 public:
  TempDir() {
    std::string pattern = (fs::temp_directory_path() / "vmcp-store-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string operator/(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

unsigned mode_of(const std::string& path) {
  struct stat st;
  REQUIRE(::stat(path.c_str(), &st) == 0);
  return st.st_mode & 07777u;
}

void write_file(const std::string& path, const std::string& bytes, mode_t mode) {
  std::ofstream(path, std::ios::binary) << bytes;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("open: makes the directory and its parents for the owner alone") {
  const TempDir temp;
  const auto dir = StateDir::open(temp / "a/b/state/");
  REQUIRE(dir);
  CHECK(dir->path() == temp / "a/b/state");
  CHECK(dir->file("journal") == temp / "a/b/state/journal");
  CHECK(mode_of(temp / "a/b/state") == 0700);
  CHECK(mode_of(temp / "a/b/state/lock") == 0600);
}

TEST_CASE("open: a second owner is told who has it, and gets it afterwards") {
  const TempDir temp;
  auto first = StateDir::open(temp / "state");
  REQUIRE(first);
  const auto second = StateDir::open(temp / "state");
  REQUIRE_FALSE(second);
  CHECK(contains(second.error().text, "in use by process " + std::to_string(::getpid())));
  CHECK(contains(second.error().text, "STATE_DIR"));
  {
    StateDir moved = std::move(*first);
    CHECK_FALSE(StateDir::open(temp / "state"));
  }
  CHECK(StateDir::open(temp / "state"));
}

TEST_CASE("open: the lock ends with a process that is killed") {
  const TempDir temp;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto dir = StateDir::open(temp / "state");
    const char answer = dir ? 'y' : 'n';
    (void)!::write(ready[1], &answer, 1);
    for (;;) ::pause();
  }
  char answer = 0;
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  const auto busy = StateDir::open(temp / "state");
  REQUIRE_FALSE(busy);
  CHECK(contains(busy.error().text, std::to_string(child)));
  REQUIRE(::kill(child, SIGKILL) == 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(StateDir::open(temp / "state"));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("open: refuses what others may write, what is no directory, and an empty name") {
  const TempDir temp;
  fs::create_directory(temp / "open");
  REQUIRE(::chmod((temp / "open").c_str(), 0770) == 0);
  const auto writable = StateDir::open(temp / "open");
  REQUIRE_FALSE(writable);
  CHECK(contains(writable.error().text, "chmod go-w"));
  REQUIRE(::chmod((temp / "open").c_str(), 0755) == 0);
  CHECK(StateDir::open(temp / "open"));

  write_file(temp / "file", "x", 0600);
  CHECK_FALSE(StateDir::open(temp / "file"));
  CHECK_FALSE(StateDir::open(temp / "file/below"));
  CHECK_FALSE(StateDir::open(""));
}

TEST_CASE("open: a lock file that is a link is refused") {
  const TempDir temp;
  fs::create_directory(temp / "state");
  write_file(temp / "victim", "keep me", 0600);
  fs::create_symlink(temp / "victim", temp / "state/lock");
  CHECK_FALSE(StateDir::open(temp / "state"));
  CHECK(fs::file_size(temp / "victim") == 7);
}

TEST_CASE("key: is made once, private, and the same afterwards") {
  const TempDir temp;
  std::string first;
  {
    const auto dir = StateDir::open(temp / "state");
    const auto key = dir->key("journal");
    REQUIRE(key);
    first = key->reveal();
    CHECK(first.size() == 32);
    CHECK(mode_of(temp / "state/keys") == 0700);
    CHECK(mode_of(temp / "state/keys/journal") == 0600);
    const auto other = dir->key("seal");
    REQUIRE(other);
    CHECK(other->reveal() != first);
  }
  const auto dir = StateDir::open(temp / "state");
  CHECK(dir->key("journal")->reveal() == first);
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(temp / "state/keys")) names.insert(entry.path().filename());
  CHECK(names == std::set<std::string>{"journal", "seal"});
}

TEST_CASE("key: refuses a file that others may read, of another size, or of another kind") {
  const TempDir temp;
  const auto dir = StateDir::open(temp / "state");
  REQUIRE(dir->key("any"));
  const std::string bytes(32, 'k');
  write_file(temp / "state/keys/open", bytes, 0640);
  const auto readable = dir->key("open");
  REQUIRE_FALSE(readable);
  CHECK(contains(readable.error().text, "chmod 600"));
  write_file(temp / "state/keys/short", bytes.substr(1), 0600);
  CHECK_FALSE(dir->key("short"));
  write_file(temp / "state/keys/long", bytes + "x", 0600);
  CHECK_FALSE(dir->key("long"));
  write_file(temp / "state/keys/empty", "", 0600);
  CHECK_FALSE(dir->key("empty"));
  fs::create_directory(temp / "state/keys/dir");
  CHECK_FALSE(dir->key("dir"));
  REQUIRE(::mkfifo((temp / "state/keys/fifo").c_str(), 0600) == 0);
  CHECK_FALSE(dir->key("fifo"));
  CHECK(fs::file_size(temp / "state/keys/short") == 31);
}

TEST_CASE("key: a key that the operator provided, also through a link, is taken") {
  const TempDir temp;
  const auto dir = StateDir::open(temp / "state");
  REQUIRE(dir->key("any"));
  const std::string bytes = "0123456789abcdef0123456789abcdef";
  write_file(temp / "mounted", bytes, 0400);
  fs::create_symlink(temp / "mounted", temp / "state/keys/journal");
  const auto key = dir->key("journal");
  REQUIRE(key);
  CHECK(key->reveal() == bytes);
}

TEST_CASE("key: names cannot leave the directory") {
  const TempDir temp;
  const auto dir = StateDir::open(temp / "state");
  for (const char* name : {"", "..", "../lock", "a/b", "A", "a.b", "a b"}) CHECK_FALSE(dir->key(name));
  CHECK_FALSE(dir->key(std::string(65, 'a')));
}

TEST_CASE("key: threads that make one key at once end with the same bytes") {
  for (int round = 0; round < vmcp::testing::rounds(20); ++round) {
    const TempDir temp;
    const auto dir = StateDir::open(temp / "state");
    std::vector<std::string> keys(8);
    std::vector<std::thread> threads;
    for (std::string& key : keys)
      threads.emplace_back([&] {
        if (const auto made = dir->key("journal")) key = made->reveal();
      });
    for (std::thread& thread : threads) thread.join();
    for (const std::string& key : keys) CHECK((key.size() == 32 && key == keys[0]));
  }
}

TEST_CASE("default_state_dir: an absolute path of this program") {
  const std::string dir = store::default_state_dir();
  CHECK(fs::path(dir).is_absolute());
  CHECK(fs::path(dir).filename() == "vsphere-mcp-pro");
  if (::geteuid() == 0) CHECK(dir == "/var/lib/vsphere-mcp-pro");
}
