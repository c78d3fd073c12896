// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bytes of a TensorProto: how many there must be, whether they are there, and how to take them
// out. ONNX keeps the elements in one of seven fields or in another file; here they become one
// thing, raw bytes as the WeightTable has them: little-endian, row-major, a bool one byte, types
// narrower than a byte packed from the least significant bit up.

#ifndef TENON_LIB_IMPORT_TENSORDATA_H
#define TENON_LIB_IMPORT_TENSORDATA_H

#include "mlir/IR/BuiltinAttributes.h"
#include "onnx/onnx_pb.h"

#include <optional>
#include <string>

namespace tenon::import {

namespace proto = ::onnx;

/// Bits of one element in the packed form; 0 for strings and for types that ONNX does not have.
unsigned getElementBits(int32_t dataType);

/// The bytes that `elementCount` elements take; nothing on overflow.
std::optional<uint64_t> getByteSize(int32_t dataType, uint64_t elementCount);

/// The number of elements for `dims`; nothing if a dimension is negative or the product overflows
/// 63 bits.
std::optional<uint64_t> getElementCount(llvm::ArrayRef<int64_t> dims);

/// What is wrong with the type, the dimensions or the amount of data of `tensor`; empty if nothing
/// is. Data in another file is not looked at.
std::string checkTensor(const proto::TensorProto &tensor);

/// Takes the elements out of a checked tensor that has its data inside, and is no string tensor.
/// raw_data is moved, not copied.
std::string takeBytes(proto::TensorProto &tensor);

/// Whether all elements have the same bits. An empty tensor is no splat.
bool isSplat(llvm::ArrayRef<char> bytes, int32_t dataType, uint64_t elementCount);

/// A checked tensor's elements as an attribute. `bytes` may be those of a single element, for a
/// splat.
mlir::DenseElementsAttr makeElements(mlir::RankedTensorType type, int32_t dataType,
                                     llvm::ArrayRef<char> bytes, bool splat = false);

/// A string tensor as an attribute.
mlir::DenseElementsAttr makeStringElements(const proto::TensorProto &tensor,
                                           mlir::MLIRContext *context);

/// The tensor type of `tensor`, checked before.
mlir::RankedTensorType getTensorType(const proto::TensorProto &tensor, mlir::MLIRContext *context);

} // namespace tenon::import

#endif // TENON_LIB_IMPORT_TENSORDATA_H
