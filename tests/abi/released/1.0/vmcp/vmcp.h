/* vmcp/vmcp.h: the whole plugin ABI. */
#ifndef VMCP_VMCP_H
#define VMCP_VMCP_H

#include <vmcp/abi.h>
#include <vmcp/call.h>
#include <vmcp/completion.h>
#include <vmcp/config.h>
#include <vmcp/inventory.h>
#include <vmcp/log.h>
#include <vmcp/notify.h>
#include <vmcp/operations.h>
#include <vmcp/preview.h>
#include <vmcp/prompts.h>
#include <vmcp/resources.h>
#include <vmcp/tools.h>
#include <vmcp/vcenter.h>
#include <vmcp/vim.h>

#endif
