// What a value must look like beyond its type, one function per shape. Pure but for the file checks.
#pragma once

#include <string_view>

#include "config/table.h"

namespace vmcp::config {

Fault check_host_port(const Value& value);
Fault check_host_ports(const Value& value);
Fault check_origins(const Value& value);
Fault check_base_url(const Value& value);
Fault check_issuers(const Value& value);
Fault check_listen_host(const Value& value);
Fault check_loopback(const Value& value);
Fault check_path(const Value& value);
Fault check_name(const Value& value);
Fault check_role_name(const Value& value);
Fault check_pem_file(const Value& value);
Fault check_key_file(const Value& value);
Fault check_file_path(const Value& value);
Fault check_filled_in(const Value& value);
Fault check_revoked(const Value& value);

bool is_role_name(std::string_view text);
// 127.0.0.0/8, ::1 or localhost: only this machine can reach it.
bool is_loopback(std::string_view host);
// A pattern of tool names: letters, digits, _ - . / and the wildcards * and ?.
bool is_tool_pattern(std::string_view text);
// A SHA-256: 64 hex digits in any case.
bool is_sha256(std::string_view text);
std::string lower_case(std::string text);
std::vector<std::string> lower_case(std::vector<std::string> texts);
// Reverse-DNS: "org.example.tools".
bool is_plugin_id(std::string_view text);

}  // namespace vmcp::config
