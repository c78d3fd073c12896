// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The onnx dialect in C++. Operators are tenon::onnx::ConvOp, tenon::onnx::MLTreeEnsembleOp,
// tenon::onnx::PreviewFlexAttentionOp, tenon::onnx::PreviewTrainingAdamOp …: domain prefix, ONNX
// name, "Op".
//
//   auto conv = ConvOp::create(builder, loc, resultTypes, {x, w, none},
//   {builder.getNamedAttr("group", …)}); conv.getX(); conv.getGroup() /* int64_t, schema default if
//   absent */; isAbsent(conv.getB()); conv.getStrides() /* std::optional<ArrayRef<int64_t>> without
//   default, ArrayRef with one or if required */
//
// Accessors are the schema's names in camel case (`auto_pad` -> getAutoPad()). Int attributes read
// as int64_t, floats as float, strings as StringRef, tensors as ElementsAttr, type attributes as
// Type, lists as ArrayRef (strings: ArrayAttr). Every formal operand and result of the schema is
// there: an absent operand is the `none` value of NoValueOp, an unused optional result has type
// `none` (see isAbsent).

#ifndef TENON_DIALECTS_ONNX_ONNX_H
#define TENON_DIALECTS_ONNX_ONNX_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/onnx/OnnxDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/onnx/OnnxTypes.h.inc"

namespace tenon::onnx {

/// Which operator of ONNX an op is. The strings live as long as the program.
struct OpIdentity {
  llvm::StringLiteral operationName; ///< "onnx.ml.TreeEnsemble"
  llvm::StringLiteral domain;        ///< "ai.onnx.ml"; the default domain is ""
  llvm::StringLiteral name;          ///< "TreeEnsemble"
  int sinceVersion;                  ///< the opset of `domain` that defined this version
};

/// All operators of the standard that the dialect has, ordered by operationName.
llvm::ArrayRef<OpIdentity> getStandardOps();

/// The identity of `op`, or null if it is not one of getStandardOps() (onnx.Custom carries its
/// own).
const OpIdentity *getIdentity(mlir::OperationName op);
inline const OpIdentity *getIdentity(mlir::Operation *op) { return getIdentity(op->getName()); }

/// How messages for users call `op`: "Conv" for the default domain, "ai.onnx.ml.TreeEnsemble" for
/// others, and the operator's own domain and name for onnx.Custom.
std::string getDisplayName(mlir::Operation *op);

/// Whether an optional operand or result is missing.
inline bool isAbsent(mlir::Value value) { return llvm::isa<mlir::NoneType>(value.getType()); }

/// The element types of ONNX tensors, numbered as TensorProto.DataType.
enum class ElementKind : unsigned {
  Undefined,
  Float,
  UInt8,
  Int8,
  UInt16,
  Int16,
  Int32,
  Int64,
  String,
  Bool,
  Float16,
  Double,
  UInt32,
  UInt64,
  Complex64,
  Complex128,
  BFloat16,
  Float8E4M3FN,
  Float8E4M3FNUZ,
  Float8E5M2,
  Float8E5M2FNUZ,
  UInt4,
  Int4,
  Float4E2M1,
  Float8E8M0,
  UInt2,
  Int2,
  Float6E2M3,
  Float6E3M2
};
inline constexpr unsigned kElementKindCount = 29;

/// The kind of an element type; Undefined if ONNX has no such type.
ElementKind getElementKind(mlir::Type elementType);

/// The element type for a kind; null for Undefined.
mlir::Type getElementType(mlir::MLIRContext *context, ElementKind kind);

namespace detail {

/// The type set of a formal parameter, see Onnx_Value in Onnx.td.
struct ValueTypes {
  unsigned tensors, sequences, optionals, optionalSequences, maps, mapSequences;
};
bool isValue(mlir::Type type, const ValueTypes &types);
bool isAnyValue(mlir::Type type);
bool isAnyTensor(mlir::Type type);
/// Whether the types of all values that are present and known agree up to their shapes.
bool haveSameElementType(std::initializer_list<mlir::ValueRange> values);

mlir::ParseResult parse(mlir::OpAsmParser &parser, mlir::OperationState &state,
                        unsigned regionCount);
void print(mlir::OpAsmPrinter &printer, mlir::Operation *op);
void build(mlir::OperationState &state, mlir::TypeRange resultTypes, mlir::ValueRange operands,
           llvm::ArrayRef<mlir::NamedAttribute> attributes, unsigned regionCount);

} // namespace detail
} // namespace tenon::onnx

#define GET_OP_CLASSES
#include "dialects/onnx/OnnxOps.h.inc"

#endif // TENON_DIALECTS_ONNX_ONNX_H
