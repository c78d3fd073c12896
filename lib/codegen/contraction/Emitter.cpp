// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Emitter.cpp - building one contraction kernel's function -----------===//

#include "lib/codegen/contraction/Emitter.h"
#include "lib/codegen/KernelFunction.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::contraction;

Emitter::Emitter(const ContractionSpec &spec, const Blocking &blocking, func::FuncOp function)
    : spec(spec), blocking(blocking), function(function),
      b(function.getLoc(), function.getContext()),
      vectorType(VectorType::get(blocking.lanes, spec.element)) {
  b.setInsertionPointToStart(&function.getBody().front());
  prologueEnd = arith::ConstantIndexOp::create(b, 0);
  constants[0] = prologueEnd->getResult(0);

  plan::KernelOp kernel = spec.kernel;
  KernelFunctionArguments arguments = getKernelFunctionArguments(kernel, function);
  group = arguments.group;
  SmallVector<Value> tensors(arguments.inputs);
  llvm::append_range(tensors, arguments.outputs);
  for (Value tensor : tensors)
    for (auto [dim, size] : llvm::enumerate(cast<MemRefType>(tensor.getType()).getShape()))
      if (ShapedType::isDynamic(size))
        sizes.push_back(inPrologue([&] { return memref::DimOp::create(b, tensor, index(dim)); }));
  llvm::append_range(sizes, arguments.indices);

  for (auto [position, tensor] : llvm::enumerate(tensors)) {
    auto type = cast<MemRefType>(tensor.getType());
    AffineExpr elements = getAffineConstantExpr(1, b.getContext());
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      elements = elements * getSizeExpression(kernel, position, dim);
    Value count = expression(elements);
    buffers.push_back(inPrologue([&]() -> Value {
      std::optional<int64_t> constant = constantOf(elements);
      auto flat = MemRefType::get({constant.value_or(ShapedType::kDynamic)}, type.getElementType());
      OpFoldResult size = constant ? OpFoldResult(b.getIndexAttr(*constant)) : OpFoldResult(count);
      return memref::ReinterpretCastOp::create(
          b, flat, tensor, OpFoldResult(b.getIndexAttr(0)), ArrayRef<OpFoldResult>(size),
          ArrayRef<OpFoldResult>(OpFoldResult(b.getIndexAttr(1))));
    }));
  }
  b.setInsertionPoint(function.getBody().front().getTerminator());
}

//===----------------------------------------------------------------------===//
// Prologue
//===----------------------------------------------------------------------===//

Value Emitter::inPrologue(llvm::function_ref<Value()> create) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfter(prologueEnd);
  Value value = create();
  // What was built may be several operations, or none.
  if (b.getInsertionPoint() != b.getInsertionBlock()->begin())
    prologueEnd = &*std::prev(b.getInsertionPoint());
  return value;
}

Value Emitter::index(int64_t value) {
  Value &constant = constants[value];
  if (!constant)
    constant = inPrologue([&] { return arith::ConstantIndexOp::create(b, value); });
  return constant;
}

Value Emitter::expression(AffineExpr expression) {
  if (std::optional<int64_t> constant = constantOf(expression))
    return index(*constant);
  auto found = expressions.find(expression);
  if (found != expressions.end())
    return found->second;
  Value value =
      inPrologue([&] { return affine::expandAffineExpr(b, b.getLoc(), expression, {}, sizes); });
  return expressions[expression] = value;
}

Value Emitter::scratch(int64_t elements, Type element) {
  return inPrologue([&] {
    return memref::AllocaOp::create(b, MemRefType::get({elements}, element),
                                    b.getI64IntegerAttr(64));
  });
}

Value Emitter::splat(TypedAttr value) {
  auto [found, fresh] = splats.try_emplace(value);
  if (fresh) {
    auto elements = DenseElementsAttr::get(vectorOf(value.getType()), Attribute(value));
    Value constant = inPrologue([&] { return arith::ConstantOp::create(b, elements); });
    splats[value] = constant;
    return constant;
  }
  return found->second;
}

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

