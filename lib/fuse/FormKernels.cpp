// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FormKernels.cpp - operations into kernels --------------------------===//
//
// Turns the groups of Grouping.h into plan.kernel and plan.dispatch.
//
// Afterwards a kernel is a function of its arguments alone: tensors from outside
// are arguments, scalars from outside are index arguments (other types travel as
// their bits), and initial values are made again inside. Equal kernels are found
// by their text without locations and names, so layers that repeat cost one.
//
// The program computes with integers only. What is computed with floats from sizes
// (a count to divide by, a scale) is made again in each kernel that uses it; where
// an integer of the program comes of it, a kernel computes that and it is read back.
//
//===----------------------------------------------------------------------===//

#include "lib/fuse/Grouping.h"
#include "lib/fuse/Passes.h"
#include "lib/fuse/Sizes.h"

#include "dialects/nn/Nn.h"

#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_FORMKERNELS
#include "lib/fuse/Passes.h.inc"

namespace {

/// Makes the kernel of one group.
class KernelBuilder {
public:
  KernelBuilder(KernelGroup &group, StringRef name, SizeResolver &sizes)
      : group(group), name(name), sizes(sizes), builder(group.operations.front()) {}

  /// Finds what the group gives and how large that is, while every operation of the model still
  /// stands.
  LogicalResult prepare() {
    collectResults();
    return collectResultDims();
  }

  /// The kernel, not yet in a module, and the dispatch that replaces the group.
  std::pair<plan::KernelOp, plan::DispatchOp> build() {
    collectOperations();
    // The root's nodes first: they name the kernel in messages.
    auto locations =
        llvm::map_to_vector(group.operations, [](Operation *op) { return op->getLoc(); });
    Location location = FusedLoc::get(builder.getContext(), locations);

    SmallVector<Type> argumentTypes;
    for (Value tensor : tensors)
      argumentTypes.push_back(tensor.getType());
    argumentTypes.append(scalars.size(), builder.getIndexType());
    SmallVector<Type> resultTypes;
    for (Value result : results)
      resultTypes.push_back(result.getType());

    OperationState state(location, plan::KernelOp::getOperationName());
    state.addAttribute(SymbolTable::getSymbolAttrName(), builder.getStringAttr(name));
    state.addAttribute(plan::KernelOp::getFunctionTypeAttrName(state.name),
                       TypeAttr::get(builder.getFunctionType(argumentTypes, resultTypes)));
    state.addRegion();
    auto kernel = cast<plan::KernelOp>(Operation::create(state));
    fillBody(kernel);

    // The group runs where its last member stood; a topological sort puts it right where that is
    // too late.
    builder.setInsertionPoint(group.operations.back());
    SmallVector<Value> indices;
    for (Value scalar : scalars)
      indices.push_back(toIndex(scalar));
    auto dispatch =
        plan::DispatchOp::create(builder, location, resultTypes, name, tensors.getArrayRef(),
                                 indices, resultDims, /*device=*/FlatSymbolRefAttr());
    for (auto [from, to] : llvm::zip_equal(results, dispatch.getOutputs())) {
      from.replaceAllUsesWith(to);
      sizes.replaced(from, to);
    }
    for (Operation *op : llvm::reverse(group.operations))
      op->erase();
    return {kernel, dispatch};
  }

private:
  /// All operations that the body holds: the group's, and the initial values and
  /// constants they use. What they take from elsewhere becomes arguments.
  void collectOperations() {
    SmallVector<Operation *> pending(llvm::reverse(group.operations));
    llvm::SetVector<Operation *> inside(group.operations.begin(), group.operations.end());
    auto visit = [&](Operation *op) {
      op->walk([&](Operation *nested) {
        for (Value operand : nested->getOperands()) {
          Operation *producer = operand.getDefiningOp();
          if (producer ? op->isProperAncestor(producer) || inside.contains(producer)
                       : op->isAncestor(operand.getParentBlock()->getParentOp()))
            continue;
          if (producer && ((isRematerialized(*producer) && !needsMemory(*producer, *nested)) ||
                           isScalarConstant(producer) || isFloatArithmetic(*producer))) {
            inside.insert(producer);
            pending.push_back(producer);
          } else if (isa<TensorType>(operand.getType())) {
            tensors.insert(operand);
          } else {
            scalars.insert(operand);
          }
        }
      });
    };
    // Group members in program order, so that arguments come in the order of their use.
    while (!pending.empty())
      visit(pending.pop_back_val());
    operations = inside.takeVector();
    // What is made again may stand outside of the branch or loop that the group is in, and so
    // before all of it.
    llvm::sort(operations, [](Operation *a, Operation *b) {
      if (a->getBlock() == b->getBlock())
        return a->isBeforeInBlock(b);
      return a->getBlock()->findAncestorOpInBlock(*b) != nullptr;
    });
  }

