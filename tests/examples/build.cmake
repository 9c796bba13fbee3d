# Takes the example in SOURCE to WORK, builds it with GENERATOR against the SDK in PREFIX, runs its own TESTS, and lets
# PROGRAM check and inspect its PLUGIN. Fails with the output of the first step that fails.
include(${CMAKE_CURRENT_LIST_DIR}/../consumer/step.cmake)
file(COPY ${SOURCE}/ DESTINATION ${WORK}/project) # away from the other examples, as when somebody begins with it
step("" ${CMAKE_COMMAND} -S project -B build -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${PREFIX})
step("${PLUGIN}.so" ${CMAKE_COMMAND} --build build)
if(TESTS)
  step("100% tests passed, 0 tests failed out of ${TESTS}\n" ${CMAKE_CTEST_COMMAND} --test-dir build
       --output-on-failure)
endif()
step("ok: no findings in [1-9][0-9]* calls of 1 tool of org.example.${PLUGIN} 1.0.0" ${PROGRAM} plugin check
     build/${PLUGIN}.so)
step("exports     vmcp_entry_v1\n" ${PROGRAM} plugin inspect build/${PLUGIN}.so)
