// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Plan.cpp - the plan dialect's verifiers and folders ----------------===//
//
// The invariants of the levels around kernels: symbols resolve, types agree with
// them, a dispatch gives as many sizes as its results have dynamic dimensions.
//
//===----------------------------------------------------------------------===//

#include "dialects/plan/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon::plan;

#include "dialects/plan/PlanDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/plan/PlanAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/plan/PlanTypes.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/plan/PlanOps.cpp.inc"

void PlanDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/plan/PlanAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/plan/PlanTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/plan/PlanOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Attributes of a model's border
//===----------------------------------------------------------------------===//

LogicalResult PlanDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  return op->emitError() << attribute.getName() << " belongs on an argument or result of a model";
}

/// `plan.dims` against the type it describes. A type may be more precise than the signature it was
/// imported with.
static LogicalResult verifyDims(Operation *op, Type type, ArrayAttr dims) {
  if (!llvm::all_of(dims, llvm::IsaPred<FlatSymbolRefAttr, IntegerAttr, UnitAttr>))
    return op->emitError() << "plan.dims holds dimensions, integers and unit, not " << dims;
  // The declared shape of a tensor of strings.
  if (isa<ObjectType>(type))
    return success();
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || static_cast<int64_t>(dims.size()) != tensor.getRank())
    return op->emitError() << "plan.dims has " << dims.size() << " entries for " << type;
  for (auto [size, dim] : llvm::zip_equal(tensor.getShape(), dims))
    if (auto fixed = dyn_cast<IntegerAttr>(dim); fixed && fixed.getInt() != size)
      return op->emitError() << "plan.dims says " << dims << " of " << type;
  return success();
}

/// An attribute of an argument or result of `type`.
static LogicalResult verifyBorderAttribute(Operation *op, Type type, NamedAttribute attribute) {
  StringRef name = attribute.getName();
  Attribute value = attribute.getValue();
  if (name == nameAttribute && isa<StringAttr>(value))
    return success();
  if (name == elementAttribute && isa<TypeAttr>(value))
    return success();
  if (name == dimsAttribute)
    if (auto dims = dyn_cast<ArrayAttr>(value))
      return verifyDims(op, type, dims);
  return op->emitError() << "unknown or ill-formed attribute " << name;
}

LogicalResult PlanDialect::verifyRegionArgAttribute(Operation *op, unsigned, unsigned argument,
                                                    NamedAttribute attribute) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  Type type = function ? function.getArgumentTypes()[argument] : Type();
  if (!isa<KernelOp>(op))
    return verifyBorderAttribute(op, type, attribute);
  auto packing = dyn_cast<PackingAttr>(attribute.getValue());
  if (attribute.getName() != packingAttribute || !packing)
    return op->emitError() << "unknown or ill-formed attribute " << attribute.getName()
                           << " of a kernel's argument";
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !packing.packedType(tensor))
    return op->emitError() << "argument " << argument << " of type " << type
                           << " cannot be packed as " << packing;
  return success();
}

LogicalResult PlanDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned result,
                                                       NamedAttribute attribute) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  if (attribute.getName() == inPlaceAttribute && function) {
    auto argument = dyn_cast<IntegerAttr>(attribute.getValue());
    if (!argument || argument.getInt() < 0 || argument.getInt() >= function.getNumArguments())
      return op->emitError() << "result " << result << " may take the memory of argument "
                             << attribute.getValue() << ", which does not exist";
    return success();
  }
  return verifyBorderAttribute(op, function ? function.getResultTypes()[result] : Type(),
                               attribute);
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

RankedTensorType PackingAttr::packedType(RankedTensorType logical) const {
  int64_t rank = logical.getRank();
  ArrayRef<int64_t> positions = getInnerDimsPos(), tiles = getInnerTiles(),
                    perm = getOuterDimsPerm();
  if (positions.size() != tiles.size() || (!perm.empty() && int64_t(perm.size()) != rank))
    return {};
  SmallVector<int64_t> outer(logical.getShape());
  llvm::SmallBitVector cut(rank);
  for (auto [position, tile] : llvm::zip_equal(positions, tiles)) {
    if (position < 0 || position >= rank || tile <= 0 || cut.test(position))
      return {};
    cut.set(position);
    if (!ShapedType::isDynamic(outer[position]))
      outer[position] = llvm::divideCeil(outer[position], tile);
  }
  SmallVector<int64_t> shape;
  if (perm.empty()) {
    shape = outer;
  } else {
    llvm::SmallBitVector seen(rank);
    for (int64_t position : perm) {
      if (position < 0 || position >= rank || seen.test(position))
        return {};
      seen.set(position);
      shape.push_back(outer[position]);
    }
  }
  llvm::append_range(shape, tiles);
  return RankedTensorType::get(shape, logical.getElementType());
}

