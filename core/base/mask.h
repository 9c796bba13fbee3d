// Masking of secrets before text reaches a log, the audit or a client.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace vmcp {

// True for keys whose value is always masked: password, token, secret, authorization, api_key, cookie,
// session id, private key … (case-insensitive, '-' and '_' alike, also as a part: "vc_password").
bool is_secret_key(std::string_view key);

// Replaces what looks like a credential inside free text: "Bearer …", "Basic …", key=value and key: value
// of a secret key, user:password@ in URLs, PEM blocks, JWT-shaped strings. Linear in the length; values
// longer than `max_bytes` are cut and marked.
std::string mask_text(std::string_view text, std::size_t max_bytes = 8192);

// Appends `value` as JSON with secret keys' values replaced by "[secret]" and every string passed through
// mask_text. Depth beyond 16 becomes "[deep]", output beyond max_bytes is cut as a valid JSON value.
void append_masked_json(std::string& out, const Json& value, std::size_t max_bytes = 8192);

}  // namespace vmcp
