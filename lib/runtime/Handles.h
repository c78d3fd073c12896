// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the opaque types of the C interface are.

#ifndef TENON_LIB_RUNTIME_HANDLES_H
#define TENON_LIB_RUNTIME_HANDLES_H

#include "lib/runtime/Model.h"

struct tenon_runtime {
  std::shared_ptr<tenon::runtime::Runtime> runtime;
};

struct tenon_model {
  std::shared_ptr<tenon::runtime::Model> model;
};

#endif // TENON_LIB_RUNTIME_HANDLES_H