  /// Whether making `initial` again for `user` would need memory of a size that nobody knows: a
  /// concatenation copies it.
  static bool needsMemory(Operation &initial, Operation &user) {
    auto type = dyn_cast<RankedTensorType>(initial.getResult(0).getType());
    return isa<linalg::FillOp>(initial) && isa<tensor::ConcatOp>(user) && !type.hasStaticShape();
  }

  static bool isScalarConstant(Operation *op) {
    return op->hasTrait<OpTrait::ConstantLike>() && !isa<TensorType>(op->getResult(0).getType());
  }

  /// Values that are used after the group.
  void collectResults() {
    llvm::SmallPtrSet<Operation *, 8> members(group.operations.begin(), group.operations.end());
    for (Operation *op : group.operations)
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) {
              return !members.contains(op->getBlock()->findAncestorOpInBlock(*user));
            }))
          results.push_back(result);
  }

  void fillBody(plan::KernelOp kernel) {
    Block *body = builder.createBlock(&kernel.getBody());
    IRMapping mapping;
    for (Value tensor : tensors)
      mapping.map(tensor, body->addArgument(tensor.getType(), tensor.getLoc()));
    for (Value scalar : scalars) {
      Value index = body->addArgument(builder.getIndexType(), scalar.getLoc());
      mapping.map(scalar, fromIndex(index, scalar.getType()));
    }
    for (Operation *op : operations)
      builder.clone(*op, mapping);
    SmallVector<Value> yielded;
    for (Value result : results)
      yielded.push_back(mapping.lookup(result));
    plan::YieldOp::create(builder, kernel.getLoc(), yielded);
  }

  /// Scalars travel as 64 bits.
  Value toIndex(Value scalar) {
    Location location = scalar.getLoc();
    Type type = scalar.getType();
    if (type.isIndex())
      return scalar;
    if (type.isFloat()) {
      auto bits = builder.getIntegerType(type.getIntOrFloatBitWidth());
      scalar = arith::BitcastOp::create(builder, location, bits, scalar);
    }
    return arith::IndexCastUIOp::create(builder, location, builder.getIndexType(), scalar);
  }

  Value fromIndex(Value index, Type type) {
    if (type.isIndex())
      return index;
    auto bits = builder.getIntegerType(type.getIntOrFloatBitWidth());
    Value value = arith::IndexCastUIOp::create(builder, index.getLoc(), bits, index);
    return type.isFloat()
               ? arith::BitcastOp::create(builder, index.getLoc(), type, value).getResult()
               : value;
  }

  LogicalResult collectResultDims() {
    for (Value result : results) {
      auto type = cast<RankedTensorType>(result.getType());
      for (int64_t dim = 0; dim < type.getRank(); ++dim) {
        if (!type.isDynamicDim(dim))
          continue;
        FailureOr<Value> size = sizes.sizeOf(result, dim);
        if (failed(size))
          return failure();
        resultDims.push_back(*size);
      }
    }
    return success();
  }

  KernelGroup &group;
  std::string name;
  SizeResolver &sizes;
  OpBuilder builder;
  SmallVector<Operation *> operations;
  llvm::SetVector<Value> tensors, scalars;
  SmallVector<Value> results, resultDims;
};

/// A view that costs nothing, for the forms in which lowering and fusion leave reshapes.
LogicalResult toPlanReshape(Operation *op, SizeResolver &sizes) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<Value> dims;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    if (!type.isDynamicDim(dim))
      continue;
    FailureOr<Value> size = sizes.sizeOf(op->getResult(0), dim);
    if (failed(size))
      return failure();
    dims.push_back(*size);
  }
  OpBuilder builder(op);
  // Another shape of nothing yet is nothing yet in that shape, and stays an initial value.
  Value view;
  if (op->getOperand(0).getDefiningOp<tensor::EmptyOp>())
    view = tensor::EmptyOp::create(builder, op->getLoc(), type, dims);
  else
    view = plan::ReshapeOp::create(builder, op->getLoc(), type, op->getOperand(0), dims);
  op->getResult(0).replaceAllUsesWith(view);
  sizes.replaced(op->getResult(0), view);
  op->erase();
  return success();
}

/// What a kernel is called for: the name of its root, as far as it is a word.
StringRef rootName(Operation *op) { return op->getName().stripDialect(); }

