// report_vm_rightsizing: what running virtual machines have been given, beside what they use.
#include <vmcp/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using vmcp::json;

// vim25 property paths. vCenter leaves out what it does not know.
const char kPower[] = "runtime.powerState";
const char kCpus[] = "summary.config.numCpu";
const char kMemory[] = "summary.config.memorySizeMB";              // MiB
const char kCpuMost[] = "runtime.maxCpuUsage";                     // MHz that its vCPUs and its limit allow
const char kCpuUsed[] = "summary.quickStats.overallCpuUsage";      // MHz
const char kMemoryUsed[] = "summary.quickStats.guestMemoryUsage";  // MiB that the guest touched lately

constexpr std::int64_t kFewestCpus = 1, kLeastMemory = 1024;  // nothing smaller is advised
constexpr std::size_t kPage = 1000, kMostVms = 20'000;        // bounds memory and time, whoever asks

enum class Advice { grow, shrink, keep };  // in the order of the report
const char* const kAdvice[] = {"grow", "shrink", "keep"};

// Percent of what is configured.
struct Band {
  std::int64_t shrink_below, grow_above;
};

// CPU or memory of one virtual machine.
struct Resource {
  const char* name;
  std::int64_t configured, fewest;
  double used_percent;
  Band band;

  bool low() const { return used_percent < static_cast<double>(band.shrink_below); }
  bool high() const { return used_percent > static_cast<double>(band.grow_above); }
  Advice advice() const {
    return high() ? Advice::grow : low() && configured > fewest ? Advice::shrink : Advice::keep;
  }
  // Nothing between the thresholds.
  std::string why() const {
    if (!high() && !low()) return {};
    std::string out = name + std::string(": ") + json(used_percent).dump() + " % used, ";
    out += high() ? "above " + std::to_string(band.grow_above) : "below " + std::to_string(band.shrink_below);
    return out + (low() && advice() == Advice::keep ? " %, but it has the least already" : " %");
  }
};

struct Row {
  Advice advice = Advice::keep;
  double urgency = 0;  // greater first
  std::string name, id;
  json value;

  bool operator<(const Row& other) const {
    return std::tie(advice, other.urgency, name, id) < std::tie(other.advice, urgency, other.name, other.id);
  }
};

struct Report {
  std::vector<Row> rows;
  std::size_t powered_off = 0, suspended = 0, not_measured = 0;
};

