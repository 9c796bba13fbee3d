# What the linker made of a plugin, as a test labelled abi: vmcp_check_exports(PLUGIN) of a target,
# vmcp_check_exports_of(NAME FILE) of a file.
include_guard(GLOBAL)
set(VMCP_CHECK_EXPORTS ${CMAKE_CURRENT_LIST_DIR}/check_exports.cmake CACHE INTERNAL "")
find_program(VMCP_READELF readelf REQUIRED)

function(vmcp_check_exports_of name file)
  add_test(NAME abi_exports_${name} COMMAND ${CMAKE_COMMAND} -DREADELF=${VMCP_READELF} -DPLUGIN=${file} -P
                                            ${VMCP_CHECK_EXPORTS})
  set_tests_properties(abi_exports_${name} PROPERTIES LABELS abi)
endfunction()

function(vmcp_check_exports plugin)
  vmcp_check_exports_of(${plugin} $<TARGET_FILE:${plugin}>)
endfunction()
