# vmcp_add_plugin(NAME SOURCES a.cpp … [LIBS target …] [OUTPUT_DIRECTORY dir] [ABI_MINOR n] [NO_MANIFEST])
#
# Makes the plugin NAME.so (a module target NAME) and, beside it, its manifest NAME.vmcp.json, which the host
# reads before it loads anything. Works in this project and, through find_package(vmcp-sdk), in any other.
# ABI_MINOR names an older host than this SDK's that the plugin can live with, too (VERSIONING.md).
# LIBS are linked privately; prefer static or header-only ones: a plugin should be one file.
include_guard(GLOBAL)

function(_vmcp_sanitized out)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" config)
  set(flags "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${config}} ${CMAKE_MODULE_LINKER_FLAGS}")
  if(VMCP_SANITIZE OR flags MATCHES "-fsanitize=")
    set(${out} TRUE PARENT_SCOPE)
  else()
    set(${out} FALSE PARENT_SCOPE)
  endif()
endfunction()

# A module with one export, in which everything is resolved when it is loaded.
function(_vmcp_plugin_library target sources libs)
  add_library(${target} MODULE ${sources})
  target_link_libraries(${target} PRIVATE vmcp::sdk ${libs})
  set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  set_target_properties(
    ${target}
    PROPERTIES PREFIX ""
               SUFFIX ".so"
               POSITION_INDEPENDENT_CODE ON
               C_VISIBILITY_PRESET hidden
               CXX_VISIBILITY_PRESET hidden
               VISIBILITY_INLINES_HIDDEN ON
               LINK_DEPENDS "${map}")
  target_link_options(${target} PRIVATE LINKER:--version-script=${map} LINKER:-z,now LINKER:-z,noexecstack)
endfunction()

# Writes the manifest of the plugin `name`, as `library` declares it, after each link.
function(_vmcp_write_manifest name library file)
  get_target_property(imported vmcp::manifest IMPORTED)
  if(NOT imported) # a newer tool may write a newer manifest: link, and so write, again
    set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS $<TARGET_FILE:vmcp::manifest>)
    add_dependencies(${name} vmcp::manifest)
  endif()
  add_custom_command(
    TARGET ${name}
    POST_BUILD
    COMMAND vmcp::manifest $<TARGET_FILE:${library}> --output ${file}
    COMMENT "Writing ${name}.vmcp.json"
    VERBATIM)
  set_property(TARGET ${name} APPEND PROPERTY ADDITIONAL_CLEAN_FILES ${file})
endfunction()

function(vmcp_add_plugin name)
  cmake_parse_arguments(ARG "NO_MANIFEST" "OUTPUT_DIRECTORY;ABI_MINOR" "SOURCES;LIBS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "vmcp_add_plugin(${name}): does not know ${ARG_UNPARSED_ARGUMENTS}. "
                        "Known: SOURCES, LIBS, OUTPUT_DIRECTORY, ABI_MINOR, NO_MANIFEST.")
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

  _vmcp_plugin_library(${name} "${ARG_SOURCES}" "${ARG_LIBS}")
  set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${ARG_OUTPUT_DIRECTORY}")
  if(TARGET vmcp_build_flags) # this project's own warnings and sanitizers
    target_link_libraries(${name} PRIVATE vmcp_build_flags)
  endif()
  if(DEFINED ARG_ABI_MINOR)
    target_compile_definitions(${name} PRIVATE VMCP_NEEDS_ABI_MINOR=${ARG_ABI_MINOR})
  endif()
  _vmcp_sanitized(sanitized)
  # clang links no sanitizer runtime into shared objects: there the host provides it.
  if(NOT (sanitized AND CMAKE_CXX_COMPILER_ID MATCHES "Clang"))
    target_link_options(${name} PRIVATE LINKER:-z,defs)
  endif()
  if(ARG_NO_MANIFEST)
    return()
  endif()

  set(library ${name})
  get_target_property(imported vmcp::manifest IMPORTED)
  if(sanitized AND imported)
    # The installed tool has no sanitizer and cannot load a library that has one: it asks a twin without.
    set(library ${name}_unsanitized)
    _vmcp_plugin_library(${library} "${ARG_SOURCES}" "${ARG_LIBS}")
    set_target_properties(${library} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/unsanitized")
    foreach(property COMPILE_DEFINITIONS COMPILE_OPTIONS INCLUDE_DIRECTORIES LINK_LIBRARIES)
      set_property(TARGET ${library} APPEND PROPERTY ${property} $<TARGET_PROPERTY:${name},${property}>)
    endforeach()
    target_compile_options(${library} PRIVATE -fno-sanitize=all)
    target_link_options(${library} PRIVATE -fno-sanitize=all)
    add_dependencies(${name} ${library})
  endif()
  _vmcp_write_manifest(${name} ${library} ${ARG_OUTPUT_DIRECTORY}/${name}.vmcp.json)
endfunction()