//===----------------------------------------------------------------------===//
// Symbols
//===----------------------------------------------------------------------===//

LogicalResult DimensionOp::verify() {
  // The accessors of integer attributes give their bits, unsigned.
  int64_t min = getMin(), max = getMax().value_or(min), multiple = getMultiple();
  if (min < 0)
    return emitOpError("a dimension is not negative, but min is ") << min;
  if (max < min)
    return emitOpError("max ") << max << " is below min " << min;
  if (multiple < 1)
    return emitOpError("multiple must be at least 1, but is ") << multiple;
  return success();
}

/// Kernels know nothing of the model around them.
static LogicalResult verifyOutsideKernels(Operation *op) {
  if (op->getParentOfType<KernelOp>())
    return op->emitOpError("cannot be in a kernel");
  return success();
}

LogicalResult DimOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!symbols.lookupNearestSymbolFrom<DimensionOp>(*this, getDimensionAttr()))
    return emitOpError() << getDimensionAttr() << " is not a plan.dimension";
  if (failed(verifyOutsideKernels(*this)))
    return failure();
  auto function = (*this)->getParentOfType<FunctionOpInterface>();
  for (unsigned i = 0, end = function ? function.getNumArguments() : 0; i != end; ++i)
    if (auto dims = function.getArgAttrOfType<ArrayAttr>(i, dimsAttribute);
        dims && llvm::is_contained(dims, getDimensionAttr()))
      return success();
  return emitOpError() << getDimensionAttr()
                       << " is a dimension of no argument of the function, so nothing binds it";
}

LogicalResult WeightOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (!type.hasStaticShape())
    return emitOpError("a weight has a static shape, not ") << type;
  if (getSource().has_value() != getPacking().has_value())
    return emitOpError("a packed weight has both a source and a packing");
  return success();
}

LogicalResult WeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!getSource())
    return success();
  auto source = symbols.lookupNearestSymbolFrom<WeightOp>(*this, getSourceAttr());
  if (!source)
    return emitOpError() << getSourceAttr() << " is not a plan.weight";
  if (source.getSource())
    return emitOpError() << getSourceAttr() << " is packed itself";
  RankedTensorType packed = getPacking()->packedType(cast<RankedTensorType>(source.getType()));
  if (!packed)
    return emitOpError() << getPackingAttr() << " does not fit " << getSourceAttr() << " of type "
                         << source.getType();
  if (packed != getType())
    return emitOpError() << "has type " << getType() << ", but " << getSourceAttr() << " packs to "
                         << packed;
  return success();
}

LogicalResult GetWeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (failed(verifyOutsideKernels(*this)))
    return failure();
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr());
  if (!weight)
    return emitOpError() << getWeightAttr() << " is not a plan.weight";
  if (weight.getType() != getType())
    return emitOpError() << getWeightAttr() << " has type " << weight.getType() << ", not "
                         << getType();
  return success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType = [](Builder &builder, ArrayRef<Type> arguments, ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag,
                      std::string &) { return builder.getFunctionType(arguments, results); };
  return function_interface_impl::parseFunctionOp(
      parser, result, /*allowVariadic=*/false, getFunctionTypeAttrName(result.name), buildType,
      getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void KernelOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false,
                                           getFunctionTypeAttrName(), getArgAttrsAttrName(),
                                           getResAttrsAttrName());
}

unsigned KernelOp::getNumTensorArguments() {
  return llvm::count_if(getArgumentTypes(), llvm::IsaPred<RankedTensorType>);
}

static unsigned countDynamic(Type type) { return cast<RankedTensorType>(type).getNumDynamicDims(); }

unsigned KernelOp::getNumSizes() {
  unsigned tensors = getNumTensorArguments(), count = getArgumentTypes().size() - tensors;
  for (Type type : getArgumentTypes().take_front(tensors))
    count += countDynamic(type);
  for (Type type : getResultTypes())
    count += countDynamic(type);
  return count;
}

