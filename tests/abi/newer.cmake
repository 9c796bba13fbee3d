# Plugins of a later release: refused, with the reason and the fix, by `plugin list`, by the server and by `plugin call`,
# and nobody else is stopped.
set(newer ${CMAKE_CURRENT_BINARY_DIR}/newer)
foreach(which minor interface)
  string(TOUPPER ${which} WHICH)
  vmcp_add_plugin(abi_newer_${which} SOURCES newer/newer.c OUTPUT_DIRECTORY ${newer})
  target_compile_definitions(abi_newer_${which} PRIVATE NEWER_${WHICH} NEWER_ID="org.vmcp.newer.${which}")
endforeach()
add_test(NAME abi_newer
         COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:vsphere-mcp-pro> -DNEWER=${newer}
                 -DGOLDEN=$<TARGET_FILE:abi_golden_c> -DHEADER=${headers}/vmcp/abi.h
                 -DWORK=${CMAKE_CURRENT_BINARY_DIR}/newer_site -P ${CMAKE_CURRENT_SOURCE_DIR}/newer_refused.cmake)
