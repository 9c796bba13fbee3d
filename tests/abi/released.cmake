# Today's headers against those of every release, and against layout.c.
add_executable(vmcp_abi_facts facts/abi_facts.cpp facts/dwarf.cpp facts/prefix.cpp)
target_link_libraries(vmcp_abi_facts PRIVATE vmcp_build_flags)
find_program(VMCP_READELF readelf REQUIRED)
file(GLOB releases CONFIGURE_DEPENDS LIST_DIRECTORIES true RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/released
     ${CMAKE_CURRENT_SOURCE_DIR}/released/[0-9]*)
if(NOT releases)
  message(FATAL_ERROR "tests/abi/released is empty: nothing would be compared")
endif()

# vmcp_abi_check(NAME SCRIPT VARIABLE=value…): a script of this folder, with a folder of its own to work in.
function(vmcp_abi_check name script)
  set(definitions)
  foreach(definition IN LISTS ARGN)
    list(APPEND definitions -D${definition})
  endforeach()
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -DREADELF=${VMCP_READELF} -DFACTS=$<TARGET_FILE:vmcp_abi_facts>
                                -DWORK=${CMAKE_CURRENT_BINARY_DIR}/${name} ${definitions} -P
                                ${CMAKE_CURRENT_SOURCE_DIR}/${script}.cmake)
endfunction()

vmcp_abi_check(abi_layout_complete layout COMPILER=${CMAKE_C_COMPILER} TODAY=${headers}
               LAYOUT=${CMAKE_CURRENT_SOURCE_DIR}/layout.c)
if(VMCP_CLANG) # as another compiler lays them out
  vmcp_abi_check(abi_layout_complete_clang layout COMPILER=${VMCP_CLANG} TODAY=${headers}
                 LAYOUT=${CMAKE_CURRENT_SOURCE_DIR}/layout.c)
endif()
vmcp_abi_check(abi_versioning versioning COMPILER=${CMAKE_C_COMPILER} TODAY=${headers} "RELEASES=${releases}"
               VERSIONING=${PROJECT_SOURCE_DIR}/sdk/VERSIONING.md)

foreach(release IN LISTS releases)
  set(released ${CMAKE_CURRENT_SOURCE_DIR}/released/${release})
  vmcp_abi_check(abi_frozen_${release} check_frozen RELEASED=${released})
  string(REGEX MATCH "-draft$" draft ${release})
  vmcp_abi_check(abi_prefix_${release} prefix COMPILER=${CMAKE_C_COMPILER} RELEASED=${released} TODAY=${headers}
                 DRAFT=${draft})
  if(VMCP_ABIDIFF)
    vmcp_abi_check(abi_abidiff_${release} abidiff COMPILER=${CMAKE_C_COMPILER} ABIDIFF=${VMCP_ABIDIFF}
                   RELEASED=${released} TODAY=${headers})
  endif()
endforeach()
if(NOT VMCP_ABIDIFF)
  vmcp_abi_skipped(abi_abidiff "there is no abidiff on the PATH; install abigail-tools")
  message(STATUS "The ABI is not compared by abidiff: there is none on the PATH")
endif()

# The checks against themselves, on the oldest release.
list(GET releases 0 oldest)
file(STRINGS mutations.cmake mutations REGEX "^mutation\\(")
foreach(mutation IN LISTS mutations)
  string(REGEX REPLACE "^mutation\\(([a-z_]+) .*" "\\1" mutation "${mutation}")
  set(abidiff)
  if(VMCP_ABIDIFF)
    set(abidiff ABIDIFF=${VMCP_ABIDIFF})
  endif()
  vmcp_abi_check(abi_mutation_${mutation} mutation COMPILER=${CMAKE_C_COMPILER} MUTATION=${mutation} ${abidiff}
                 RELEASED=${CMAKE_CURRENT_SOURCE_DIR}/released/${oldest})
endforeach()