unsigned KernelOp::getSizePosition(unsigned tensor, unsigned dim) {
  SmallVector<Type> tensors(getArgumentTypes().take_front(getNumTensorArguments()));
  llvm::append_range(tensors, getResultTypes());
  unsigned position = 0;
  for (Type type : ArrayRef(tensors).take_front(tensor))
    position += countDynamic(type);
  return position + cast<RankedTensorType>(tensors[tensor]).getDynamicDimIndex(dim);
}

LogicalResult KernelOp::verify() {
  bool indices = false;
  for (Type type : getArgumentTypes()) {
    if (type.isIndex())
      indices = true;
    else if (!isa<RankedTensorType>(type))
      return emitOpError("takes tensors and indices, not ") << type;
    else if (indices)
      return emitOpError("takes its tensors before its indices");
  }
  if (getResultTypes().empty() || !llvm::all_of(getResultTypes(), llvm::IsaPred<RankedTensorType>))
    return emitOpError("gives tensors, and at least one");
  if (!getBody().hasOneBlock())
    return emitOpError("has one block");
  auto yield = dyn_cast<YieldOp>(getBody().front().getTerminator());
  if (!yield || TypeRange(yield.getOperandTypes()) != TypeRange(getResultTypes()))
    return emitOpError("ends in a plan.yield of its result types");
  if (auto map = getCount(); map && (map->getNumDims() != 0 || map->getNumResults() != 1 ||
                                     map->getNumSymbols() != getNumSizes()))
    return emitOpError("has a count that is a map from its ")
           << getNumSizes() << " sizes to one number";
  return success();
}

//===----------------------------------------------------------------------===//
// Dispatch and reshape
//===----------------------------------------------------------------------===//

LogicalResult DispatchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError() << getKernelAttr() << " is not a plan.kernel";
  SmallVector<Type> arguments(getInputs().getTypes());
  llvm::append_range(arguments, getIndices().getTypes());
  if (TypeRange(arguments) != TypeRange(kernel.getArgumentTypes()) ||
      TypeRange(getResultTypes()) != TypeRange(kernel.getResultTypes()))
    return emitOpError() << "does not fit " << getKernelAttr() << " of type "
                         << kernel.getFunctionType();
  unsigned dynamic = 0;
  for (Type type : getResultTypes())
    dynamic += countDynamic(type);
  if (getResultDims().size() != dynamic)
    return emitOpError("has ") << dynamic << " dynamic result dimensions but gives "
                               << getResultDims().size();
  if (failed(verifyOutsideKernels(*this)))
    return failure();
  if (!getDevice())
    return success();
  auto device = symbols.lookupNearestSymbolFrom<DeviceOp>(*this, getDeviceAttr());
  if (!device)
    return emitOpError() << getDeviceAttr() << " is not a plan.device";
  if (kernel.getTarget() && *kernel.getTarget() != device.getTarget())
    return emitOpError() << getKernelAttr() << " is for " << *kernel.getTarget() << ", but "
                         << getDeviceAttr() << " is " << device.getTarget();
  return success();
}

/// One entry per dimension of `type`: a constant, or the next of `dynamic`.
static SmallVector<OpFoldResult> mixedSizes(OpBuilder &builder, RankedTensorType type,
                                            ValueRange &dynamic) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t size : type.getShape()) {
    if (!ShapedType::isDynamic(size)) {
      sizes.push_back(builder.getIndexAttr(size));
      continue;
    }
    sizes.push_back(dynamic.front());
    dynamic = dynamic.drop_front();
  }
  return sizes;
}

LogicalResult DispatchOp::reifyResultShapes(OpBuilder &builder,
                                            ReifiedRankedShapedTypeDims &shapes) {
  ValueRange dynamic = getResultDims();
  for (Type type : getResultTypes())
    shapes.push_back(mixedSizes(builder, cast<RankedTensorType>(type), dynamic));
  return success();
}

LogicalResult ReshapeOp::reifyResultShapes(OpBuilder &builder,
                                           ReifiedRankedShapedTypeDims &shapes) {
  ValueRange dynamic = getDims();
  shapes.push_back(mixedSizes(builder, getType(), dynamic));
  return success();
}

LogicalResult ReshapeOp::verify() {
  RankedTensorType from = getSource().getType(), to = getType();
  if (from.getElementType() != to.getElementType())
    return emitOpError("keeps the element type, but goes from ") << from << " to " << to;
  if (static_cast<size_t>(to.getNumDynamicDims()) != getDims().size())
    return emitOpError("has ") << to.getNumDynamicDims() << " dynamic dimensions but gives "
                               << getDims().size();
  if (from.hasStaticShape() && to.hasStaticShape() && from.getNumElements() != to.getNumElements())
    return emitOpError("goes from ")
           << from.getNumElements() << " elements to " << to.getNumElements();
  return success();
}

