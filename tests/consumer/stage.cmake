# Installs the SDK of BUILD into WORK, an empty prefix.
include(${CMAKE_CURRENT_LIST_DIR}/step.cmake)
step("vmcp-sdk-config" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK} --component sdk)
