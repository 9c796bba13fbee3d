# Plugins of a later release, as far as this host can tell.
foreach(which minor interface)
  string(TOUPPER ${which} WHICH)
  vmcp_add_plugin(abi_newer_${which} SOURCES newer/newer.c OUTPUT_DIRECTORY ${present})
  target_compile_definitions(abi_newer_${which} PRIVATE NEWER_${WHICH} NEWER_ID="org.vmcp.newer.${which}")
  vmcp_check_exports(abi_newer_${which})
endforeach()
add_test(NAME abi_newer COMMAND test_abi_replay "--test-case=newer plugins:*")
set_tests_properties(abi_newer PROPERTIES ENVIRONMENT VMCP_NEWER=${present} FAIL_REGULAR_EXPRESSION "test cases: +0 ")
