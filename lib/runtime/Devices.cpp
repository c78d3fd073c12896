// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The device families of this build, one line each.

#include "lib/runtime/Runtime.h"
#include "targets/cpu/device.h"

namespace tenon::runtime {

const tenon_device_interface *findDeviceFamily(const std::string &family) {
  const tenon_device_interface *families[] = {
      tenon_cpu_device_interface(),
  };
  for (const tenon_device_interface *table : families)
    if (table->version == TENON_DEVICE_INTERFACE_VERSION &&
        table->size >= sizeof(tenon_device_interface) && family == table->family)
      return table;
  return nullptr;
}

} // namespace tenon::runtime
