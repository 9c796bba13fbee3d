#include "store/small_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

using namespace vmcp;
namespace fs = std::filesystem;

namespace {

struct SmallFolder {
  std::string path;
  SmallFolder() {
    std::string pattern = (fs::temp_directory_path() / "vmcp-small-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~SmallFolder() { fs::remove_all(path); }
};

}  // namespace

TEST_CASE("small file: what was written is read, by its owner alone, and nothing is left beside it") {
  const SmallFolder folder;
  const std::string file = folder.path + "/list.json";
  CHECK(store::read_file(file, 100).error().code == Code::not_found);
  for (const std::string text : {"one", "", "three"}) {
    REQUIRE(store::replace_file(file, text).ok());
    CHECK(*store::read_file(file, 100) == text);
  }
  struct stat st;
  REQUIRE(::stat(file.c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0600);
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("small file: one byte more than allowed, and what is no file, is an error that names it") {
  const SmallFolder folder;
  const std::string file = folder.path + "/list.json";
  REQUIRE(store::replace_file(file, "12345").ok());
  CHECK(*store::read_file(file, 5) == "12345");
  const auto longer = store::read_file(file, 4);
  REQUIRE_FALSE(longer.ok());
  CHECK(longer.error().text.find(file) != std::string::npos);
  CHECK_FALSE(store::read_file(folder.path, 100).ok());
}

TEST_CASE("small file: what cannot be written leaves what was there") {
  const SmallFolder folder;
  const std::string file = folder.path + "/list.json";
  REQUIRE(store::replace_file(file, "before").ok());
  fs::create_directory(file + ".new");  // where the draft would go
  const auto failed = store::replace_file(file, "after");
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().text.find("STATE_DIR") != std::string::npos);
  CHECK(*store::read_file(file, 100) == "before");
}
