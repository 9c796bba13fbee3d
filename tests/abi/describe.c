/* Compiled by describe.cmake, which reads what the debug information and the preprocessor say of it. A
 * function that is declared only leaves no debug information: hence the pointers. */
#include <vmcp/vmcp.h>

__typeof__(&vmcp_entry_v1) vmcp_prototype_entry_v1;