/// Where floats become integers of the program, the program reads them from what a kernel has
/// computed.
void readBackFloats(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (!isFloatArithmetic(op) || isa<FloatType>(op.getResult(0).getType()))
      continue;
    Value scalar = op.getResult(0);
    OpBuilder builder(op.getContext());
    builder.setInsertionPointAfter(&op);
    auto type = RankedTensorType::get({}, scalar.getType());
    Value tensor = tensor::FromElementsOp::create(builder, op.getLoc(), type, scalar);
    Value read = tensor::ExtractOp::create(builder, op.getLoc(), tensor, ValueRange());
    scalar.replaceUsesWithIf(read, [&](OpOperand &use) {
      return use.getOwner() != tensor.getDefiningOp() && !isFloatArithmetic(*use.getOwner());
    });
    if (read.use_empty())
      read.getDefiningOp()->erase();
  }
}

struct FormKernels : impl::FormKernelsBase<FormKernels> {
  using Base::Base;

  void runOnOperation() override {
    byText.clear();
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (failed(formKernels(function)))
        return signalPassFailure();
  }

  LogicalResult formKernels(func::FuncOp function) {
    if (!function.getBody().hasOneBlock())
      return function.emitError("control flow has to be structured before kernels are formed");
    // What nobody uses would become a kernel without results.
    eraseDead(function.front());
    SizeResolver sizes(function);
    if (failed(sizes.resolveAll()))
      return failure();
    SymbolTable symbols(getOperation());
    return formKernels(function.front(), symbols, function);
  }

  /// Branches and loops first: what they make again in their own kernels is then no longer asked
  /// for outside.
  LogicalResult formKernels(Block &block, SymbolTable &symbols, func::FuncOp function) {
    for (Operation &op : llvm::make_early_inc_range(block))
      if (isControlFlow(op))
        for (Region &region : op.getRegions())
          if (failed(formKernels(region.front(), symbols, function)))
            return failure();
    SizeResolver sizes(function);
    for (Operation &op : llvm::make_early_inc_range(block))
      if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(op) &&
          failed(toPlanReshape(&op, sizes)))
        return failure();

    readBackFloats(block);
    auto groups = groupOperations(block, separate);
    std::vector<KernelBuilder> builders;
    for (auto &group : groups) {
      builders.emplace_back(*group, ("kernel_" + rootName(group->operations.front())).str(), sizes);
      if (failed(builders.back().prepare()))
        return failure();
    }
    for (KernelBuilder &builder : builders)
      addKernel(builder, symbols, function);
    // What is still outside are initial values that no kernel made again because nobody works on
    // them.
    if (failed(dispatchLeftovers(block, symbols, function)))
      return failure();
    sortTopologically(&block);
    eraseDead(block);
    return success();
  }

  /// Initial values that are used as they are (returned, or reshaped): a kernel writes them.
  LogicalResult dispatchLeftovers(Block &block, SymbolTable &symbols, func::FuncOp function) {
    SmallVector<Operation *> leftovers;
    for (Operation &op : block)
      if (isa<linalg::FillOp, tensor::FromElementsOp>(op) && !op.use_empty() &&
          llvm::any_of(op.getUsers(), [](Operation *user) {
            return isa<plan::ReshapeOp, plan::ReinterpretOp, plan::SizedOp, plan::AppendOp,
                       plan::WrapOp, plan::DispatchOp, tensor::ExtractOp, func::ReturnOp,
                       scf::YieldOp, scf::ConditionOp>(user) ||
                   isControlFlow(*user);
          }))
        leftovers.push_back(&op);
    SizeResolver sizes(function);
    for (Operation *op : leftovers) {
      KernelGroup group;
      group.operations.push_back(op);
      KernelBuilder builder(group, ("kernel_" + rootName(op)).str(), sizes);
      if (failed(builder.prepare()))
        return failure();
      addKernel(builder, symbols, function);
    }
    return success();
  }

  void addKernel(KernelBuilder &builder, SymbolTable &symbols, func::FuncOp function) {
    auto [kernel, dispatch] = builder.build();
    plan::KernelOp &known = byText[textOf(kernel)];
    if (known) {
      kernel->erase();
    } else {
      known = kernel;
      symbols.insert(kernel, function->getIterator());
    }
    dispatch.setKernel(known.getSymName());
  }

  static void eraseDead(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op))
        op.erase();
  }

  /// The kernel without its name and locations.
  static std::string textOf(plan::KernelOp kernel) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    std::string name = kernel.getSymName().str();
    kernel.setSymName("kernel");
    kernel->print(stream, OpPrintingFlags().useLocalScope());
    kernel.setSymName(name);
    return text;
  }

  llvm::StringMap<plan::KernelOp> byText;
};

} // namespace
} // namespace tenon