LogicalResult SizedOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  ValueRange dynamic = getDims();
  shapes.push_back(mixedSizes(builder, cast<RankedTensorType>(getType()), dynamic));
  return success();
}

LogicalResult SizedOp::verify() {
  unsigned dynamic = countDynamic(getType());
  if (getDims().size() != dynamic)
    return emitOpError("has ") << dynamic << " dynamic dimensions but gives " << getDims().size();
  return success();
}

LogicalResult AppendOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  auto type = cast<RankedTensorType>(getType());
  auto sizeOf = [&](Value tensor, int64_t dim) -> OpFoldResult {
    auto from = cast<RankedTensorType>(tensor.getType());
    if (!from.isDynamicDim(dim))
      return builder.getIndexAttr(from.getDimSize(dim));
    return tensor::DimOp::create(builder, getLoc(), tensor, dim).getResult();
  };
  Value rows = getValueOrCreateConstantIndexOp(builder, getLoc(), sizeOf(getSource(), 0));
  Value one = arith::ConstantIndexOp::create(builder, getLoc(), 1);
  SmallVector<OpFoldResult> sizes{arith::AddIOp::create(builder, getLoc(), rows, one).getResult()};
  for (int64_t dim = 1; dim < type.getRank(); ++dim)
    sizes.push_back(type.isDynamicDim(dim)
                        ? sizeOf(getRow(), dim - 1)
                        : OpFoldResult(builder.getIndexAttr(type.getDimSize(dim))));
  shapes.push_back(std::move(sizes));
  return success();
}

LogicalResult AppendOp::verify() {
  auto row = cast<RankedTensorType>(getRow().getType()),
       source = cast<RankedTensorType>(getSource().getType());
  auto result = cast<RankedTensorType>(getType());
  if (source.getRank() != row.getRank() + 1 || result.getRank() != source.getRank())
    return emitOpError("appends a tensor of one dimension less, not ") << row << " to " << source;
  if (row.getElementType() != source.getElementType() ||
      result.getElementType() != source.getElementType())
    return emitOpError("keeps the element type, but appends ") << row << " to " << source;
  if (!result.isDynamicDim(0))
    return emitOpError("gives a number of rows that the program counts, not ") << result;
  return success();
}

LogicalResult ReinterpretOp::reifyResultShapes(OpBuilder &builder,
                                               ReifiedRankedShapedTypeDims &shapes) {
  ValueRange dynamic = getDims();
  shapes.push_back(mixedSizes(builder, getType(), dynamic));
  return success();
}

/// The bytes of a tensor of static shape.
static int64_t bytesOf(RankedTensorType type) {
  return llvm::divideCeil(type.getNumElements() * type.getElementTypeBitWidth(), 8);
}

LogicalResult ReinterpretOp::verify() {
  RankedTensorType from = getSource().getType(), to = getType();
  if (!from.getElementType().isIntOrFloat() || !to.getElementType().isIntOrFloat())
    return emitOpError("sees integers and floats, not ") << from << " as " << to;
  if (static_cast<size_t>(to.getNumDynamicDims()) != getDims().size())
    return emitOpError("has ") << to.getNumDynamicDims() << " dynamic dimensions but gives "
                               << getDims().size();
  if (from.hasStaticShape() && to.hasStaticShape() && bytesOf(from) != bytesOf(to))
    return emitOpError("goes from ") << bytesOf(from) << " bytes to " << bytesOf(to);
  return success();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  // Only a static shape is known to be the same by its type.
  if (getSource().getType() == getType() && getType().hasStaticShape())
    return getSource();
  return {};
}

namespace {
/// A reshape of a reshape is one reshape.
struct ComposeReshapes : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getSource().getDefiningOp<ReshapeOp>();
    if (!inner)
      return failure();
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), inner.getSource(), op.getDims());
    return success();
  }
};
} // namespace

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<ComposeReshapes>(context);
}

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

LogicalResult TransferOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!symbols.lookupNearestSymbolFrom<DeviceOp>(*this, getDeviceAttr()))
    return emitOpError() << getDeviceAttr() << " is not a plan.device";
  return verifyOutsideKernels(*this);
}
