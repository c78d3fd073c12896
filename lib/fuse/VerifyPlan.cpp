// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- VerifyPlan.cpp - what a model consists of once kernels are formed --===//
//
// Invariants of the plan level that span operations. They stand in a pass because
// func.func and its attributes belong to earlier levels too, where they do not
// hold yet; what one operation can check for itself is in dialects/plan/Plan.cpp.
//
//===----------------------------------------------------------------------===//

#include "lib/fuse/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_VERIFYPLAN
#include "lib/fuse/Passes.h.inc"

namespace {

bool isScalar(Type type) { return type.isIntOrIndexOrFloat(); }

/// Arithmetic that the program does itself; it also chooses between tensors.
bool isScalarArithmetic(Operation &op) {
  return isa<arith::SelectOp>(op) ||
         (isa<arith::ArithDialect, affine::AffineDialect>(op.getDialect()) &&
          llvm::all_of(op.getOperandTypes(), isScalar) &&
          llvm::all_of(op.getResultTypes(), isScalar));
}

LogicalResult verifyBlock(Block &block);

LogicalResult verifyOperation(Operation &op) {
  if (isa<plan::PlanDialect>(op.getDialect()) || op.hasTrait<OpTrait::ConstantLike>() ||
      isScalarArithmetic(op))
    return success();
  if (isa<scf::IfOp, scf::WhileOp>(op)) {
    for (Region &region : op.getRegions())
      for (Block &block : region)
        if (failed(verifyBlock(block)))
          return failure();
    return success();
  }
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    if (isa<BlockArgument>(dim.getSource()) && dim.getConstantIndex())
      return success();
    return op.emitOpError("asks for a size that is not one of an argument's");
  }
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    if (extract.getType().isIntOrIndex())
      return success();
    return op.emitOpError("reads ")
           << extract.getType() << "; a size that depends on data is an integer";
  }
  return op.emitOpError("is neither a dispatch nor a size; it should be in a kernel by now");
}

LogicalResult verifyBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(verifyOperation(op)))
      return failure();
  return success();
}

/// One side of the signature.
LogicalResult verifyBorder(func::FuncOp function, SymbolTable &symbols, bool results) {
  ArrayRef<Type> types = results ? function.getResultTypes() : function.getArgumentTypes();
  for (auto [i, type] : llvm::enumerate(types)) {
    StringRef what = results ? "result " : "argument ";
    DictionaryAttr attributes =
        results ? function.getResultAttrDict(i) : function.getArgAttrDict(i);
    bool isObject = isa<plan::ObjectType>(type);
    if (!isObject && !isa<RankedTensorType>(type))
      return function.emitError() << what << i << " is no ranked tensor and no object but " << type;
    auto dims = attributes.getAs<ArrayAttr>(plan::dimsAttribute);
    if ((!isObject && !dims) || !attributes.contains(plan::nameAttribute) ||
        !attributes.contains(plan::elementAttribute))
      return function.emitError() << what << i << " needs plan.name, plan.dims and plan.element";
    for (Attribute dim : dims ? dims.getValue() : ArrayRef<Attribute>())
      if (auto dimension = dyn_cast<FlatSymbolRefAttr>(dim);
          dimension && !symbols.lookup<plan::DimensionOp>(dimension.getValue()))
        return function.emitError()
               << what << i << " has dimension " << dimension << ", which is not a plan.dimension";
  }
  return success();
}

struct VerifyPlan : impl::VerifyPlanBase<VerifyPlan> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(verifyModel(function, symbols)))
        return signalPassFailure();
    markAllAnalysesPreserved();
  }

  static LogicalResult verifyModel(func::FuncOp function, SymbolTable &symbols) {
    if (!function.getBody().hasOneBlock())
      return function.emitError("has ")
             << function.getBody().getBlocks().size() << " blocks; a model has one";
    if (failed(verifyBorder(function, symbols, /*results=*/false)) ||
        failed(verifyBorder(function, symbols, /*results=*/true)))
      return failure();
    return verifyBlock(function.front());
  }
};

} // namespace
} // namespace tenon
