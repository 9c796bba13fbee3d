#include "plugin_check/inspect.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/crypto.h"
#include "plugin_check/printable.h"
#include "plugin_host/library.h"

namespace vmcp::plugin_check {
namespace {

using Ordered = nlohmann::ordered_json;
using plugin_host::Declaration;

constexpr std::uint64_t kMaxLibraryBytes = 256u << 20;

const char* effect_name(std::uint32_t effect) {
  return effect == VMCP_EFFECT_READ ? "read" : effect == VMCP_EFFECT_CHANGE ? "change" : "destroy";
}

std::vector<std::string> flags_of(const Declaration& tool) {
  static constexpr std::pair<std::uint32_t, const char*> kNames[] = {
      {VMCP_TOOL_IDEMPOTENT, "idempotent"},          {VMCP_TOOL_OPEN_WORLD, "open_world"},
      {VMCP_TOOL_NO_UPSTREAM, "no_upstream"},        {VMCP_TOOL_NEEDS_CONFIRM, "needs_confirm"},
      {VMCP_TOOL_TASK_OPTIONAL, "task_optional"},    {VMCP_TOOL_TASK_REQUIRED, "task_required"},
      {VMCP_TOOL_TASK_ASKS_FIRST, "task_asks_first"}};
  std::vector<std::string> out;
  for (const auto& [bit, name] : kNames)
    if ((tool.flags & bit) != 0) out.emplace_back(name);
  return out;
}

std::string joined(const std::vector<std::string>& parts, const char* none) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + printable(part);
  return out.empty() ? none : out;
}

std::string line(const char* what, const std::string& text) {
  std::string out = what;
  out.resize(12, ' ');
  return out + text + "\n";
}

std::string abi_of(const plugin_host::Manifest& manifest) {
  return std::to_string(manifest.abi_major) + "." + std::to_string(manifest.abi_minor);
}

std::string dumped(const Ordered& value) {
  return value.dump(2, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

std::string tools_text(const plugin_host::Manifest& manifest) {
  std::string out;
  for (const Declaration& tool : manifest.tools) {
    std::string name = printable(tool.name);
    if (name.size() < 28) name.resize(28, ' ');
    out += "  " + name + ' ' + effect_name(tool.effect);
    for (const std::string& flag : flags_of(tool)) out += ", " + flag;
    if (!tool.privileges.empty()) out += "; needs " + printable(tool.privileges);
    out += '\n';
  }
  return out;
}

// null: what the effect of its tools allows.
Ordered operations_json(const plugin_host::Manifest& manifest) {
  return manifest.operations ? Ordered(*manifest.operations) : Ordered();
}

Ordered tools_json(const plugin_host::Manifest& manifest) {
  Ordered out = Ordered::array();
  for (const Declaration& tool : manifest.tools)
    out.push_back({{"name", tool.name},
                   {"effect", effect_name(tool.effect)},
                   {"flags", flags_of(tool)},
                   {"privileges", tool.privileges}});
  return out;
}

}  // namespace

Result<std::string> read_library(const std::string& path) {
  const auto refuse = [](std::string why) { return make_error(Code::invalid_argument, std::move(why)); };
  // A pipe or a device in its place must not hold this program up.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return refuse(std::string("it cannot be opened: ") + std::strerror(errno));
  struct stat info {};
  Result<std::string> out = std::string();
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    out = refuse("it is no regular file");
  } else if (static_cast<std::uint64_t>(info.st_size) > kMaxLibraryBytes) {
    out = refuse("it is larger than 256 MiB");
  } else {
    std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
    std::size_t have = 0;
    while (have < bytes.size()) {
      const ssize_t got = ::read(fd, bytes.data() + have, bytes.size() - have);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      have += static_cast<std::size_t>(got);
    }
    if (have == bytes.size())
      out = std::move(bytes);
    else
      out = refuse("it cannot be read to its end; is it being written?");
  }
  ::close(fd);
  return out;
}

Result<Inspection> inspect(const std::string& file) {
  auto bytes = read_library(file);
  if (!bytes) return make_error(bytes.error().code, file + ": " + bytes.error().text);
  auto elf = read_elf(*bytes);
  if (!elf) return make_error(elf.error().code, file + ": " + elf.error().text);
  auto manifest = plugin_host::read_manifest(plugin_host::manifest_path(file), plugin_host::Place::workshop);
  if (!manifest) return make_error(manifest.error().code, file + ": " + manifest.error().text);
  Inspection out;
  out.file = file;
  out.sha256 = to_hex(sha256(*bytes));
  out.bytes = bytes->size();
  out.elf = std::move(*elf);
  out.manifest = std::move(*manifest);
  return out;
}

std::string inspection_text(const Inspection& inspection) {
  const plugin_host::Manifest& manifest = inspection.manifest;
  const ElfFacts& elf = inspection.elf;
  std::string out = line("plugin", printable(manifest.id) + " " + printable(manifest.version));
  out += line("ABI", abi_of(manifest));
  out += line("file", printable(inspection.file) + ", " + std::to_string(inspection.bytes) + " bytes");
  out += line("sha256", inspection.sha256);
  out += line("build id", elf.build_id.empty() ? "none" : elf.build_id);
  out += line("exports", joined(elf.exports, "nothing"));
  out += line("needs", joined(elf.needed, "no library"));
  if (!elf.run_path.empty()) out += line("run path", printable(elf.run_path));
  out += line("interfaces", joined(manifest.interfaces, "none"));
  if (manifest.operations) out += line("operations", joined(*manifest.operations, "none"));
  std::string offers = std::to_string(manifest.offers.resources.size()) + " resources, " +
                       std::to_string(manifest.offers.templates.size()) + " templates, " +
                       std::to_string(manifest.offers.prompts.size()) + " prompts";
  if (manifest.offers.completion) offers += ", completion";
  if (manifest.previews) offers += ", previews";
  out += line("offers", offers);
  out += line("tools", std::to_string(manifest.tools.size()));
  return out + tools_text(manifest);
}

std::string inspection_json(const Inspection& inspection) {
  const plugin_host::Manifest& manifest = inspection.manifest;
  const ElfFacts& elf = inspection.elf;
  const plugin_host::Offers& offers = manifest.offers;
  return dumped({{"id", manifest.id},
                 {"version", manifest.version},
                 {"abi", {{"major", manifest.abi_major}, {"minor", manifest.abi_minor}}},
                 {"file", inspection.file},
                 {"bytes", inspection.bytes},
                 {"sha256", inspection.sha256},
                 {"build_id", elf.build_id},
                 {"exports", elf.exports},
                 {"needed", elf.needed},
                 {"run_path", elf.run_path},
                 {"binds_now", elf.binds_now},
                 {"executable_stack", elf.executable_stack},
                 {"text_relocations", elf.text_relocations},
                 {"interfaces", manifest.interfaces},
                 {"operations", operations_json(manifest)},
                 {"previews", manifest.previews},
                 {"completion", offers.completion},
                 {"schemes", offers.schemes},
                 {"resources", offers.resources.size()},
                 {"resource_templates", offers.templates.size()},
                 {"prompts", offers.prompts.size()},
                 {"tools", tools_json(manifest)}});
}

// The file's hash and who vouches for it. A reason that is there already stays.
static void judge_file(Listed& listed, const plugin_host::TrustJudge& judge) {
  plugin_host::Planned& planned = listed.planned;
  if (!planned.manifest) {
    if (const auto bytes = read_library(planned.file)) listed.sha256 = to_hex(sha256(*bytes));
    return;
  }
  const auto vetted = plugin_host::vet_plugin(planned, judge);
  if (vetted) listed.sha256 = vetted->library.sha256();
  if (vetted && vetted->trust)
    listed.trust = *vetted->trust;
  else if (planned.reason.empty())
    planned.reason = vetted ? vetted->trust.error().text : vetted.error().text;
}

std::vector<Listed> list_plugins(const plugin_host::LoadSettings& settings) {
  std::vector<Listed> out;
  const plugin_host::TrustJudge judge(settings.trust);
  for (plugin_host::Planned& planned : plugin_host::plan_plugins(settings)) {
    Listed listed;
    listed.planned = std::move(planned);
    if (!listed.planned.file.empty()) judge_file(listed, judge);
    out.push_back(std::move(listed));
  }
  return out;
}

std::string listing_text(const std::vector<Listed>& plugins) {
  std::string out;
  for (const Listed& listed : plugins) {
    const plugin_host::Planned& planned = listed.planned;
    out += planned.reason.empty() ? "load  " : "skip  ";
    out += printable(planned.name);
    if (planned.manifest) {
      const std::size_t tools = planned.manifest->tools.size();
      out += "  " + printable(planned.manifest->id) + " " + printable(planned.manifest->version) + ", " +
             std::to_string(tools) + (tools == 1 ? " tool" : " tools");
    }
    if (listed.trust.by != plugin_host::Trust::By::nobody) out += ", " + printable(listed.trust.text());
    out += '\n';
    if (!listed.sha256.empty()) out += "      sha256 " + listed.sha256 + "\n";
    if (!planned.reason.empty()) out += "      " + printable(planned.reason) + "\n";
  }
  return out;
}

std::string listing_json(const std::vector<Listed>& plugins) {
  Ordered out = Ordered::array();
  for (const Listed& listed : plugins) {
    const plugin_host::Planned& planned = listed.planned;
    Ordered entry = {{"name", planned.name},     {"file", planned.file},    {"loads", planned.reason.empty()},
                     {"reason", planned.reason}, {"sha256", listed.sha256}, {"trust", listed.trust.text()}};
    if (planned.manifest) {
      entry["id"] = planned.manifest->id;
      entry["version"] = planned.manifest->version;
      entry["tools"] = planned.manifest->tools.size();
    }
    out.push_back(std::move(entry));
  }
  return dumped(out);
}

}  // namespace vmcp::plugin_check
