// One round of a call as messages: what a plugin is given, and what it produced. The child checks what the
// plugin produces as the server does (the code is the same), so that the plugin learns at once what is wrong;
// the server checks all of it again.
#pragma once

#include "plugin_host/carrier.h"
#include "plugin_host/child/channel.h"

namespace vmcp::plugin_host::child {

// Server: what the round is about. The deadline goes as the time that is left.
void write_round(Writer out, const Round& round, const Invocation& invocation);
// Child: false for anything that is not whole. `round` borrows from the message.
bool read_round(Reader in, Round& round, Invocation& invocation);

// Child.
void write_result(Writer out, vmcp_status status, const Invocation& invocation);
// Server: puts what the plugin produced into `invocation` by the functions of vmcp.call, under its limits.
// False for anything that is not whole or that the plugin could not have produced by those functions.
bool take_result(Reader in, Invocation& invocation, vmcp_status& status);

}  // namespace vmcp::plugin_host::child
