#include "plugin_check/elf_file.h"

#include <doctest/doctest.h>
#include <elf.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "unit/plugin_check/subjects.h"

using namespace vmcp;
using namespace vmcp::plugin_check;
using namespace vmcp::plugin_check::test;

namespace {

// The bytes of a good plugin with a number written over them.
template <class T>
std::string spoiled(std::string bytes, std::size_t offset, T value) {
  REQUIRE(offset + sizeof value <= bytes.size());
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  return bytes;
}

void refused_with(const std::string& bytes, const char* word) {
  const auto r = read_elf(bytes);
  REQUIRE_FALSE(r.ok());
  CHECK_MESSAGE(r.error().text.find(word) != std::string::npos, r.error().text);
}

Elf64_Phdr segment_of(const std::string& bytes, std::uint32_t type, std::size_t& offset) {
  Elf64_Ehdr header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    offset = header.e_phoff + i * sizeof segment;
    std::memcpy(&segment, bytes.data() + offset, sizeof segment);
    if (segment.p_type == type) return segment;
  }
  FAIL("no such segment");
  return {};
}

}  // namespace

TEST_CASE("elf_file: a plugin exports one symbol, is bound at load and has a build id") {
  const auto facts = read_elf(bytes_of(fixture("plain")));
  REQUIRE_MESSAGE(facts.ok(), facts.error().text);
  CHECK(facts->exports == std::vector<std::string>{"vmcp_entry_v1"});
  CHECK(facts->unique.empty());
  CHECK(std::find(facts->needed.begin(), facts->needed.end(), "libc.so.6") != facts->needed.end());
  CHECK(facts->binds_now);
  CHECK_FALSE(facts->executable_stack);
  CHECK_FALSE(facts->text_relocations);
}

TEST_CASE("elf_file: what exports more is seen with all its names") {
  const auto facts = read_elf(bytes_of(fixture("exports_more")));
  REQUIRE_MESSAGE(facts.ok(), facts.error().text);
  CHECK(facts->exports.size() == 2);
  CHECK(std::count(facts->exports.begin(), facts->exports.end(), "also_exported") == 1);
}

TEST_CASE("elf_file: each damaged part is named") {
  const std::string good = bytes_of(fixture("plain"));
  refused_with("", "no ELF file");
  refused_with("hello, this is text", "no ELF file");
  refused_with(good.substr(0, 40), "no ELF file");
  refused_with(good.substr(0, sizeof(Elf64_Ehdr)), "program headers");
  refused_with(good.substr(0, good.size() / 4), "ends before");
  refused_with(spoiled<unsigned char>(good, EI_CLASS, ELFCLASS32), "64-bit");
  refused_with(spoiled<std::uint16_t>(good, offsetof(Elf64_Ehdr, e_type), ET_REL), "no shared library");
  refused_with(spoiled<std::uint16_t>(good, offsetof(Elf64_Ehdr, e_phnum), 0), "program headers");
  refused_with(spoiled<std::uint64_t>(good, offsetof(Elf64_Ehdr, e_phoff), UINT64_MAX - 63),
               "program headers");

  std::size_t at = 0;
  const Elf64_Phdr dynamic = segment_of(good, PT_DYNAMIC, at);
  refused_with(spoiled<std::uint32_t>(good, at, PT_NULL), "no dynamic section");
  refused_with(spoiled<std::uint64_t>(good, at + offsetof(Elf64_Phdr, p_filesz), sizeof(Elf64_Dyn)),
               "no end");
  for (std::size_t i = 0; i < dynamic.p_filesz / sizeof(Elf64_Dyn); ++i) {
    const std::size_t entry = dynamic.p_offset + i * sizeof(Elf64_Dyn);
    Elf64_Dyn value{};
    std::memcpy(&value, good.data() + entry, sizeof value);
    const std::size_t number = entry + offsetof(Elf64_Dyn, d_un);
    if (value.d_tag == DT_STRTAB) refused_with(spoiled<std::uint64_t>(good, number, 1ull << 40), "names");
    if (value.d_tag == DT_SYMTAB) refused_with(spoiled<std::uint64_t>(good, number, 1ull << 40), "symbols");
    if (value.d_tag == DT_GNU_HASH) refused_with(spoiled<std::uint64_t>(good, number, 1ull << 40), "symbols");
    if (value.d_tag == DT_NEEDED) refused_with(spoiled<std::uint64_t>(good, number, 1ull << 40), "needs");
  }
}

TEST_CASE("elf_file: no damage makes it read beyond the bytes") {
  const std::string good = bytes_of(fixture("plain"));
  std::mt19937_64 random(7);
  int refused = 0;
  for (int i = 0; i < 2'000; ++i) {
    std::string bytes = good;
    // Mostly in the headers and tables at the beginning, where the offsets stand.
    const std::size_t area = i % 2 == 0 ? std::min<std::size_t>(bytes.size(), 2'048) : bytes.size();
    for (int change = 0; change < 4; ++change) bytes[random() % area] = static_cast<char>(random());
    if (i % 5 == 0) bytes.resize(random() % bytes.size());
    if (!read_elf(bytes)) ++refused;
  }
  CHECK(refused > 100);
}
