#include "plugin_check/elf_file.h"

#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/crypto.h"

namespace vmcp::plugin_check {
namespace {

constexpr std::size_t kMaxSegments = 128, kMaxDynamic = 4'096, kMaxSymbols = 1'000'000, kMaxExports = 1'000,
                      kMaxName = 1'024, kMaxBuildId = 64;

Error damaged(std::string what) {
  return make_error(Code::invalid_argument, std::move(what) + "; build the library again");
}

// The file as the dynamic loader sees it: by file offset, and by the address that a segment gives to it.
class Image {
 public:
  explicit Image(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  bool read(std::uint64_t offset, T& out) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return false;
    std::memcpy(&out, bytes_.data() + offset, sizeof(T));
    return true;
  }

  std::optional<std::string_view> range(std::uint64_t offset, std::uint64_t size) const {
    if (offset > bytes_.size() || bytes_.size() - offset < size) return std::nullopt;
    return bytes_.substr(offset, size);
  }

  // The bytes from a loaded address to the end of what the file gives to its segment.
  std::optional<std::string_view> at_address(std::uint64_t address) const {
    for (const Elf64_Phdr& segment : segments) {
      if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
      const std::uint64_t inside = address - segment.p_vaddr;
      if (inside >= segment.p_filesz) continue;
      return range(segment.p_offset + inside, segment.p_filesz - inside);
    }
    return std::nullopt;
  }

  std::vector<Elf64_Phdr> segments;

