// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the artifact and runtime libraries report failure: a code and a message for the user. They
// use no exceptions, and no LLVM, so that a program which only runs models stays small. Messages
// are lower case without a full stop.

#ifndef TENON_LIB_ARTIFACT_STATUS_H
#define TENON_LIB_ARTIFACT_STATUS_H

#include <cstdint>
#include <string>
#include <utility>

namespace tenon {

/// What kind of failure it was. The values are those of tenon_status in include/tenon/runtime.h.
enum class StatusCode : int32_t {
  Ok = 0,
  InvalidArgument = 1, ///< the caller's tensors or parameters do not fit the model
  InvalidArtifact = 2, ///< the file is damaged, truncated or not an artifact
  Unsupported = 3, ///< the file is sound but needs something this runtime or machine does not have
  OutOfMemory = 4,
  InputOutput = 5, ///< the operating system refused to read or write
  Cancelled = 6,
  CheckFailed =
      7, ///< the model's own run-time check failed (an index out of range, sizes that do not agree)
};

/// Success, or a code with a message. Cheap when it is success: no allocation.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::Ok; }
  StatusCode code() const { return code_; }
  const std::string &message() const { return message_; }

  /// The same failure with `context` and a colon before its message.
  Status withContext(const std::string &context) && {
    if (!ok())
      message_ = context + ": " + message_;
    return std::move(*this);
  }

private:
  StatusCode code_ = StatusCode::Ok;
  std::string message_;
};

} // namespace tenon

/// Leaves the current function with `expression`'s status unless it is success.
#define TENON_RETURN_IF_ERROR(expression)                                                          \
  do {                                                                                             \
    if (::tenon::Status status_ = (expression); !status_.ok())                                     \
      return status_;                                                                              \
  } while (false)

#endif // TENON_LIB_ARTIFACT_STATUS_H
