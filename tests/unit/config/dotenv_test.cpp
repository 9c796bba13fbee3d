#include "config/dotenv.h"

#include <doctest/doctest.h>

#include "config/report.h"

using namespace vmcp::config;

namespace {

bool takes_json(std::string_view name) {
  return name == "JSON";
}

// "NAME=value;…" of the entries, then the problems.
std::string read(const std::string& text) {
  Problems problems;
  std::string out;
  for (const auto& entry : parse_dotenv(text, "f", takes_json, problems))
    out += entry.name + "=" + entry.value + ";";
  return out + problems_text(problems);
}

}  // namespace

TEST_CASE("dotenv: plain values, comments and blank lines") {
  CHECK(read("A=1\nB=two words\n") == "A=1;B=two words;");
  CHECK(read("# all\n\n   # indented\nA=1") == "A=1;");
  CHECK(read("A=api            # api|rest\n") == "A=api;");
  CHECK(read("A=\t\nB=  \nC=              # optional\n") == "A=;B=;C=;");
  CHECK(read("A=p#ss#word # comment\n") == "A=p#ss#word;");
  CHECK(read("A=#hash\n") == "A=#hash;");
  CHECK(read("  A = 1 \nexport B=2\nexport\tC =3\n") == "A=1;B=2;C=3;");
  CHECK(read("exported=1\nexport=2\n") == "exported=1;export=2;");
  CHECK(read("A=b=c=d\n") == "A=b=c=d;");
  CHECK(read("") == "");
}

TEST_CASE("dotenv: line ends of Windows and a byte order mark") {
  CHECK(read("\xEF\xBB\xBF"
             "A=1\r\nB=\"x\r\ny\"\r\nC='z'\r\n") == "A=1;B=x\ny;C=z;");
  CHECK(read("JSON={\r\n\"a\":1\r\n}\r\nB=2\r\n") == "JSON={\r\n\"a\":1\r\n};B=2;");
}

TEST_CASE("dotenv: quotes keep blanks and comment marks, and only double quotes know escapes") {
  CHECK(read("A=' x # y '\nB=\" x # y \" # comment\n") == "A= x # y ;B= x # y ;");
  CHECK(read("A=\"l1\\nl2\\t\\\\ \\\" \\q\"\n") == "A=l1\nl2\t\\ \" \\q;");
  CHECK(read("A='l1\\nl2'\n") == "A=l1\\nl2;");
  CHECK(read("A='one\ntwo'\nB=3\n") == "A=one\ntwo;B=3;");
  CHECK(read("A=''\nB=\"\"\n") == "A=;B=;");
  CHECK(read("A=it's\n") == "A=it's;");
}

TEST_CASE("dotenv: nothing is expanded or run") {
  CHECK(read("A=$HOME\nB=${HOME}\nC=$(id)\nD=`id`\nE=\"$HOME\"\n") ==
        "A=$HOME;B=${HOME};C=$(id);D=`id`;E=$HOME;");
}

TEST_CASE("dotenv: JSON runs over lines until its brackets close") {
  CHECK(read("JSON={\n  \"a\": [\"}\", \"#\", \"\\\"\"],\n  \"b\": 1\n} # done\nB=2\n") ==
        "JSON={\n  \"a\": [\"}\", \"#\", \"\\\"\"],\n  \"b\": 1\n};B=2;");
  // Only where JSON is meant: a password may begin with a bracket.
  CHECK(read("PASSWORD={not json\nB=2\n") == "PASSWORD={not json;B=2;");
  CHECK(read("JSON='{\"a\":1}'\n") == "JSON={\"a\":1};");
}

TEST_CASE("dotenv: each line that cannot be read is a problem with its place, and the others are read") {
  CHECK(read("A=1\nnonsense\nB=2\n") ==
        "A=1;B=2;f:2:9: no '=' after the name nonsense\n    fix: write NAME=value\n");
  CHECK(read("=1\n1A=1\nB=2\n") ==
        "B=2;f:1:1: a line must be NAME=value, a comment or empty\n    fix: write NAME=value, or put # at "
        "the start "
        "of the line\nf:2:1: a line must be NAME=value, a comment or empty\n    fix: write NAME=value, or "
        "put # at the "
        "start of the line\n");
  CHECK(read("A='x' y\n") ==
        "f:1:7 A: text after the closing quote of A\n    fix: put the whole value inside the quotes, or # "
        "before a "
        "comment\n");
  CHECK(read("A=\"never\nB=1\n") ==
        "f:1:3 A: the quote before this value is never closed\n    fix: end the value of A with \"\n");
  CHECK(read("JSON={\"a\":[1}\n").starts_with("f:1:6 JSON: the JSON value of JSON starts here"));
  CHECK(read("JSON={} x\n").starts_with("f:1:9 JSON: text after the JSON value"));
  CHECK(read("A=1\nB=2\nA=1\n") ==
        "A=1;B=2;f:3:1 A: A is set twice, first in line 1\n    fix: keep one of the two lines\n");
  CHECK(read(std::string("A=x\0y\n", 6)).starts_with("f:1:4 A: a control character"));
}

TEST_CASE("dotenv: a value's place is that of its first character") {
  Problems problems;
  const auto entries = parse_dotenv("\n  export A = 'x'\n", "f", takes_json, problems);
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].line == 2);
  CHECK(entries[0].column == 10);
  CHECK(entries[0].value_line == 2);
  CHECK(entries[0].value_column == 14);
}

TEST_CASE("dotenv: a file over the limit is refused, one at the limit is read") {
  const std::string head = "A=";
  CHECK(read(head + std::string(kMaxConfigBytes - 2, 'x')).starts_with("A=xxx"));
  CHECK(read(head + std::string(kMaxConfigBytes - 1, 'x')).starts_with("f: the file is larger than"));
}

TEST_CASE("dotenv: any cut of a file ends, in entries or problems") {
  const std::string whole = "export A = \"x\\\"y\" # c\r\nJSON={\"a\":[\"\\\\\"]}\nB='q\n'\nC=d#e #f\n";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    Problems problems;
    CHECK(parse_dotenv(whole.substr(0, size), "f", takes_json, problems).size() <= 4);
  }
}
