# vmcp_add_plugin(NAME SOURCES a.cpp … [LIBS target …] [OUTPUT_DIRECTORY dir] [NO_MANIFEST])
#
# Makes the plugin NAME.so (a module target NAME) and, beside it, its manifest NAME.vmcp.json, which the host
# reads before it loads anything. Works in this project and, through find_package(vmcp-sdk), in any other.
# LIBS are linked privately; prefer static or header-only ones: a plugin should be one file.
include_guard(GLOBAL)

# clang links no sanitizer runtime into shared objects, so there `-z defs` would refuse what the host provides.
function(_vmcp_undefined_symbols_allowed out)
  set(${out} FALSE PARENT_SCOPE)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" config)
  set(flags "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${config}} ${CMAKE_MODULE_LINKER_FLAGS}")
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND (VMCP_SANITIZE OR flags MATCHES "-fsanitize="))
    set(${out} TRUE PARENT_SCOPE)
  endif()
endfunction()

function(vmcp_add_plugin name)
  cmake_parse_arguments(ARG "NO_MANIFEST" "OUTPUT_DIRECTORY" "SOURCES;LIBS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "vmcp_add_plugin(${name}): does not know ${ARG_UNPARSED_ARGUMENTS}. "
                        "Known: SOURCES, LIBS, OUTPUT_DIRECTORY, NO_MANIFEST.")
  endif()
  if(NOT ARG_SOURCES)
    message(FATAL_ERROR "vmcp_add_plugin(${name}): name its files: SOURCES plugin.cpp …")
  endif()
  if(NOT ARG_OUTPUT_DIRECTORY)
    set(ARG_OUTPUT_DIRECTORY "${VMCP_PLUGIN_OUTPUT_DIRECTORY}")
  endif()
  if(NOT ARG_OUTPUT_DIRECTORY)
    set(ARG_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
  endif()

  set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  add_library(${name} MODULE ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE vmcp::sdk ${ARG_LIBS})
  if(TARGET vmcp_build_flags) # this project's own warnings and sanitizers
    target_link_libraries(${name} PRIVATE vmcp_build_flags)
  endif()
  set_target_properties(
    ${name}
    PROPERTIES PREFIX ""
               SUFFIX ".so"
               LIBRARY_OUTPUT_DIRECTORY "${ARG_OUTPUT_DIRECTORY}"
               POSITION_INDEPENDENT_CODE ON
               C_VISIBILITY_PRESET hidden
               CXX_VISIBILITY_PRESET hidden
               VISIBILITY_INLINES_HIDDEN ON
               LINK_DEPENDS "${map}")
  target_link_options(${name} PRIVATE LINKER:--version-script=${map} LINKER:-z,now
                      LINKER:-z,noexecstack)
  _vmcp_undefined_symbols_allowed(allowed)
  if(NOT allowed)
    target_link_options(${name} PRIVATE LINKER:-z,defs)
  endif()

  if(NOT ARG_NO_MANIFEST)
    # A newer tool may write a newer manifest: link (and so write) again. An imported tool does not change.
    get_target_property(imported vmcp::manifest IMPORTED)
    if(NOT imported)
      set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS $<TARGET_FILE:vmcp::manifest>)
      add_dependencies(${name} vmcp::manifest)
    endif()
    add_custom_command(
      TARGET ${name}
      POST_BUILD
      COMMAND vmcp::manifest $<TARGET_FILE:${name}> --output ${ARG_OUTPUT_DIRECTORY}/${name}.vmcp.json
      COMMENT "Writing ${name}.vmcp.json"
      VERBATIM)
    set_property(TARGET ${name} APPEND PROPERTY ADDITIONAL_CLEAN_FILES ${ARG_OUTPUT_DIRECTORY}/${name}.vmcp.json)
  endif()
endfunction()
