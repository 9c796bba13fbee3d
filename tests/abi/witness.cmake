# witness(HEADERS FACTS_OF OUT): OUT.so, a library with one exported function for each structure of the folder HEADERS
# (FACTS_OF: what describe() wrote of it), so that abidiff sees the types that a plugin's tables hand over as void
# pointers.
function(witness headers facts_of out)
  facts(code names structures ${facts_of})
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${names}")
  endif()
  string(REGEX MATCHALL "[a-z0-9_]+" names "${names}")
  set(source "#include <vmcp/vmcp.h>\n__typeof__(&vmcp_entry_v1) vmcp_witness_entry_v1;\n")
  foreach(name IN LISTS names)
    string(APPEND source "void vmcp_witness_${name}(const ${name}* it);\n"
           "void vmcp_witness_${name}(const ${name}* it) { (void)it; }\n")
  endforeach()
  file(WRITE ${out}.c "${source}")
  run_into(${out}.log ${COMPILER} -std=gnu11 -g -fno-eliminate-unused-debug-types -fPIC -shared -I${headers} -o
           ${out}.so ${out}.c)
endfunction()

# additions_only(REPORT OUT): whether a report of abidiff --leaf-changes-only tells of nothing but members after the end
# of a structure, and new types, values and functions; OUT is the first line that tells of something else, or empty.
# abidiff itself has one exit code for all of them, and its suppressions hide what changed beside an addition.
function(additions_only report out)
  string(REPLACE ";" "," report "${report}")
  string(REPLACE "[" "(" report "${report}")
  string(REPLACE "]" ")" report "${report}")
  string(REPLACE "\n" ";" lines "${report}")
  set(old_bits 0)
  set(said)
  foreach(line IN LISTS lines)
    string(STRIP "${line}" line)
    if(line STREQUAL "" OR line MATCHES "^Leaf changes summary: |^Changed leaf types summary: ")
    elseif(line MATCHES "^Removed/Changed/Added (functions|variables) summary: 0 Removed, 0 Changed, ")
    elseif(line MATCHES "^Unreachable types summary: 0 removed, ")
    elseif(line MATCHES "^(\\(C\\) )?'(struct|enum|typedef) [^']+' changed:$")
    elseif(line MATCHES "^type size hasn't changed$|^details were reported earlier$|, as reported earlier$")
    elseif(line MATCHES "^type size changed from ([0-9]+) to ([0-9]+) \\(in bits\\)$")
      set(old_bits ${CMAKE_MATCH_1})
    elseif(line MATCHES "^[0-9]+ (data member|enumerator) insertions?:$")
    elseif(line MATCHES "^'.*', at offset ([0-9]+) \\(in bits\\) at " AND old_bits GREATER 0
           AND CMAKE_MATCH_1 GREATER_EQUAL old_bits)
    elseif(line MATCHES "^'[^']+::VMCP_[A-Z0-9_]+' value '-?[0-9]+'")
    elseif(line MATCHES "^(one|[0-9]+) impacted interfaces?:$|^function void vmcp_witness_")
    elseif(line MATCHES "^[0-9]+ (changed|added) types? unreachable from any public interface:$")
    elseif(line MATCHES "^\\(A\\) |^[0-9]+ Added (function|variable|type)s?:$")
    else()
      set(said "${line}")
      break()
    endif()
  endforeach()
  set(${out} "${said}" PARENT_SCOPE)
endfunction()

# abidiff_of(RELEASED TODAY CODE SAID): CODE is 0 when abidiff finds nothing in the witnesses but additions.
function(abidiff_of released today code said)
  execute_process(COMMAND ${ABIDIFF} --leaf-changes-only --impacted-interfaces --non-reachable-types ${released}.so
                          ${today}.so RESULT_VARIABLE ended OUTPUT_VARIABLE report ERROR_VARIABLE report)
  # Bit 1 is an error, 2 wrong usage, 4 a change, 8 one that abidiff knows to be incompatible.
  math(EXPR broken "${ended} & 3")
  if(NOT broken EQUAL 0)
    message(FATAL_ERROR "abidiff ended with ${ended}:\n${report}")
  endif()
  set(line)
  if(NOT ended EQUAL 0)
    additions_only("${report}" line)
  endif()
  set(${code} 0 PARENT_SCOPE)
  if(line)
    set(${code} 1 PARENT_SCOPE)
  endif()
  set(${said} "${report}" PARENT_SCOPE)
endfunction()
