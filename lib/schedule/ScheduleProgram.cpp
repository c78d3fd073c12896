// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ScheduleProgram.cpp - dispatches into launches ---------------------===//
//
// One walk over the model's function, which holds only dispatches, reshapes,
// weights, constants and scalars by now. The order of commands is the order of
// the dispatches: with one device and one queue there is nothing to gain from
// another, and the order that lowering left keeps lifetimes short.
//
//===----------------------------------------------------------------------===//

#include "lib/schedule/Passes.h"

#include "lib/fuse/Sizes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AffineExprVisitor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_SCHEDULEPROGRAM
#include "lib/schedule/Passes.h.inc"

namespace {

/// Emits a size expression as arith.
class SizeExpression : public AffineExprVisitor<SizeExpression, Value> {
public:
  SizeExpression(OpBuilder &builder, Location location, ValueRange dims, ValueRange symbols)
      : builder(builder), location(location), dims(dims), symbols(symbols) {}

  Value visitAddExpr(AffineBinaryOpExpr expr) { return binary<arith::AddIOp>(expr); }
  Value visitMulExpr(AffineBinaryOpExpr expr) { return binary<arith::MulIOp>(expr); }
  /// Affine's modulo has the sign of the divisor.
  Value visitModExpr(AffineBinaryOpExpr expr) {
    Value lhs = visit(expr.getLHS()), rhs = visit(expr.getRHS());
    Value quotient = builder.createOrFold<arith::FloorDivSIOp>(location, lhs, rhs);
    Value floor = builder.createOrFold<arith::MulIOp>(location, quotient, rhs);
    return builder.createOrFold<arith::SubIOp>(location, lhs, floor);
  }
  Value visitFloorDivExpr(AffineBinaryOpExpr expr) { return binary<arith::FloorDivSIOp>(expr); }
  Value visitCeilDivExpr(AffineBinaryOpExpr expr) { return binary<arith::CeilDivSIOp>(expr); }
  Value visitConstantExpr(AffineConstantExpr expr) {
    return arith::ConstantIndexOp::create(builder, location, expr.getValue());
  }
  Value visitDimExpr(AffineDimExpr expr) { return dims[expr.getPosition()]; }
  Value visitSymbolExpr(AffineSymbolExpr expr) { return symbols[expr.getPosition()]; }

private:
  template <typename Op> Value binary(AffineBinaryOpExpr expr) {
    Value lhs = visit(expr.getLHS()), rhs = visit(expr.getRHS());
    return builder.createOrFold<Op>(location, lhs, rhs);
  }

  OpBuilder &builder;
  Location location;
  ValueRange dims, symbols;
};

class Scheduler {
public:
  Scheduler(func::FuncOp function, SymbolTable &symbols)
      : function(function), symbols(symbols), sizes(function), builder(function.getContext()) {}

  LogicalResult run() {
    // Every size is resolved in the function; then its scalars are moved over one by one.
    if (failed(prepareSizes()))
      return failure();
    builder.setInsertionPoint(function);
    program = rt::ProgramOp::create(builder, function.getLoc(), function.getSymName(), border(/*outputs=*/false),
                                    border(/*outputs=*/true), /*arena=*/IntegerAttr());
    builder.setInsertionPointToStart(&program.getBody().emplaceBlock());
    if (failed(addInputs()))
      return failure();
    findDestinations();
    for (Operation &op : function.front())
      if (failed(schedule(op)))
        return failure();
    function.erase();
    return success();
  }

private:
  /// The signature as attributes.
  ArrayAttr border(bool outputs) {
    SmallVector<Attribute> entries;
    ArrayRef<Type> types = outputs ? function.getResultTypes() : function.getArgumentTypes();
    for (auto [i, type] : llvm::enumerate(types)) {
      NamedAttrList entry(outputs ? function.getResultAttrDict(i) : function.getArgAttrDict(i));
      entry.set("type", TypeAttr::get(type));
      entries.push_back(entry.getDictionary(function.getContext()));
    }
    return builder.getArrayAttr(entries);
  }

