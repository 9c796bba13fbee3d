// The SDK's JSON, with nlohmann/json's class template compiled once (json.cpp) instead of in every file.
#pragma once

#include <vmcp/json.hpp>

extern template class nlohmann::basic_json<nlohmann::ordered_map>;
