// The smaller parsers that face outsiders. The first line of an input names the parser, the rest is its text.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "auth/authenticator.h"
#include "base/mask.h"
#include "config/load.h"
#include "fuzz/target.h"
#include "http/origin_guard.h"
#include "mcp/header_check.h"
#include "mcp/session_stream.h"
#include "pipeline/sealed_rounds.h"
#include "plugin_host/manifest.h"
#include "stdio/line_reader.h"
#include "tools/schema.h"
#include "unit/mcp/fakes.h"

using namespace vmcp;
using namespace vmcp::fuzz;

namespace {

// `text` up to the first line end, which is taken off it too.
std::string_view first_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// What is understood is understood the same way when we write it.
void json(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed.ok()) return require(!parsed.error().text.empty(), "a refusal without a reason");
  const auto again = parse_json(dump_json(*parsed));
  require(again.ok() && *again == *parsed, "not the same after writing it");
  std::string masked;
  append_masked_json(masked, *parsed, 512);
  require(parse_trusted_json(masked).ok(), "masking broke it: ", masked);
}

void mask(std::string_view text) {
  const std::string secret = "Zq7Kx9Wm2Pv4";
  if (text.find(secret) != std::string_view::npos) return;  // where it need not be one
  const std::string masked = mask_text(std::string(text) + "\npassword=" + secret + "\n", 1u << 20);
  require(masked.find(secret) == std::string::npos, "a password came through: ", masked);
}

// Nothing opens but what was closed: the text as it is, and a closed state with one of its bytes exchanged.
void state(std::string_view text) {
  static const SystemClock clock;
  static pipeline::SealedRounds rounds(Secret(std::string(32, 'k')), clock);
  require(!rounds.open(text, "binding", false).ok(), "a state that nobody closed was opened");
  const std::string whole = rounds.close({1, "state", {"key"}}, "binding");
  require(rounds.open(whole, "binding", false).ok(), "a whole state was refused");
  require(!rounds.open(whole, text, false).ok() || text == "binding", "opened for another call");
  std::string altered = whole;
  if (text.size() < 2) return;
  altered[static_cast<unsigned char>(text[0]) % altered.size()] = text[1];
  require(altered == whole || !rounds.open(altered, "binding", false).ok(), "an altered state was opened");
}

void event_id(std::string_view text) {
  std::uint64_t number = 0, sequence = 0;
  if (!mcp::SessionStream::read_event_id(text, number, sequence)) return;
  std::uint64_t n = 0, s = 0;
  require(mcp::SessionStream::read_event_id(std::to_string(number) + "-" + std::to_string(sequence), n, s) &&
              n == number && s == sequence,
          "an event id is not read as it is written");
}

// Line 1: the value of Mcp-Param-Region, line 2: of Accept, line 3: of Content-Type; then the arguments.
void headers(std::string_view text) {
  mcp::fakes::FakeInbound inbound;
  const std::string_view region = first_line(text);
  inbound.headers = {{"Mcp-Param-Region", std::string(region)}};
  const std::string_view accept = first_line(text), type = first_line(text);
  mcp::accepts_json(accept);
  mcp::accepts_event_stream(accept);
  mcp::is_json_content(type);
  const auto arguments = parse_json(text);
  if (!arguments.ok() || !arguments->is_object()) return;
  using tools::HeaderParam;
  for (const auto param_type :
       {HeaderParam::Type::string, HeaderParam::Type::integer, HeaderParam::Type::boolean}) {
    const std::string why =
        mcp::check_param_headers(inbound, {{{"region"}, "mcp-param-region", param_type}}, *arguments);
    const auto given = arguments->find("region");
    if (!why.empty() || given == arguments->end() || !given->is_string()) continue;
    const bool encoded = region.starts_with("=?base64?");
    require(encoded || *given == std::string(region), "a header that differs was accepted");
  }
}

void manifest(std::string_view text) {
  const auto read = plugin_host::parse_manifest(text);
  require(read.ok() || !read.error().text.empty(), "a refusal without a reason");
}

// Line 1: the schema; then a value.
void schema(std::string_view text) {
  const std::string_view first = first_line(text);
  const auto compiled = tools::Schema::compile(first, "fuzz");
  const auto value = parse_json(text);
  if (compiled.ok() && value.ok()) (void)(*compiled)->check(*value);
}

// A file in memory with that text.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view text) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    const bool written = fd_ >= 0 && ::fchmod(fd_, 0600) == 0 &&
                         ::write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    require(written, "no memory file");
    ::lseek(fd_, 0, SEEK_SET);
  }
  ~MemoryFile() { ::close(fd_); }
  int fd() const { return fd_; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  const int fd_;
};

void configuration(std::string_view text, std::string config::Options::*where) {
  const MemoryFile file(text);
  config::Options options;
  options.default_config_file.clear();
  options.default_env_file.clear();
  options.*where = file.path();
  const config::LoadResult result = config::load(options);
  require(result.ok() != !result.problems.empty(), "neither a configuration nor a problem");
  for (const config::Problem& problem : result.problems)
    require(!problem.what.empty(), "a problem without words");
}
void toml(std::string_view text) {
  configuration(text, &config::Options::config_file);
}
void env(std::string_view text) {
  configuration(text, &config::Options::env_file);
}

void lines(std::string_view text) {
  constexpr std::size_t kLimit = 200;
  const MemoryFile file(text);
  stdio::LineReader reader(file.fd(), -1, kLimit);
  std::string line, why;
  while (text.find('\n') != std::string_view::npos && why.empty()) {
    std::string_view expected = first_line(text);
    if (expected.ends_with('\r')) expected.remove_suffix(1);
    const auto got = reader.next(line);
    if (got == stdio::LineReader::Got::end)
      why = "a line is missing";
    else if (got == stdio::LineReader::Got::too_long && expected.size() <= kLimit)
      why = "a line that fits was called too long";
    else if (got == stdio::LineReader::Got::line && line != expected)
      why = "another line: " + line;
  }
  if (why.empty() && reader.next(line) != stdio::LineReader::Got::end) why = "a line that nobody ended";
  require(why.empty(), why);
}

// Line 1: Authorization, line 2: Origin, line 3: Host.
void guards(std::string_view text) {
  static const auto authenticator =
      auth::Authenticator::make({{Secret("token-of-reader-0001"), "", "reader", "read"}}, true, "");
  static const http::OriginGuard guard({"https://app.example"}, {}, true);
  const std::string_view authorization = first_line(text), origin = first_line(text), host = first_line(text);
  const auto who = authenticator->authenticate(authorization, 1);
  require(!who.ok() || authorization.find("token-of-reader-0001") != std::string_view::npos,
          "a wrong token was accepted");
  if (!guard.check(origin, host).ok()) return;
  require(origin.find("evil") == std::string_view::npos && host.find("evil") == std::string_view::npos,
          "a foreign origin or host was let in");
}

struct Parser {
  std::string_view name;
  void (*run)(std::string_view);
};
constexpr std::array<Parser, 11> kParsers = {{{"json", json},
                                              {"mask", mask},
                                              {"state", state},
                                              {"event", event_id},
                                              {"headers", headers},
                                              {"manifest", manifest},
                                              {"schema", schema},
                                              {"toml", toml},
                                              {"env", env},
                                              {"lines", lines},
                                              {"guards", guards}}};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view name = first_line(input);
  for (const Parser& parser : kParsers)
    if (parser.name == name) parser.run(input);
  return 0;
}
