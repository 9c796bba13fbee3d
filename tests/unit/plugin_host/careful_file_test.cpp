#include "plugin_host/careful_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "trust_rig.h"

using namespace vmcp;
using namespace vmcp::plugin_host;
using namespace vmcp::plugin_host::test;

namespace {

Result<std::string> read(const std::string& path, Place place = Place::service) {
  return read_carefully(path, place, 1000);
}

bool is_root() {
  return ::geteuid() == 0;
}

}  // namespace

TEST_CASE("careful file: a file of ours in folders of ours is read") {
  const TestFolder folder;
  const auto text = read(folder.file("a", "hello"));
  REQUIRE_MESSAGE(text.ok(), text.error().text);
  CHECK(*text == "hello");
  CHECK(read(folder.file("empty", "")).ok());
  CHECK(read(folder.file("full", std::string(1000, 'x'))).ok());
  refused_saying(read(folder.file("over", std::string(1001, 'x'))), "larger");
}

TEST_CASE("careful file: what is absent is told apart from what is refused") {
  const TestFolder folder;
  for (const std::string& path : {folder / "absent", folder / "no/such", folder.file("f", "") + "/below"}) {
    const auto r = read(path);
    REQUIRE_FALSE(r.ok());
    CHECK_MESSAGE(r.error().code == Code::not_found, path, ": ", r.error().text);
  }
  CHECK(read(folder.path + "/").error().code == Code::not_found);
}

TEST_CASE("careful file: the file itself must be plain, ours, of one name, and closed to others") {
  const TestFolder folder;
  refused_saying(read(folder.folder("d", 0755)), "regular");
  refused_saying(read(folder.file("group", "x", 0664)), "chmod go-w");
  refused_saying(read(folder.file("world", "x", 0646)), "chmod go-w");
  const std::string real = folder.file("real", "x");
  REQUIRE(::symlink(real.c_str(), (folder / "link").c_str()) == 0);
  refused_saying(read(folder / "link"), "symbolic link");
  REQUIRE(::link(real.c_str(), (folder / "second").c_str()) == 0);
  if (!is_root()) {
    refused_saying(read(real), "hard links");
  } else {
    CHECK(read(real).ok());  // root's own
    REQUIRE(::chown(folder.path.c_str(), 65534, 65534) == 0);
    REQUIRE(::chown(real.c_str(), 65534, 65534) == 0);
    REQUIRE(::seteuid(65534) == 0);
    const auto linked = read(real);
    ::unlink((folder / "second").c_str());
    const auto alone = read(real);
    REQUIRE(::seteuid(0) == 0);
    refused_saying(linked, "hard links");
    CHECK(alone.ok());
    REQUIRE(::chown(folder.path.c_str(), 0, 0) == 0);
  }
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  refused_saying(read(folder / "pipe"), "regular");
  if (is_root()) {
    const std::string other = folder.file("other", "x");
    REQUIRE(::chown(other.c_str(), 65534, 65534) == 0);
    refused_saying(read(other), "another user");
  }
}

TEST_CASE("careful file: a folder on the way that others may change is named with the fix") {
  const TestFolder folder;
  folder.folder("a/b", 0755);
  const std::string file = folder.file("a/b/f", "x");
  REQUIRE(read(file).ok());
  for (const char* on_the_way : {"a", "a/b"}) {
    for (const mode_t mode : {0775u, 0757u}) {
      folder.folder(on_the_way, mode);
      refused_saying(read(file), "the folder " + (folder / on_the_way) + "; chmod go-w it");
      refused_saying(read(file, Place::workshop), "chmod go-w");
    }
    folder.folder(on_the_way, 0755);
  }
  if (is_root()) {
    REQUIRE(::chown((folder / "a").c_str(), 65534, 65534) == 0);
    refused_saying(read(file), "chown it to root");
    REQUIRE(::chown((folder / "a").c_str(), 0, 0) == 0);
  }
  CHECK(read(file).ok());
}

TEST_CASE("careful file: a sticky folder may lie on the way, but holds a file only on a workbench") {
  const TestFolder folder;
  folder.folder("tmp/own", 0755);
  folder.folder("tmp", 01777);
  CHECK(read(folder.file("tmp/own/f", "x")).ok());
  const std::string file = folder.file("tmp/f", "x");
  refused_saying(read(file), "plugins.trust = \"dev\"");
  CHECK(read(file, Place::workshop).ok());
}

TEST_CASE("careful file: links on the way are followed when they are ours, and what they lead to is judged") {
  const TestFolder folder;
  folder.folder("v1/lib", 0755);
  folder.file("v1/lib/f", "one");
  REQUIRE(::symlink("v1/lib", (folder / "now").c_str()) == 0);
  REQUIRE(::symlink((folder / "now").c_str(), (folder / "absolute").c_str()) == 0);
  CHECK(*read(folder / "now/f") == "one");
  CHECK(*read(folder / "absolute/f") == "one");
  CHECK(*read(folder / "now/../lib/f") == "one");
  folder.folder("v1", 0777);
  refused_saying(read(folder / "now/f"), "the folder " + (folder / "v1"));
  folder.folder("v1", 0755);
  REQUIRE(::symlink("ring", (folder / "ring").c_str()) == 0);
  refused_saying(read(folder / "ring/f"), "too many links");
  if (is_root()) {
    REQUIRE(::lchown((folder / "now").c_str(), 65534, 65534) == 0);
    refused_saying(read(folder / "now/f"), "somebody else's");
  }
}

TEST_CASE("careful file: descriptors are closed on every way out") {
  const TestFolder folder;
  const std::string file = folder.file("f", "x");
  const std::string bad = folder.file("bad", "x", 0666);
  const int before = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(before);
  for (int i = 0; i < 50; ++i) {
    CHECK(read(file).ok());
    CHECK_FALSE(read(bad).ok());
    CHECK_FALSE(read(folder / "absent/f").ok());
  }
  const int after = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(after);
  CHECK(after == before);
}
