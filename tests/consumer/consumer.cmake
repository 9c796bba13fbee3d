# Lets PROGRAM make a project in LANG, builds and tests it with GENERATOR against the SDK in PREFIX, and checks the
# plugin. Fails with the output of the first step that fails.
include(${CMAKE_CURRENT_LIST_DIR}/step.cmake)
step("Next: cd " ${PROGRAM} plugin new hello --lang ${LANG} --dir ${WORK}/hello)
step("" ${CMAKE_COMMAND} -S hello -B hello/build -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${PREFIX})
step("hello.so" ${CMAKE_COMMAND} --build hello/build)
step("100% tests passed, 0 tests failed out of 1" ${CMAKE_CTEST_COMMAND} --test-dir hello/build --output-on-failure)
step("ok: no findings in [1-9][0-9]* calls of 1 tool of org.example.hello 0.1.0" ${PROGRAM} plugin check
     hello/build/hello.so)
step("exports     vmcp_entry_v1\n" ${PROGRAM} plugin inspect hello/build/hello.so)
step("" ${CMAKE_COMMAND} --install hello/build --prefix ${WORK}/site)
foreach(file hello.so hello.vmcp.json)
  if(NOT EXISTS ${WORK}/site/lib/vsphere-mcp-pro/plugins/${file})
    message(FATAL_ERROR "${file} was not installed")
  endif()
endforeach()