  /// Dynamic dimensions of a value, as scalars of the function.
  FailureOr<SmallVector<Value>> dynamicDims(Value tensor) {
    SmallVector<Value> dims;
    auto type = cast<RankedTensorType>(tensor.getType());
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      if (!type.isDynamicDim(dim))
        continue;
      FailureOr<Value> size = sizes.sizeOf(tensor, dim);
      if (failed(size))
        return failure();
      dims.push_back(*size);
    }
    return dims;
  }

  LogicalResult prepareSizes() {
    if (failed(sizes.resolveAll()))
      return failure();
    SmallVector<Value> tensors;
    for (Operation &op : function.front()) {
      llvm::append_range(tensors, llvm::make_filter_range(op.getOperands(), isTensor));
      llvm::append_range(tensors, llvm::make_filter_range(op.getResults(), isTensor));
    }
    for (Value tensor : tensors) {
      FailureOr<SmallVector<Value>> dims = dynamicDims(tensor);
      if (failed(dims))
        return failure();
      sizesOf[tensor] = *dims;
    }
    return success();
  }

  static bool isTensor(Value value) { return isa<RankedTensorType>(value.getType()); }

  LogicalResult addInputs() {
    for (BlockArgument argument : function.getArguments()) {
      if (!isTensor(argument))
        return function.emitError("input ") << argument.getArgNumber() << " is not a tensor";
      buffers[argument] = rt::InputOp::create(builder, argument.getLoc(), builder.getType<rt::BufferType>(),
                                              argument.getArgNumber());
    }
    return success();
  }

  /// Which dispatch result is written straight into which output. The output's sizes have to be known when the
  /// dispatch runs, which those of a reshape after it need not be.
  void findDestinations() {
    for (OpOperand &given : function.front().getTerminator()->getOpOperands()) {
      Value value = withoutReshapes(given.get());
      auto dispatch = value.getDefiningOp<plan::DispatchOp>();
      if (!dispatch)
        continue;
      bool known = true;
      for (Value size = given.get(); size != value; size = size.getDefiningOp<plan::ReshapeOp>().getSource())
        known &= llvm::all_of(sizesOf[size], [&](Value dim) {
          Operation *producer = dim.getDefiningOp();
          return !producer || producer->isBeforeInBlock(dispatch);
        });
      if (known)
        destinations.try_emplace(value, given.getOperandNumber());
    }
  }

  static Value withoutReshapes(Value value) {
    while (auto reshape = value.getDefiningOp<plan::ReshapeOp>())
      value = reshape.getSource();
    return value;
  }

  LogicalResult schedule(Operation &op) {
    Location location = op.getLoc();
    Type buffer = builder.getType<rt::BufferType>();
    if (auto dispatch = dyn_cast<plan::DispatchOp>(op))
      return scheduleDispatch(dispatch);
    if (auto reshape = dyn_cast<plan::ReshapeOp>(op))
      return scheduleReshape(reshape);
    if (auto returnOp = dyn_cast<func::ReturnOp>(op))
      return scheduleReturn(returnOp);
    if (auto weight = dyn_cast<plan::GetWeightOp>(op)) {
      buffers[weight] = rt::WeightOp::create(builder, location, buffer, weight.getWeightAttr());
      return success();
    }
    if (auto constant = dyn_cast<arith::ConstantOp>(op); constant && isTensor(constant)) {
      buffers[constant] = rt::ConstantOp::create(builder, location, buffer, cast<ElementsAttr>(constant.getValue()));
      return success();
    }
    if (auto dim = dyn_cast<plan::DimOp>(op)) {
      scalars.map(dim, sizeOfSymbol(dim));
      return success();
    }
    if (auto dim = dyn_cast<tensor::DimOp>(op)) {
      auto argument = cast<BlockArgument>(dim.getSource());
      scalars.map(dim, rt::SizeOp::create(builder, location, builder.getIndexType(), argument.getArgNumber(),
                                          *dim.getConstantIndex()).getResult());
      return success();
    }
    if (auto extract = dyn_cast<tensor::ExtractOp>(op))
      return scheduleRead(extract);
    if (isa<affine::AffineApplyOp, affine::AffineMinOp, affine::AffineMaxOp>(op)) {
      scalars.map(op.getResult(0), affineSize(op));
      return success();
    }
    if (isa<arith::ArithDialect>(op.getDialect())) {
      builder.clone(op, scalars);
      return success();
    }
    return op.emitError("is neither a dispatch nor a size; it should be in a kernel by now");
  }

