// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ArtifactTypes.cpp --------------------------------------------------===//

#include "lib/schedule/ArtifactTypes.h"

#include "dialects/onnx/Onnx.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tenon {

artifact::ElementType artifactElementType(Type type) {
  using artifact::ElementType;
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool isUnsigned = integer.isUnsigned();
    switch (integer.getWidth()) {
    case 1:
      return ElementType::Bool;
    case 2:
      return isUnsigned ? ElementType::UInt2 : ElementType::Int2;
    case 4:
      return isUnsigned ? ElementType::UInt4 : ElementType::Int4;
    case 8:
      return isUnsigned ? ElementType::UInt8 : ElementType::Int8;
    case 16:
      return isUnsigned ? ElementType::UInt16 : ElementType::Int16;
    case 32:
      return isUnsigned ? ElementType::UInt32 : ElementType::Int32;
    case 64:
      return isUnsigned ? ElementType::UInt64 : ElementType::Int64;
    default:
      return ElementType::Undefined;
    }
  }
  if (auto complex = dyn_cast<ComplexType>(type))
    return complex.getElementType().isF32() ? ElementType::Complex64 : ElementType::Complex128;
  return llvm::TypeSwitch<Type, ElementType>(type)
      .Case<Float16Type>([](Type) { return ElementType::Float16; })
      .Case<BFloat16Type>([](Type) { return ElementType::BFloat16; })
      .Case<Float32Type>([](Type) { return ElementType::Float32; })
      .Case<Float64Type>([](Type) { return ElementType::Float64; })
      .Case<Float8E4M3FNType>([](Type) { return ElementType::Float8E4M3FN; })
      .Case<Float8E4M3FNUZType>([](Type) { return ElementType::Float8E4M3FNUZ; })
      .Case<Float8E5M2Type>([](Type) { return ElementType::Float8E5M2; })
      .Case<Float8E5M2FNUZType>([](Type) { return ElementType::Float8E5M2FNUZ; })
      .Case<Float8E8M0FNUType>([](Type) { return ElementType::Float8E8M0; })
      .Case<Float4E2M1FNType>([](Type) { return ElementType::Float4E2M1; })
      .Case<onnx::StringType>([](Type) { return ElementType::String; })
      .Default([](Type) { return ElementType::Undefined; });
}

void describeType(Type type, artifact::Value &value) {
  using artifact::Container;
  while (true) {
    if (auto sequence = dyn_cast<onnx::SequenceType>(type)) {
      value.containers.push_back(Container::Sequence);
      type = sequence.getElementType();
    } else if (auto optional = dyn_cast<onnx::OptionalType>(type)) {
      value.containers.push_back(Container::Optional);
      type = optional.getElementType();
    } else if (auto map = dyn_cast<onnx::MapType>(type)) {
      value.containers.push_back(Container::Map);
      value.key = artifactElementType(map.getKeyType());
      type = map.getValueType();
    } else {
      value.element = artifactElementType(getElementTypeOrSelf(type));
      return;
    }
  }
}

} // namespace tenon
