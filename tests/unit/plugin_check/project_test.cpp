#include "plugin_check/project.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "unit/plugin_check/subjects.h"

using namespace vmcp;
using namespace vmcp::plugin_check;
using namespace vmcp::plugin_check::test;
namespace fs = std::filesystem;

namespace {

struct ProjectFolder {
  std::string path;
  ProjectFolder() {
    std::string pattern = (fs::temp_directory_path() / "vmcp-project-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~ProjectFolder() { fs::remove_all(path); }
};

}  // namespace

TEST_CASE("new: both languages get a whole project with nothing left to fill in") {
  for (const bool c : {false, true}) {
    const ProjectFolder folder;
    const auto project = make_project({"disk_report", "", c, folder.path + "/made/here"});
    REQUIRE_MESSAGE(project.ok(), project.error().text);
    CHECK(project->files.size() == 4);
    for (const std::string& file : project->files) {
      const std::string text = bytes_of(project->directory + "/" + file);
      CHECK(text.find("disk_report") != std::string::npos);
      for (const char* mark : {"@NAME@", "@ID@", "@CLASS@", "@NEEDS@"})
        CHECK(text.find(mark) == std::string::npos);
    }
    const std::string source = bytes_of(project->directory + (c ? "/disk_report.c" : "/disk_report.cpp"));
    CHECK(source.find("org.example.disk_report") != std::string::npos);
    CHECK((c || source.find("struct DiskReportPlugin : vmcp::plugin") != std::string::npos));
  }
}

TEST_CASE("new: nothing is written over, and bad names are refused with the rule") {
  const ProjectFolder folder;
  REQUIRE(make_project({"hello", "", false, folder.path}).ok());
  const auto again = make_project({"hello", "", true, folder.path});
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().text.find("--dir") != std::string::npos);
  for (const char* name : {"", "Hello", "9lives", "a-b", "a/b", "..", "a b", "@ID@"}) {
    CAPTURE(name);
    const auto refused = make_project({name, "", false, folder.path + "/new"});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().text.find("lower case") != std::string::npos);
  }
  CHECK_FALSE(make_project({"hello", "nodots", false, folder.path + "/new"}).ok());
  CHECK_FALSE(make_project({"hello", "org.\"quote", false, folder.path + "/new"}).ok());
  CHECK_FALSE(fs::exists(folder.path + "/new"));
}