std::optional<double> number(const json& properties, const char* path) {
  const auto found = properties.find(path);
  if (found == properties.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

// One decimal, so that what is shown is what was compared.
double percent(double used, double of) {
  return std::round(used / of * 1000) / 10;
}

Row row_of(const json& object, const Resource& cpu, const Resource& memory) {
  Row row;
  row.id = object.value("id", "");
  row.name = object.value("name", "");
  // One that lacks something comes first: it is slow now, while the other only costs.
  row.advice = std::min(cpu.advice(), memory.advice());
  if (row.advice == Advice::grow) row.urgency = std::max(cpu.used_percent, memory.used_percent);
  if (row.advice == Advice::shrink) row.urgency = -std::min(cpu.used_percent, memory.used_percent);
  std::string why = cpu.why();
  if (const std::string more = memory.why(); !more.empty()) why += (why.empty() ? "" : "; ") + more;
  if (why.empty()) why = "CPU and memory are between their thresholds";
  row.value = {{"vm", row.id},
               {"name", row.name},
               {"cpu", {{"configured", cpu.configured}, {"used_percent", cpu.used_percent}}},
               {"memory", {{"configured_MiB", memory.configured}, {"used_percent", memory.used_percent}}},
               {"advice", kAdvice[static_cast<int>(row.advice)]},
               {"why", why + "."}};
  return row;
}

void add(Report& to, const json& object, Band cpu_band, Band memory_band) {
  const json properties = object.value("properties", json::object());
  const std::string power = properties.value(kPower, "");
  if (power == "poweredOff" || power == "suspended") {
    ++(power == "suspended" ? to.suspended : to.powered_off);
    return;
  }
  const auto cpus = number(properties, kCpus), most = number(properties, kCpuMost);
  const auto memory = number(properties, kMemory);
  const auto cpu_used = number(properties, kCpuUsed), memory_used = number(properties, kMemoryUsed);
  // Not readable for this caller, or not measured yet: no figure is better than a zero that reads as "idle".
  const bool measured = cpus && memory && most && cpu_used && memory_used && *most > 0 && *memory > 0;
  if (!measured) {
    ++to.not_measured;
    return;
  }
  const auto whole = [](double value) { return static_cast<std::int64_t>(value); };
  to.rows.push_back(
      row_of(object, {"CPU", whole(*cpus), kFewestCpus, percent(*cpu_used, *most), cpu_band},
             {"memory", whole(*memory), kLeastMemory, percent(*memory_used, *memory), memory_band}));
}

json answer_of(Report report, std::size_t limit) {
  std::sort(report.rows.begin(), report.rows.end());
  json advice{{"grow", 0}, {"shrink", 0}, {"keep", 0}};
  for (const Row& row : report.rows) {
    json& counted = advice[kAdvice[static_cast<int>(row.advice)]];
    counted = counted.get<std::size_t>() + 1;
  }
  const std::size_t shown = std::min(limit, report.rows.size());
  json vms = json::array();
  for (std::size_t i = 0; i < shown; ++i) vms.push_back(std::move(report.rows[i].value));
  return {{"measured", report.rows.size()},
          {"skipped",
           {{"powered_off", report.powered_off},
            {"suspended", report.suspended},
            {"not_measured", report.not_measured}}},
          {"advice", std::move(advice)},
          {"returned", shown},
          {"truncated", shown < report.rows.size()},
          {"vms", std::move(vms)}};
}

vmcp::status run(vmcp::call& c, const vmcp::args& a) {
  const Band cpu{a.integer("cpu_shrink_below", 20), a.integer("cpu_grow_above", 80)};
  const Band memory{a.integer("memory_shrink_below", 20), a.integer("memory_grow_above", 80)};
  json query{{"kind", "vm"},
             {"properties", {kPower, kCpus, kMemory, kCpuMost, kCpuUsed, kMemoryUsed}},
             {"where", json::object()},
             {"limit", kPage}};
  for (const char* filter : {"names", "clusters"}) {
    if (a.has(filter)) query["where"][filter] = a.value()[filter];
  }
  Report report;
  for (std::size_t read = 0; read < kMostVms;) {
    const vmcp::reply found = c.inventory().list(query);
    if (!found) return c.fail(found);
    const json page = vmcp::parse(found);
    for (const json& object : page.value("objects", json::array())) add(report, object, cpu, memory);
    if (!page.contains("next"))
      return c.json(answer_of(std::move(report), static_cast<std::size_t>(a.integer("limit", 50))));
    if (c.cancelled()) return c.fail(vmcp::status::cancelled, "Cancelled while the inventory was read.");
    read += kPage;
    c.progress(static_cast<double>(read), page.value("total", 0.0), "virtual machines read");
    query["cursor"] = page["next"];
  }
  return c.fail(vmcp::status::limit, "More than " + std::to_string(kMostVms) +
                                         " virtual machines: narrow the report by names or clusters.");
}

json whole_number(const char* description, int least, int most, int fallback) {
  return {{"type", "integer"},
          {"minimum", least},
          {"maximum", most},
          {"default", fallback},
          {"description", description}};
}

json names(int longest, const char* description) {
  return {{"type", "array"},
          {"items", {{"type", "string"}, {"minLength", 1}, {"maxLength", longest}}},
          {"minItems", 1},
          {"maxItems", 100},
          {"description", description}};
}

// "Shrink" ends where "grow" begins, so no pair of thresholds contradicts itself.
std::string input_schema() {
  json clusters = names(1024, "Only VMs in these clusters (ids, names or paths).");
  clusters["items"]["x-vmcp-kind"] = "cluster";
  clusters["items"]["x-vmcp-use"] = "filter";
  return json{
      {"type", "object"},
      {"properties",
       {{"names", names(256, "Only these names; * and ? are wildcards.")},
        {"clusters", std::move(clusters)},
        {"cpu_shrink_below", whole_number("Percent of its CPU under which a VM has too much.", 0, 50, 20)},
        {"cpu_grow_above", whole_number("Percent of its CPU over which a VM has too little.", 50, 100, 80)},
        {"memory_shrink_below",
         whole_number("Percent of its memory under which a VM has too much.", 0, 50, 20)},
        {"memory_grow_above",
         whole_number("Percent of its memory over which a VM has too little.", 50, 100, 80)},
        {"limit", whole_number("At most so many VMs in the answer; the counts are of all.", 1, 500, 50)}}},
      {"additionalProperties", false}}
      .dump();
}

std::string output_schema() {
  const json integer{{"type", "integer"}}, text{{"type", "string"}}, figure{{"type", "number"}};
  const auto object = [](json properties) {
    json required = json::array();
    for (const auto& [name, schema] : properties.items()) required.push_back(name);
    return json{{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}};
  };
  const json vm = object({{"vm", text},
                          {"name", text},
                          {"cpu", object({{"configured", integer}, {"used_percent", figure}})},
                          {"memory", object({{"configured_MiB", integer}, {"used_percent", figure}})},
                          {"advice", {{"type", "string"}, {"enum", {"grow", "shrink", "keep"}}}},
                          {"why", text}});
  return object({{"measured", integer},
                 {"skipped",
                  object({{"powered_off", integer}, {"suspended", integer}, {"not_measured", integer}})},
                 {"advice", object({{"grow", integer}, {"shrink", integer}, {"keep", integer}})},
                 {"returned", integer},
                 {"truncated", {{"type", "boolean"}}},
                 {"vms", {{"type", "array"}, {"items", vm}}}})
      .dump();
}

struct Rightsizing : vmcp::plugin {
  Rightsizing() {
    uses({VMCP_IFACE_INVENTORY});
    tool("report_vm_rightsizing")
        .title("Report virtual machines of the wrong size")
        .describe(
            "Compares the CPU and memory of running virtual machines with what they use at this moment "
            "(memory: "
            "what the guest touched lately) and advises for each to shrink, grow or keep it; those to grow "
            "come "
            "first. Repeat it at busy times before a size is changed. Narrow it by names or clusters.")
        .reads()
        .idempotent()
        .privileges("System.View,System.Read")
        .cost(2)
        .input(input_schema())
        .output(output_schema())
        .run(run);
  }
};

}  // namespace

VMCP_PLUGIN(Rightsizing, "org.example.rightsizing", "1.0.0")
