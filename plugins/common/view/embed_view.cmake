# Makes a finished page of a view: puts the shared style and script in, and into its content security policy the
# hashes of the one style and the one script that it has. Then a header with the page as a constant.
#   cmake -DVIEW=page.html -DPAGE=out.html -DHEADER=out.h -DCONSTANT=kName -DNAMESPACE=a::b -P embed_view.cmake

# The source expression 'sha256-BASE64' of what stands between <tag> and </tag> in `page`.
function(vmcp_hash_of tag page out)
  string(FIND "${page}" "<${tag}>" begin)
  string(FIND "${page}" "</${tag}>" end)
  string(FIND "${page}" "<${tag}>" last REVERSE)
  if(begin EQUAL -1 OR end EQUAL -1 OR NOT begin EQUAL last)
    message(FATAL_ERROR "${VIEW}: a view has exactly one <${tag}> without attributes")
  endif()
  string(LENGTH "<${tag}>" opening)
  math(EXPR begin "${begin} + ${opening}")
  math(EXPR length "${end} - ${begin}")
  string(SUBSTRING "${page}" ${begin} ${length} text)
  string(SHA256 hex "${text}")
  # Three hexadecimal digits are two of base64; of the 256 bits and eight zeros the last digit is the padding.
  set(digits "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  string(APPEND hex "00")
  set(base64 "")
  foreach(at RANGE 0 63 3)
    string(SUBSTRING "${hex}" ${at} 3 group)
    math(EXPR high "0x${group} >> 6")
    math(EXPR low "0x${group} & 63")
    string(SUBSTRING "${digits}" ${high} 1 first)
    string(SUBSTRING "${digits}" ${low} 1 second)
    string(APPEND base64 "${first}${second}")
  endforeach()
  string(SUBSTRING "${base64}" 0 43 base64)
  set(${out} "'sha256-${base64}='" PARENT_SCOPE)
endfunction()

file(READ "${VIEW}" page)
file(READ "${CMAKE_CURRENT_LIST_DIR}/base.css" style)
file(READ "${CMAKE_CURRENT_LIST_DIR}/host.js" script)
string(REPLACE "    /* base.css */\n" "${style}" page "${page}")
string(REPLACE "    // host.js\n" "${script}" page "${page}")
vmcp_hash_of(style "${page}" style_hash)
vmcp_hash_of(script "${page}" script_hash)
string(REPLACE "STYLE_HASH" "${style_hash}" page "${page}")
string(REPLACE "SCRIPT_HASH" "${script_hash}" page "${page}")
file(WRITE "${PAGE}" "${page}")
file(WRITE "${HEADER}" "// Made from ${CONSTANT}'s page by embed_view.cmake.
#pragma once

namespace ${NAMESPACE} {

inline constexpr char ${CONSTANT}[] = R\"view(${page})view\";

}  // namespace ${NAMESPACE}
")
