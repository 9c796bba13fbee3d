# What somebody might do to a published header. mutation(NAME FILE FROM TO WORDS FINDS [RAISED]): in FILE the text FROM
# becomes TO; the prefix check says WORDS (nothing against it when empty); FINDS: whether abidiff finds more than an
# addition; RAISED: VMCP_ABI_MINOR goes up with it. abidiff takes new names and constness for harmless, and
# knows no macros.
mutation(member_inserted tools.h "  uint32_t (*count)" "  uint32_t (*more)(const vmcp_plugin* plugin);\n  uint32_t (*count)"
         "vmcp_tools_1.count has become more" YES)
mutation(members_reordered abi.h "  const char* ptr;\n  size_t len;" "  size_t len;\n  const char* ptr;"
         "vmcp_str.ptr has become len" YES)
mutation(member_removed vim.h "  vmcp_status (*get)(vmcp_call* call, vmcp_str type, vmcp_str moref, vmcp_str property, vmcp_sink out);"
         "" "vmcp_vim_1.get is gone" YES)
mutation(member_renamed log.h "(*write)(" "(*print)(" "vmcp_log_1.write has become print" NO)
mutation(member_widened tools.h "  uint32_t cost;" "  uint64_t cost;" "vmcp_tool.cost was 'unsigned32' and is 'unsigned64'" YES)
mutation(parameter_added tools.h "(*count)(const vmcp_plugin* plugin)" "(*count)(const vmcp_plugin* plugin, int32_t kind)"
         "vmcp_tools_1.count was 'unsigned32(vmcp_plugin const*)*' and is 'unsigned32(vmcp_plugin const*, signed32)*'" YES)
mutation(result_changed tools.h "uint32_t (*count)" "int32_t (*count)" "vmcp_tools_1.count was 'unsigned32(" YES)
mutation(constness_changed log.h "(const vmcp_host* host, int32_t" "(vmcp_host* host, int32_t" "vmcp_log_1.write was" NO)
mutation(entry_changed abi.h "vmcp_entry_v1(void);" "vmcp_entry_v1(int32_t how);" "entry_v1 was 'vmcp_entry const*()*'" YES)
mutation(typedef_changed abi.h "typedef int32_t vmcp_status" "typedef int64_t vmcp_status" "vmcp_status was 'signed32'" YES)
mutation(structure_removed vim.h "vmcp_vim_1" "vmcp_vim_2" "vmcp_vim_1 is gone" YES)
mutation(spans_grow abi.h "  size_t len;\n" "  size_t len;\n  size_t capacity;\n" "vmcp_str has no `size`" YES)
mutation(value_changed tools.h "VMCP_EFFECT_DESTROY = 2" "VMCP_EFFECT_DESTROY = 3" "VMCP_EFFECT_DESTROY was 2 and is 3" YES)
mutation(value_removed abi.h "  VMCP_E_LIMIT = -9, " "" "VMCP_E_LIMIT is gone" YES)
mutation(status_added abi.h "VMCP_E_FAULT = -10 " "VMCP_E_BUSY = -11, VMCP_E_FAULT = -10 " "VMCP_E_BUSY is new, and flows from host to plugin" NO
         RAISED)
mutation(value_reused tools.h "VMCP_TOOL_IDEMPOTENT = 1u << 0," "VMCP_TOOL_QUIET = 1, VMCP_TOOL_IDEMPOTENT = 1u << 0,"
         "VMCP_TOOL_QUIET has the value of VMCP_TOOL_IDEMPOTENT" NO RAISED)
mutation(id_changed call.h "\"vmcp.call/1\"" "\"vmcp.call/9\"" "VMCP_IFACE_CALL was" NO)
mutation(limit_changed call.h "VMCP_STATE_MAX_BYTES 4096u" "VMCP_STATE_MAX_BYTES 2048u" "VMCP_STATE_MAX_BYTES was '4096u'" NO)
mutation(major_changed abi.h "VMCP_ABI_MAJOR 1" "VMCP_ABI_MAJOR 7" "VMCP_ABI_MAJOR was" NO)
mutation(minor_forgotten tools.h "} vmcp_tools_1;" "  uint32_t (*more)(const vmcp_plugin* plugin);\n} vmcp_tools_1;"
         "VMCP_ABI_MINOR is still" NO)

# These are what a later release may do.
mutation(allowed_member tools.h "} vmcp_tools_1;" "  uint32_t (*more)(const vmcp_plugin* plugin);\n} vmcp_tools_1;" "" NO RAISED)
mutation(allowed_value log.h "VMCP_LOG_ERROR = 3" "VMCP_LOG_ERROR = 3, VMCP_LOG_FATAL = 4" "" NO RAISED)
mutation(allowed_table vim.h "typedef struct vmcp_vim_1 {"
         "#define VMCP_IFACE_VIM_2 \"vmcp.vim/2\"\ntypedef struct vmcp_vim_2 {\n  uint32_t size, zero;\n} vmcp_vim_2;\ntypedef struct vmcp_vim_1 {"
         "" NO RAISED)
