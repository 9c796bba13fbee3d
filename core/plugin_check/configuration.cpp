#include "plugin_check/configuration.h"

#include "plugin_check/arguments.h"
#include "tools/schema.h"

namespace vmcp::plugin_check {
namespace {

constexpr int kConfigAttempts = 50;
constexpr const char* kWhere = "configuration";

}  // namespace

std::optional<Configuration> choose_configuration(const plugin_host::Manifest& manifest,
                                                  const std::optional<Json>& given, std::uint64_t seed,
                                                  Finding& finding) {
  const bool schema_given = manifest.config_schema.is_object();
  if (!schema_given && given && !given->empty()) {
    finding = {"config-refused", kWhere, "it takes no configuration, as it publishes no schema of one", {}};
    return std::nullopt;
  }
  if (!schema_given) return Configuration{};
  const auto schema = tools::Schema::compile(dump_json(manifest.config_schema), "its configuration schema");
  // A schema that is none gets a finding of its own, beside the other declarations.
  if (!schema) return Configuration{given ? dump_json(*given) : "{}", !given};
  if (given) {
    if (const auto fits = (*schema)->check(*given); !fits) {
      finding = {"config-refused", kWhere, "its schema refuses what --config says: " + fits.error().text, {}};
      return std::nullopt;
    }
    return Configuration{dump_json(*given), false};
  }
  const auto empty = (*schema)->check(Json::object());
  if (empty) return Configuration{};
  Random random(seed, kWhere);
  for (int attempt = 0; attempt < kConfigAttempts; ++attempt) {
    const Json value = generate(manifest.config_schema, manifest.config_schema, random);
    if ((*schema)->check(value)) return Configuration{dump_json(value), true};
  }
  finding = {"config-needed", kWhere, "it does not start without a configuration: " + empty.error().text, {}};
  return std::nullopt;
}

}  // namespace vmcp::plugin_check
