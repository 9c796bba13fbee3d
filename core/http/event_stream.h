// Server-sent events (text/event-stream): how messages of MCP look on an open stream.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"
#include "mcp/endpoint.h"

namespace vmcp::http {

// Appends one event. An `id` that would break the line is left out.
void append_event(std::string& out, std::string_view data, std::string_view id);
// Appends what comes first: an event with `id` and no data, which gives the client something to resume from,
// and the time after which it is to come again. Either may be missing.
void append_prime(std::string& out, std::string_view id, milliseconds retry);

// Answers `exchange` with `head` and a stream of events. Null when that comes too late.
mcp::MessageStreamPtr open_event_stream(HttpExchange& exchange, Response head, const mcp::StreamHead& says);

}  // namespace vmcp::http
