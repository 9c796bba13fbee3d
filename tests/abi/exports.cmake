# vmcp_check_exports(PLUGIN): a test that the plugin exports exactly the one symbol that it should.
include_guard(GLOBAL)
set(VMCP_CHECK_EXPORTS ${CMAKE_CURRENT_LIST_DIR}/check_exports.cmake CACHE INTERNAL "")
find_program(VMCP_READELF readelf REQUIRED)

function(vmcp_check_exports plugin)
  add_test(NAME abi_exports_${plugin} COMMAND ${CMAKE_COMMAND} -DREADELF=${VMCP_READELF} -DPLUGIN=$<TARGET_FILE:${plugin}>
                                              -P ${VMCP_CHECK_EXPORTS})
  set_tests_properties(abi_exports_${plugin} PROPERTIES LABELS abi)
endfunction()
