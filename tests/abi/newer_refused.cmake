# Lets PROGRAM meet the plugins in NEWER, and compares its words.
file(STRINGS ${HEADER} lines REGEX "^#define VMCP_ABI_M(AJOR|INOR) [0-9]+")
string(REGEX REPLACE "^.*MAJOR ([0-9]+).*$" "\\1" major "${lines}")
string(REGEX REPLACE "^.*MINOR ([0-9]+).*$" "\\1" minor "${lines}")
math(EXPR next "${minor} + 1")
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})

# said(CODE WORDS… | COMMAND…): the program ends with CODE and says all of WORDS.
function(said code words)
  execute_process(COMMAND ${PROGRAM} ${ARGN} WORKING_DIRECTORY ${WORK} RESULT_VARIABLE ended OUTPUT_VARIABLE text
                  ERROR_VARIABLE text TIMEOUT 60)
  if(NOT ended EQUAL code)
    message(FATAL_ERROR "${ARGN}\nended with ${ended}, not ${code}:\n${text}")
  endif()
  foreach(each IN LISTS words)
    string(FIND "${text}" "${each}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "${ARGN}\nshould have said\n  ${each}\nand said:\n${text}")
    endif()
  endforeach()
endfunction()

# A folder with the plugin NAME and its manifest, in which FROM became TO.
function(site name from to)
  file(MAKE_DIRECTORY ${WORK}/${name}${ARGN})
  file(COPY ${NEWER}/abi_newer_${name}.so DESTINATION ${WORK}/${name}${ARGN})
  file(READ ${NEWER}/abi_newer_${name}.vmcp.json manifest)
  string(FIND "${manifest}" "${from}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "the manifest of ${name} has no ${from}:\n${manifest}")
  endif()
  string(REPLACE "${from}" "${to}" manifest "${manifest}")
  file(WRITE ${WORK}/${name}${ARGN}/abi_newer_${name}.vmcp.json "${manifest}")
endfunction()

set(versions "${major}.${next}, this host speaks ${major}.${minor}")

# The manifest tells before any code runs.
site(minor "\"minor\": ${next}" "\"minor\": ${next}")
said(0 "it was built for ABI ${versions}" plugin list --dir ${WORK}/minor)
said(1 "it was built for ABI ${versions}" plugin call ${WORK}/minor/abi_newer_minor.so newer)
# A manifest that says less than the library does not get it in.
site(minor "\"minor\": ${next}" "\"minor\": ${minor}" _understated)
said(1 "the plugin needs ABI ${versions} upgrade the host" plugin call ${WORK}/minor_understated/abi_newer_minor.so newer)
