# Fails unless LAYOUT has a line for every member, structure and enumeration value of TODAY/vmcp/*.h, as COMPILER lays
# them out.
include(${CMAKE_CURRENT_LIST_DIR}/describe.cmake)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
describe(${TODAY} ${WORK}/today)
run_into(${WORK}/layout ${COMPILER} -E -P -DVMCP_LAYOUT_LIST ${LAYOUT})
facts(code said layout ${WORK}/today ${WORK}/layout)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "${said}")
endif()
message(STATUS "${said}")
