// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lib/runtime/Error.h"

#include <algorithm>
#include <cstring>

namespace tenon {

tenon_status report(const Status &status, tenon_error *error) {
  auto code = static_cast<tenon_status>(status.code());
  if (!error || status.ok())
    return code;
  error->status = code;
  const std::string &message = status.message();
  size_t length = std::min(message.size(), sizeof(error->message) - 1);
  std::memcpy(error->message, message.data(), length);
  if (length < message.size())
    std::memcpy(error->message + length - 3, "...", 3);
  error->message[length] = '\0';
  return code;
}

Status fromDevice(tenon_status code, const tenon_error &error) {
  if (code == TENON_OK)
    return {};
  return {static_cast<StatusCode>(code), error.message};
}

} // namespace tenon
