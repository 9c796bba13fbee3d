# Fails unless every structure, value, macro and signature of RELEASED/vmcp/*.h is in TODAY/vmcp/*.h as it was, with
# nothing but additions at the tail. DRAFT: the release promises nothing about VMCP_ABI_MINOR.
include(${CMAKE_CURRENT_LIST_DIR}/describe.cmake)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
describe(${RELEASED} ${WORK}/released)
describe(${TODAY} ${WORK}/today)
set(draft)
if(DRAFT)
  set(draft --draft)
endif()
facts(code said prefix ${WORK}/released ${WORK}/today ${draft})
if(NOT code EQUAL 0)
  message(FATAL_ERROR "Plugins that were built from ${RELEASED} would break. What was published may only grow, at its "
                      "tail; sdk/VERSIONING.md says how to make a change that is none.\n${said}")
endif()
message(STATUS "${said}")