 private:
  std::string_view bytes_;
};

template <class T>
bool read_at(std::string_view table, std::uint64_t index, T& out) {
  if (index >= table.size() / sizeof(T)) return false;
  std::memcpy(&out, table.data() + index * sizeof(T), sizeof(T));
  return true;
}

Result<void> read_segments(Image& image) {
  Elf64_Ehdr header{};
  if (!image.read(0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return make_error(Code::invalid_argument, "it is no ELF file; a plugin is a shared library (NAME.so)");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
    return make_error(Code::invalid_argument, "it is no 64-bit little-endian ELF file");
  if (header.e_type != ET_DYN)
    return make_error(Code::invalid_argument,
                      "it is an ELF file, but no shared library; link it with -shared");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > kMaxSegments)
    return damaged("its program headers are damaged");
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    // e_phoff may be any number: the sum must not wrap around into the file again.
    if (header.e_phoff > UINT64_MAX / 2 || !image.read(header.e_phoff + i * sizeof segment, segment))
      return damaged("it ends before its program headers do");
    if (!image.range(segment.p_offset, segment.p_filesz))
      return damaged("it ends before its segment " + std::to_string(i) + " does");
    image.segments.push_back(segment);
  }
  return {};
}

struct Dynamic {
  std::uint64_t strings = 0, strings_size = 0, symbols = 0, hash = 0, gnu_hash = 0;
  std::vector<std::uint64_t> needed;
  std::optional<std::uint64_t> run_path;
};

void take_entry(const Elf64_Dyn& entry, Dynamic& out, ElfFacts& facts) {
  const std::uint64_t value = entry.d_un.d_val;
  switch (entry.d_tag) {
    case DT_STRTAB:
      out.strings = value;
      break;
    case DT_STRSZ:
      out.strings_size = value;
      break;
    case DT_SYMTAB:
      out.symbols = value;
      break;
    case DT_HASH:
      out.hash = value;
      break;
    case DT_GNU_HASH:
      out.gnu_hash = value;
      break;
    case DT_NEEDED:
      out.needed.push_back(value);
      break;
    case DT_RPATH:
    case DT_RUNPATH:
      out.run_path = value;
      break;
    case DT_BIND_NOW:
      facts.binds_now = true;
      break;
    case DT_TEXTREL:
      facts.text_relocations = true;
      break;
    case DT_FLAGS:
      facts.binds_now = facts.binds_now || (value & DF_BIND_NOW) != 0;
      facts.text_relocations = facts.text_relocations || (value & DF_TEXTREL) != 0;
      break;
    case DT_FLAGS_1:
      facts.binds_now = facts.binds_now || (value & DF_1_NOW) != 0;
      break;
    default:
      break;
  }
}

Result<Dynamic> read_dynamic(const Image& image, ElfFacts& facts) {
  const auto segment = std::find_if(image.segments.begin(), image.segments.end(),
                                    [](const Elf64_Phdr& s) { return s.p_type == PT_DYNAMIC; });
  if (segment == image.segments.end())
    return make_error(Code::invalid_argument, "it has no dynamic section; link it with -shared");
  const auto table = image.range(segment->p_offset, segment->p_filesz);
  Dynamic out;
  for (std::uint64_t i = 0; table && i < kMaxDynamic; ++i) {
    Elf64_Dyn entry{};
    if (!read_at(*table, i, entry)) break;
    if (entry.d_tag == DT_NULL) return out;
    take_entry(entry, out, facts);
  }
  return damaged("its dynamic section has no end");
}

// Text of the string table; nothing when it does not lie in it, has no end, or is longer than a name may be.
std::optional<std::string> text_at(std::string_view strings, std::uint64_t offset) {
  if (offset >= strings.size()) return std::nullopt;
  const std::string_view from = strings.substr(offset, kMaxName + 1);
  const auto end = from.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  return std::string(from.substr(0, end));
}

// How many symbols the table has: the format says it nowhere but in its hash tables.
std::optional<std::uint64_t> symbols_by_gnu_hash(std::string_view table) {
  std::uint32_t buckets = 0, first_hashed = 0, bloom_words = 0;
  if (!read_at(table, 0, buckets) || !read_at(table, 1, first_hashed) || !read_at(table, 2, bloom_words))
    return std::nullopt;
  if (buckets > kMaxSymbols || bloom_words > kMaxSymbols) return std::nullopt;
  const std::uint64_t buckets_at = 4 + std::uint64_t{2} * bloom_words;
  std::uint32_t last = 0;
  for (std::uint64_t i = 0; i < buckets; ++i) {
    std::uint32_t bucket = 0;
    if (!read_at(table, buckets_at + i, bucket)) return std::nullopt;
    last = std::max(last, bucket);
  }
  if (last < first_hashed) return first_hashed;
  // From the last bucket on, the chain's end is the value with the lowest bit set.
  for (std::uint64_t symbol = last; symbol < kMaxSymbols; ++symbol) {
    std::uint32_t value = 0;
    if (!read_at(table, buckets_at + buckets + (symbol - first_hashed), value)) return std::nullopt;
    if ((value & 1u) != 0) return symbol + 1;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> count_symbols(const Image& image, const Dynamic& dynamic) {
  if (dynamic.gnu_hash != 0) {
    const auto table = image.at_address(dynamic.gnu_hash);
    return table ? symbols_by_gnu_hash(*table) : std::nullopt;
  }
  const auto table = image.at_address(dynamic.hash);
  std::uint32_t chains = 0;
  if (dynamic.hash == 0 || !table || !read_at(*table, 1, chains) || chains > kMaxSymbols) return std::nullopt;
  return chains;
}

Result<void> read_exports(const Image& image, const Dynamic& dynamic, std::string_view strings,
                          ElfFacts& facts) {
  const auto table = image.at_address(dynamic.symbols);
  const auto count = count_symbols(image, dynamic);
  if (!table || !count) return damaged("its table of symbols is damaged");
  for (std::uint64_t i = 1; i < *count; ++i) {
    Elf64_Sym symbol{};
    if (!read_at(*table, i, symbol)) return damaged("it ends before its table of symbols does");
    const auto bind = ELF64_ST_BIND(symbol.st_info);
    const auto visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    const bool reachable = bind == STB_GLOBAL || bind == STB_WEAK || bind == STB_GNU_UNIQUE;
    if (!reachable || symbol.st_shndx == SHN_UNDEF || visibility == STV_HIDDEN || visibility == STV_INTERNAL)
      continue;
    const auto name = text_at(strings, symbol.st_name);
    if (!name) return damaged("the name of its symbol " + std::to_string(i) + " is damaged");
    if (facts.exports.size() >= kMaxExports) break;  // far too many already: the rest says nothing new
    facts.exports.push_back(*name);
    if (bind == STB_GNU_UNIQUE) facts.unique.push_back(*name);
  }
  return {};
}

// Notes: {name size, data size, type}, name, data, each padded to four bytes.
std::string build_id_in(std::string_view notes) {
  while (notes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr head{};
    std::memcpy(&head, notes.data(), sizeof head);
    const std::uint64_t name = (std::uint64_t{head.n_namesz} + 3) & ~std::uint64_t{3};
    const std::uint64_t data = (std::uint64_t{head.n_descsz} + 3) & ~std::uint64_t{3};
    if (notes.size() - sizeof head < name + data) return {};
    const std::string_view owner = notes.substr(sizeof head, head.n_namesz);
    const std::string_view value = notes.substr(sizeof head + name, head.n_descsz);
    if (head.n_type == NT_GNU_BUILD_ID && owner == std::string_view("GNU\0", 4) && !value.empty() &&
        value.size() <= kMaxBuildId)
      return to_hex(reinterpret_cast<const unsigned char*>(value.data()), value.size());
    notes.remove_prefix(sizeof head + name + data);
  }
  return {};
}

}  // namespace

Result<ElfFacts> read_elf(std::string_view bytes) {
  Image image(bytes);
  if (auto r = read_segments(image); !r) return r.error();
  ElfFacts facts;
  for (const Elf64_Phdr& segment : image.segments) {
    if (segment.p_type == PT_GNU_STACK) facts.executable_stack = (segment.p_flags & PF_X) != 0;
    if (segment.p_type == PT_NOTE && facts.build_id.empty())
      facts.build_id = build_id_in(*image.range(segment.p_offset, segment.p_filesz));
  }
  const auto dynamic = read_dynamic(image, facts);
  if (!dynamic) return dynamic.error();
  const auto loaded = image.at_address(dynamic->strings);
  if (!loaded || dynamic->strings_size > loaded->size()) return damaged("its table of names is damaged");
  const std::string_view strings = loaded->substr(0, dynamic->strings_size);
  for (const std::uint64_t offset : dynamic->needed) {
    const auto name = text_at(strings, offset);
    if (!name) return damaged("the name of a library that it needs is damaged");
    facts.needed.push_back(*name);
  }
  if (dynamic->run_path) {
    const auto path = text_at(strings, *dynamic->run_path);
    if (!path) return damaged("its run path is damaged");
    facts.run_path = *path;
  }
  if (auto r = read_exports(image, *dynamic, strings, facts); !r) return r.error();
  return facts;
}

}  // namespace vmcp::plugin_check
