// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What all models of one tenon_runtime share: options, allocator, log, and the open devices.

#ifndef TENON_LIB_RUNTIME_RUNTIME_H
#define TENON_LIB_RUNTIME_RUNTIME_H

#include "lib/artifact/Status.h"
#include "lib/runtime/Device.h"
#include "lib/runtime/HostInterface.h"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tenon::runtime {

/// The device families of this build; nullptr for others. Defined in Devices.cpp, which lists them.
const tenon_device_interface *findDeviceFamily(const std::string &family);

/// An open device with its table. Plain: the runtime owns the device.
struct OpenDevice {
  const tenon_device_interface *table = nullptr;
  tenon_device *handle = nullptr;
};

/// Thread safe. Devices stay open until the last model and the caller have let go of the runtime.
class Runtime : public std::enable_shared_from_this<Runtime> {
public:
  static Status create(const tenon_runtime_options &options, std::shared_ptr<Runtime> &runtime);
  ~Runtime();

  /// Opens the family's device, or returns it if it is open.
  Status device(const std::string &family, OpenDevice &device);

  /// The library of host functions, which is opened on first use.
  Status hostLibrary(const tenon_host_interface *&interface);

  /// Host memory from the user's allocator, or nullptr; at least one byte, 64-byte aligned.
  void *allocate(int64_t bytes);
  void release(void *memory, int64_t bytes);

  void log(tenon_log_level level, const std::string &message) const;

  /// Whether somebody wants to know how long kernels take.
  bool isProfiled() const { return options_.launch != nullptr; }
  void launched(const std::string &kernel, int64_t nanoseconds) const {
    options_.launch(options_.launch_user, kernel.c_str(), nanoseconds);
  }

private:
  explicit Runtime(const tenon_runtime_options &options)
      : options_(options), hostPath_(options.host_library ? options.host_library : "") {}

  tenon_runtime_options options_;
  std::string hostPath_; ///< empty: beside the runtime
  std::mutex mutex_;
  const tenon_host_interface *host_ = nullptr;
  std::vector<std::pair<std::string, OpenDevice>> devices_;
};

} // namespace tenon::runtime

#endif // TENON_LIB_RUNTIME_RUNTIME_H
