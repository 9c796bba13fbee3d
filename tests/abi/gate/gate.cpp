// Not a plugin: what the symbol gate must refuse, one trait per build (gate.cmake).
#include <vmcp/abi.h>

#if defined(GATE_UNIQUE)
// An inline function's static variable is one for the whole process, and so is a symbol that is marked so.
__attribute__((visibility("default"))) inline int& counter() {
  static int value = 0;
  return value;
}
int use_counter() {
  return ++counter();
}
#endif

#if defined(GATE_SECOND_EXPORT)
extern "C" __attribute__((visibility("default"))) int vmcp_entry_v2;
int vmcp_entry_v2 = 0;
#endif

#if defined(GATE_WEAK)
extern "C" __attribute__((visibility("default"), weak)) const vmcp_entry* vmcp_entry_v1(void) {
  return nullptr;
}
#else
extern "C" const vmcp_entry* vmcp_entry_v1(void) {
  return nullptr;
}
#endif