  /// One of affine's sizes: the only, the least or the greatest of its expressions.
  Value affineSize(Operation &op) {
    AffineMap map = cast<AffineMapAttr>(op.getAttr("map")).getValue();
    SmallVector<Value> operands = mapped(op.getOperands());
    SizeExpression expression(builder, op.getLoc(), ArrayRef(operands).take_front(map.getNumDims()),
                              ArrayRef(operands).drop_front(map.getNumDims()));
    Value size;
    for (AffineExpr result : map.getResults()) {
      Value next = expression.visit(result);
      if (!size)
        size = next;
      else if (isa<affine::AffineMinOp>(op))
        size = builder.createOrFold<arith::MinSIOp>(op.getLoc(), size, next);
      else
        size = builder.createOrFold<arith::MaxSIOp>(op.getLoc(), size, next);
    }
    return size;
  }

  Value sizeOfSymbol(plan::DimOp op) {
    for (BlockArgument argument : function.getArguments()) {
      auto dims = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), plan::dimsAttribute);
      for (auto [axis, dim] : llvm::enumerate(dims ? dims.getValue() : ArrayRef<Attribute>()))
        if (dim == op.getDimensionAttr())
          return rt::SizeOp::create(builder, op.getLoc(), builder.getIndexType(), argument.getArgNumber(), axis);
    }
    llvm_unreachable("plan.dim: some argument of the function has the dimension");
  }

  SmallVector<Value> mapped(ValueRange values) {
    return llvm::map_to_vector(values, [&](Value value) { return scalars.lookup(value); });
  }

  LogicalResult scheduleDispatch(plan::DispatchOp dispatch) {
    Location location = dispatch.getLoc();
    auto kernel = symbols.lookup<plan::KernelOp>(dispatch.getKernel());
    if (!kernel.getCount())
      return dispatch.emitError("calls a kernel without generated code");
    SmallVector<Value> reads, writes, launchSizes;
    for (Value input : dispatch.getInputs()) {
      reads.push_back(buffers.lookup(input));
      llvm::append_range(launchSizes, mapped(sizesOf[input]));
    }
    for (Value output : dispatch.getOutputs()) {
      buffers[output] = allocate(output);
      writes.push_back(buffers[output]);
      llvm::append_range(launchSizes, mapped(sizesOf[output]));
    }
    llvm::append_range(launchSizes, mapped(dispatch.getIndices()));
    AffineExpr count = simplifyAffineExpr(kernel.getCount()->getResult(0), 0, launchSizes.size());
    Value groups = SizeExpression(builder, location, {}, launchSizes).visit(count);
    rt::LaunchOp::create(builder, location, dispatch.getKernel(), reads, writes, launchSizes, groups);
    return success();
  }

  /// The buffer for a new tensor: the caller's where the model gives it, else a temporary.
  Value allocate(Value tensor) {
    Location location = tensor.getLoc();
    if (auto destination = destinations.find(tensor); destination != destinations.end()) {
      Value given = function.front().getTerminator()->getOperand(destination->second);
      // Before the dispatch writes: the caller's tensor is as large as the reshape says.
      for (Value view = given; view != tensor; view = view.getDefiningOp<plan::ReshapeOp>().getSource())
        checkReshape(view.getDefiningOp<plan::ReshapeOp>());
      return rt::OutputOp::create(builder, location, builder.getType<rt::BufferType>(), destination->second,
                                  mapped(sizesOf[given]));
    }
    return rt::TemporaryOp::create(builder, location, builder.getType<rt::BufferType>(), bytesOf(tensor),
                                   /*offset=*/IntegerAttr());
  }

  /// The product of a tensor's static sizes.
  static int64_t staticElementsOf(Value tensor) {
    int64_t product = 1;
    for (int64_t size : cast<RankedTensorType>(tensor.getType()).getShape())
      product *= ShapedType::isDynamic(size) ? 1 : size;
    return product;
  }

  Value elementsOf(Value tensor) {
    Location location = tensor.getLoc();
    Value count = arith::ConstantIndexOp::create(builder, location, staticElementsOf(tensor));
    for (Value size : mapped(sizesOf[tensor]))
      count = builder.createOrFold<arith::MulIOp>(location, count, size);
    return count;
  }

  Value bytesOf(Value tensor) {
    Type element = cast<RankedTensorType>(tensor.getType()).getElementType();
    Value width = arith::ConstantIndexOp::create(builder, tensor.getLoc(), bytesOfElement(element));
    return builder.createOrFold<arith::MulIOp>(tensor.getLoc(), elementsOf(tensor), width);
  }

  static int64_t bytesOfElement(Type element) {
    return element.isIndex() ? 8 : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  }

  LogicalResult scheduleReshape(plan::ReshapeOp reshape) {
    buffers[reshape] = buffers.lookup(reshape.getSource());
    checkReshape(reshape);
    return success();
  }

  /// That both shapes hold the same number of elements, once, where it is not known.
  void checkReshape(plan::ReshapeOp reshape) {
    if (!checked.insert(reshape).second)
      return;
    ArrayRef<Value> from = sizesOf[reshape.getSource()], to = sizesOf[reshape.getResult()];
    if (staticElementsOf(reshape.getSource()) == staticElementsOf(reshape.getResult()) && from.size() == to.size() &&
        std::is_permutation(from.begin(), from.end(), to.begin()))
      return;
    Value source = elementsOf(reshape.getSource()), result = elementsOf(reshape.getResult());
    Value same = arith::CmpIOp::create(builder, reshape.getLoc(), arith::CmpIPredicate::eq, source, result);
    std::string message;
    llvm::raw_string_ostream(message) << "reshape from " << reshape.getSource().getType() << " to "
                                      << reshape.getType() << " with another number of elements";
    rt::CheckOp::create(builder, reshape.getLoc(), same, message);
  }

  LogicalResult scheduleReturn(func::ReturnOp returnOp) {
    for (OpOperand &given : returnOp->getOpOperands()) {
      auto destination = destinations.find(withoutReshapes(given.get()));
      if (destination != destinations.end() && destination->second == given.getOperandNumber())
        continue;
      Value output = rt::OutputOp::create(builder, returnOp.getLoc(), builder.getType<rt::BufferType>(),
                                          given.getOperandNumber(), mapped(sizesOf[given.get()]));
      rt::CopyOp::create(builder, returnOp.getLoc(), buffers.lookup(given.get()), output, bytesOf(given.get()));
    }
    return success();
  }

  /// A scalar that a kernel computed.
  LogicalResult scheduleRead(tensor::ExtractOp extract) {
    Location location = extract.getLoc();
    auto type = cast<RankedTensorType>(extract.getTensor().getType());
    if (!type.getElementType().isIntOrIndex())
      return extract.emitError("a size that depends on data is an integer, not ") << type.getElementType();
    Value position = arith::ConstantIndexOp::create(builder, location, 0);
    auto dynamic = mapped(sizesOf[extract.getTensor()]);
    auto next = dynamic.begin();
    for (auto [size, index] : llvm::zip_equal(type.getShape(), extract.getIndices())) {
      Value extent = ShapedType::isDynamic(size) ? *next++
                                                 : arith::ConstantIndexOp::create(builder, location, size).getResult();
      position = builder.createOrFold<arith::MulIOp>(location, position, extent);
      position = builder.createOrFold<arith::AddIOp>(location, position, scalars.lookup(index));
    }
    Value read = rt::ReadOp::create(builder, location, builder.getIndexType(), buffers.lookup(extract.getTensor()),
                                    position, bytesOfElement(type.getElementType()));
    if (!extract.getType().isIndex())
      read = arith::IndexCastOp::create(builder, location, extract.getType(), read);
    scalars.map(extract, read);
    return success();
  }

  func::FuncOp function;
  SymbolTable &symbols;
  SizeResolver sizes;
  OpBuilder builder;
  rt::ProgramOp program;
  llvm::DenseMap<Value, Value> buffers;
  llvm::DenseMap<Value, SmallVector<Value>> sizesOf;
  llvm::DenseMap<Value, unsigned> destinations;
  llvm::SmallPtrSet<Operation *, 8> checked;
  IRMapping scalars;
};

struct ScheduleProgram : impl::ScheduleProgramBase<ScheduleProgram> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (failed(Scheduler(function, symbols).run()))
        return signalPassFailure();
  }
};

} // namespace
} // namespace tenon
