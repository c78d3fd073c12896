/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The run side of the CPU target. */

#ifndef TENON_TARGETS_CPU_DEVICE_H
#define TENON_TARGETS_CPU_DEVICE_H

#include "lib/runtime/Device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The table of the family "cpu". Static. */
const tenon_device_interface *tenon_cpu_device_interface(void);

#ifdef __cplusplus
}
#endif

#endif // TENON_TARGETS_CPU_DEVICE_H
