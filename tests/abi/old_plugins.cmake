# Plugins of every release, in today's host: built from the release's frozen sources by every compiler that is here, and
# as they were built then. `present` are the ones that the next release freezes.
include(${CMAKE_CURRENT_SOURCE_DIR}/exports.cmake)
find_program(VMCP_RUSTC rustc)
set(rust NO)
if(VMCP_RUSTC) # it may be a front that has no compiler behind it
  execute_process(COMMAND ${VMCP_RUSTC} --version RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
  if(code EQUAL 0)
    set(rust YES)
  endif()
endif()

add_executable(test_abi_replay replay_test.cpp newer_test.cpp $<TARGET_OBJECTS:vmcp_test_main>)
target_link_libraries(test_abi_replay PRIVATE doctest::doctest vmcp_build_flags vmcp_test_support)
target_include_directories(test_abi_replay PRIVATE ${PROJECT_SOURCE_DIR}/tests)

# vmcp_built(LIBRARY SOURCES FIRST command… [THEN command…]): LIBRARY is made of SOURCES by the commands.
function(vmcp_built library sources)
  cmake_parse_arguments(ARG "" "" "FIRST;THEN" ${ARGN})
  set(then)
  if(ARG_THEN)
    set(then COMMAND ${ARG_THEN})
  endif()
  add_custom_command(OUTPUT ${library} COMMAND ${ARG_FIRST} ${then} DEPENDS ${sources} VERBATIM)
  set_property(GLOBAL APPEND PROPERTY VMCP_OLD_PLUGINS ${library})
endfunction()

# vmcp_replay(NAME LIBRARY MANIFEST CALLS): the calls of a golden file, and the symbol gate.
function(vmcp_replay name library manifest calls)
  add_test(NAME abi_replay_${name} COMMAND test_abi_replay "--test-case=old plugins:*")
  set_tests_properties(
    abi_replay_${name}
    PROPERTIES ENVIRONMENT "VMCP_REPLAY_LIBRARY=${library};VMCP_REPLAY_MANIFEST=${manifest};VMCP_REPLAY_CALLS=${calls}"
               FAIL_REGULAR_EXPRESSION "test cases: +0 ")
  vmcp_check_exports_of(${name} ${library})
endfunction()

# The plugins of one release from its frozen sources; the compilers are today's.
function(vmcp_release release folder)
  file(GLOB published CONFIGURE_DEPENDS ${folder}/vmcp/*)
  set(golden ${folder}/golden)
  set(map ${folder}/plugin.map)
  set(built ${CMAKE_CURRENT_BINARY_DIR}/old)
  file(MAKE_DIRECTORY ${built})
  set(link -shared -Wl,-z,defs,-z,now,-z,noexecstack -Wl,--version-script=${map})
  set(compile -fPIC -fvisibility=hidden -I${folder})
  foreach(compiler VMCP_GCC VMCP_CLANG VMCP_GXX VMCP_CLANGXX)
    string(REPLACE "VMCP_" "" variant ${compiler})
    string(TOLOWER ${variant} variant)
    if(NOT ${compiler})
      vmcp_abi_skipped(abi_replay_${release}_${variant} "${compiler} is not on the PATH")
      continue()
    endif()
    set(source ${golden}/golden.c)
    set(options -std=c11 -O2)
    if(compiler MATCHES "XX$")
      set(source ${golden}/golden.cpp)
      set(options -std=c++17 -O0)
    endif()
    set(library ${built}/${release}_${variant}.so)
    vmcp_built(${library} "${source};${published};${map}"
               FIRST ${CMAKE_C_COMPILER_LAUNCHER} ${${compiler}} ${options} ${compile} -c -o ${library}.o ${source}
               THEN ${${compiler}} ${link} -o ${library} ${library}.o)
    vmcp_replay(${release}_${variant} ${library} ${golden}/golden.vmcp.json ${golden}/golden.json)
  endforeach()
  if(NOT rust)
    vmcp_abi_skipped(abi_replay_${release}_rust "there is no rustc on the PATH that works")
    return()
  endif()
  set(library ${built}/${release}_rust.so)
  vmcp_built(${library} "${golden}/hosts.rs;${map}"
             FIRST ${VMCP_RUSTC} --edition 2021 --crate-type staticlib --crate-name hosts -C panic=unwind -o
                   ${library}.a ${golden}/hosts.rs
             THEN ${CMAKE_C_COMPILER} ${link} -Wl,-u,vmcp_entry_v1 -o ${library} ${library}.a -lgcc_s -lutil -lrt
                  -lpthread -lm -ldl)
  vmcp_replay(${release}_rust ${library} ${golden}/hosts.vmcp.json ${golden}/hosts.json)
endfunction()

foreach(release IN LISTS releases)
  set(released ${CMAKE_CURRENT_SOURCE_DIR}/released/${release})
  vmcp_release(${release} ${released})
  foreach(compiler gcc clang)
    if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
      vmcp_replay(${release}_archived_${compiler} ${released}/x86_64/golden_${compiler}.so
                  ${released}/golden/golden.vmcp.json ${released}/golden/golden.json)
    else()
      vmcp_abi_skipped(abi_replay_${release}_archived_${compiler}
                       "the archived plugins are for x86_64, this is ${CMAKE_SYSTEM_PROCESSOR}")
    endif()
  endforeach()
endforeach()
get_property(old_plugins GLOBAL PROPERTY VMCP_OLD_PLUGINS)
add_custom_target(abi_old_plugins ALL DEPENDS ${old_plugins})

set(golden ${CMAKE_CURRENT_SOURCE_DIR}/golden)
set(present ${CMAKE_CURRENT_BINARY_DIR}/present)
foreach(language c cpp)
  vmcp_add_plugin(abi_golden_${language} SOURCES golden/golden.${language} OUTPUT_DIRECTORY ${present})
  vmcp_replay(present_${language} $<TARGET_FILE:abi_golden_${language}>
              ${present}/abi_golden_${language}.vmcp.json ${golden}/golden.json)
endforeach()
