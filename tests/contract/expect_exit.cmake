# Runs PROGRAM on RECORD and fails unless it exits with EXPECTED.
execute_process(COMMAND ${PROGRAM} ${RECORD} RESULT_VARIABLE code)
if(NOT code EQUAL EXPECTED)
  message(FATAL_ERROR "expected exit ${EXPECTED}, got ${code}")
endif()