static std::optional<int64_t> constantValue(Value value) { return getConstantIntValue(value); }

Value Emitter::add(Value left, Value right) {
  std::optional<int64_t> l = constantValue(left), r = constantValue(right);
  if (l && r)
    return index(*l + *r);
  if (l == 0 || r == 0)
    return l == 0 ? right : left;
  return arith::AddIOp::create(b, left, right);
}

Value Emitter::sub(Value left, Value right) {
  std::optional<int64_t> l = constantValue(left), r = constantValue(right);
  if (l && r)
    return index(*l - *r);
  return r == 0 ? left : Value(arith::SubIOp::create(b, left, right));
}

Value Emitter::mul(Value left, Value right) {
  std::optional<int64_t> l = constantValue(left), r = constantValue(right);
  if (l && r)
    return index(*l * *r);
  if (l == 0 || r == 0)
    return index(0);
  if (l == 1 || r == 1)
    return l == 1 ? right : left;
  return arith::MulIOp::create(b, left, right);
}

Value Emitter::div(Value left, Value right) {
  std::optional<int64_t> l = constantValue(left), r = constantValue(right);
  if (l && r && *r)
    return index(*l / *r);
  return r == 1 || l == 0 ? left : Value(arith::DivUIOp::create(b, left, right));
}

Value Emitter::rem(Value left, Value right) {
  std::optional<int64_t> l = constantValue(left), r = constantValue(right);
  if (l && r && *r)
    return index(*l % *r);
  return r == 1 || l == 0 ? index(0) : Value(arith::RemUIOp::create(b, left, right));
}

Value Emitter::min(Value left, Value right) {
  std::optional<int64_t> l = constantValue(left), r = constantValue(right);
  if (l && r)
    return index(std::min(*l, *r));
  return left == right ? left : Value(arith::MinSIOp::create(b, left, right));
}

Value Emitter::max(Value left, Value right) {
  std::optional<int64_t> l = constantValue(left), r = constantValue(right);
  if (l && r)
    return index(std::max(*l, *r));
  return left == right ? left : Value(arith::MaxSIOp::create(b, left, right));
}

Value Emitter::ceilDiv(Value left, int64_t right) {
  return div(add(left, right - 1), index(right));
}

Value Emitter::outerOffset(const Access &access, ArrayRef<Value> outerIndices) {
  Value offset = index(0);
  for (auto [stride, position] : llvm::zip_equal(access.outer, outerIndices))
    offset = add(offset, mul(position, stride));
  return offset;
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

Value Emitter::maskBelow(Value count) {
  SmallVector<int32_t> lanes = llvm::to_vector(llvm::seq<int32_t>(0, blocking.lanes));
  VectorType type = vectorOf(b.getI32Type());
  Value steps = inPrologue(
      [&] { return arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef(lanes))); });
  Value limit =
      vector::BroadcastOp::create(b, type, arith::IndexCastOp::create(b, b.getI32Type(), count));
  return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, steps, limit);
}

SmallVector<Value> Emitter::columnMasks(Value column) {
  SmallVector<Value> masks;
  std::optional<int64_t> columns = spec.column.constantSize();
  if (columns && *columns % blocking.columns() == 0)
    return masks;
  Value left = sub(expression(spec.column.size), column);
  for (int64_t vector = 0; vector < blocking.vectors; ++vector)
    masks.push_back(maskBelow(sub(left, index(vector * blocking.lanes))));
  return masks;
}

Value Emitter::load(Type element, Pointer from, Value mask) {
  VectorType type = vectorOf(element);
  if (!mask)
    return vector::LoadOp::create(b, type, from.memref, from.offset);
  return vector::MaskedLoadOp::create(b, type, from.memref, from.offset, mask,
                                      splat(b.getZeroAttr(element)));
}

void Emitter::store(Value vector, Pointer to, Value mask) {
  if (mask)
    vector::MaskedStoreOp::create(b, to.memref, to.offset, mask, vector);
  else
    vector::StoreOp::create(b, vector, to.memref, to.offset);
}
