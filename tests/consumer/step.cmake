# Starts with an empty folder WORK. step(EXPECTED COMMAND…) runs a command in it, and fails with the command's output
# if it fails or says nothing that matches EXPECTED.
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
function(step expected)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${WORK} RESULT_VARIABLE code OUTPUT_VARIABLE said
                  ERROR_VARIABLE said)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${ARGN}\nended with ${code}:\n${said}")
  endif()
  if(NOT said MATCHES "${expected}")
    message(FATAL_ERROR "${ARGN}\nshould have said '${expected}':\n${said}")
  endif()
endfunction()
