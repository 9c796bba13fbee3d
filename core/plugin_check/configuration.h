// What start() gets in a check: what the author gave, or what is made up from the plugin's own schema.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "plugin_check/finding.h"
#include "plugin_check/subject.h"
#include "plugin_host/manifest.h"

namespace vmcp::plugin_check {

// Nothing when there is none that the schema accepts; then `finding` says which setting is wrong or missing.
std::optional<Configuration> choose_configuration(const plugin_host::Manifest& manifest,
                                                  const std::optional<Json>& given, std::uint64_t seed,
                                                  Finding& finding);

}  // namespace vmcp::plugin_check
