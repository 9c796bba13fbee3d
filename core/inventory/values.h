// VI/JSON values as inventory answers give them.
#pragma once

#include <string>

#include "base/json.h"

namespace vmcp::inventory {

// Takes the boxes off: {"_typeName":"string","_value":"x"} becomes "x", ArrayOfX its array, a reference
// {"type","value"}; data objects keep their _typeName. Works on the whole depth, in place.
void unbox(Json& value);

// The "value" of a reference, boxed or not; empty if it is none.
std::string reference_value(const Json& value);
// The text of a (boxed) string, empty if it is none.
std::string text_value(const Json& value);

// "poweredOn" → "POWERED_ON", as answers and rules say it; a word that is none stays as it is.
std::string power_word(const std::string& state);

// Why a property could not be read, from a MissingProperty: "NoPermission System.Read".
std::string missing_reason(const Json& missing);

}  // namespace vmcp::inventory
