# describe(HEADERS OUT): writes OUT.dwarf and OUT.macros, what COMPILER makes of the folder HEADERS with its vmcp/*.h,
# for vmcp_abi_facts. Needs COMPILER, READELF and WORK, a folder that it may write into.
cmake_minimum_required(VERSION 3.25)
function(run_into file)
  execute_process(COMMAND ${ARGN} OUTPUT_FILE ${file} RESULT_VARIABLE code ERROR_VARIABLE said)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${ARGN}\nended with ${code}:\n${said}")
  endif()
endfunction()

function(describe headers out)
  set(compile ${COMPILER} -std=gnu11 -I${headers} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/describe.c)
  # Also what no object uses; one version of DWARF, whatever the compiler prefers.
  run_into(${out}.log ${compile} -g -gdwarf-4 -fno-eliminate-unused-debug-types -c -o ${out}.o)
  run_into(${out}.dwarf ${READELF} --debug-dump=info --wide ${out}.o)
  run_into(${out}.macros ${compile} -dM -E)
endfunction()

# facts(CODE SAID arguments…): runs vmcp_abi_facts.
function(facts code said)
  execute_process(COMMAND ${FACTS} ${ARGN} RESULT_VARIABLE ended OUTPUT_VARIABLE out ERROR_VARIABLE out)
  set(${code} "${ended}" PARENT_SCOPE)
  set(${said} "${out}" PARENT_SCOPE)
endfunction()
