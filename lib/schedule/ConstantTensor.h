// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ConstantTensor.h - attributes as the artifact's constants -*- C++ -*-===//

#ifndef TENON_LIB_SCHEDULE_CONSTANTTENSOR_H
#define TENON_LIB_SCHEDULE_CONSTANTTENSOR_H

#include "lib/artifact/Program.h"

#include "mlir/IR/Attributes.h"

#include <optional>

namespace tenon {

/// A number or string as a tensor of rank 0, a list as one of rank 1, a dense constant as itself;
/// of other attributes nothing. Numbers of signless types are signed, those of dense constants in
/// the type that the constant has.
std::optional<artifact::ConstantTensor> makeConstantTensor(mlir::Attribute value);

} // namespace tenon

#endif // TENON_LIB_SCHEDULE_CONSTANTTENSOR_H
