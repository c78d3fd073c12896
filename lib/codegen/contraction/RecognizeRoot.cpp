// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RecognizeRoot.cpp - the contraction or convolution of a kernel -----===//
//
// A convolution becomes the same nest as a matrix product: its rows are pixels, its
// columns output channels, its taps (positions in the kernel) and input channels the
// reduction. Groups become an outer loop, unless they have one channel each. One whose kernel has a
// single tap and that skips no pixel *is* a matrix product and is described as one.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/contraction/Recognizer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::contraction;

/// Operations that need nothing from the generator: it looks through them where it meets them.
static bool isTransparent(Operation &op) {
  if (isa<linalg::FillOp, linalg::UnPackOp, tensor::EmptyOp, tensor::DimOp, tensor::ExpandShapeOp,
          tensor::CollapseShapeOp, tensor::CastOp, plan::YieldOp>(op) ||
      op.hasTrait<OpTrait::ConstantLike>())
    return true;
  return llvm::all_of(op.getResultTypes(), [](Type type) { return type.isIndex(); });
}

LogicalResult Recognizer::recognizeRoot() {
  for (Operation &op : kernel.getBody().front()) {
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    bool contraction = linalgOp && linalg::isaContractionOpInterface(linalgOp);
    if (contraction || isa<nn::ConvOp>(op)) {
      if (spec.root)
        return decline("the kernel has more than one contraction");
      spec.root = &op;
      if (failed(contraction ? recognizeContraction(linalgOp)
                             : recognizeConvolution(cast<nn::ConvOp>(op))))
        return failure();
    } else if (linalgOp && !isTransparent(op)) {
      if (linalgOp.getNumParallelLoops() != linalgOp.getNumLoops())
        return decline("the kernel has a reduction that is no contraction");
    } else if (!isTransparent(op)) {
      return decline("the kernel holds " + op.getName().getStringRef());
    }
  }
  return spec.root ? success() : decline("the kernel has no contraction");
}

/// The mapping that an indexing map stands for; fails on anything but dimensions and the constant
/// 0.
static FailureOr<Mapping> mappingOf(AffineMap map) {
  Mapping mapping;
  for (AffineExpr expression : map.getResults()) {
    Coordinate coordinate;
    if (auto dim = dyn_cast<AffineDimExpr>(expression))
      coordinate.push_back({dim.getPosition(), 1});
    else if (constantOf(expression) != 0)
      return failure();
    mapping.push_back(std::move(coordinate));
  }
  return mapping;
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

LogicalResult Recognizer::recognizeContraction(linalg::LinalgOp op) {
  FailureOr<Mapping> lhsMapping = mappingOf(op.getMatchingIndexingMap(op.getDpsInputOperand(0)));
  FailureOr<Mapping> rhsMapping = mappingOf(op.getMatchingIndexingMap(op.getDpsInputOperand(1)));
  FailureOr<Mapping> resultMapping = mappingOf(op.getMatchingIndexingMap(op.getDpsInitOperand(0)));
  if (op->getNumResults() != 1 || failed(lhsMapping) || failed(rhsMapping) || failed(resultMapping))
    return decline("the contraction's operands are not read as plain dimensions");
  dimensions.resize(op.getNumLoops());

  FailureOr<MappedTensor> left = bindOperand(op.getDpsInputOperand(0)->get(), *lhsMapping);
  FailureOr<MappedTensor> right = bindOperand(op.getDpsInputOperand(1)->get(), *rhsMapping);
  if (failed(left) || failed(right))
    return failure();
  lhs = *left, rhs = *right;
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  spec.element = dyn_cast<FloatType>(result.getElementType());
  if (!spec.element || (!spec.element.isF32() && !spec.element.isF64()) ||
      lhs.type.getElementType() != spec.element || rhs.type.getElementType() != spec.element)
    return decline("only f32 and f64 contractions with one element type throughout are covered");
  tileMappings[op->getResult(0)] = *resultMapping;
  return recognizeInitial(op.getDpsInits()[0], *resultMapping);
}

LogicalResult Recognizer::recognizeInitial(Value value, const Mapping &mapping) {
  if (auto fill = value.getDefiningOp<linalg::FillOp>()) {
    FloatAttr constantValue;
    if (!matchPattern(fill.getInputs()[0], m_Constant(&constantValue)))
      return decline("the contraction starts from a value known only at run time");
    spec.initial = constantValue;
    return success();
  }
  DenseElementsAttr splat;
  if (matchPattern(value, m_Constant(&splat)) && splat.isSplat()) {
    spec.initial = splat.getSplatValue<FloatAttr>();
    return success();
  }
  FailureOr<unsigned> leaf = addLeaf(value, mapping);
  if (failed(leaf))
    return failure();
  spec.initial = FloatAttr::get(spec.element, 0.0);
  spec.initialLeaf = *leaf;
  return success();
}

FailureOr<MappedTensor> Recognizer::bindOperand(Value value, const Mapping &mapping) {
  MappedTensor operand{0, cast<RankedTensorType>(value.getType()), mapping};
  if (auto unpack = value.getDefiningOp<linalg::UnPackOp>()) {
    ArrayRef<int64_t> positions = unpack.getInnerDimsPos(), tiles = unpack.getStaticInnerTiles();
    std::optional<unsigned> tensor = findTensor(unpack.getSource());
    if (!tensor || positions.size() != 1 || ShapedType::isDynamic(tiles[0]))
      return decline("a packed operand has another form than one panel dimension");
    auto packed = cast<RankedTensorType>(unpack.getSource().getType());
    operand.tensor = *tensor;
    operand.type = RankedTensorType::get(packed.getShape().drop_back(), packed.getElementType());
    operand.panel = tiles[0];
    ArrayRef<int64_t> permutation = unpack.getOuterDimsPerm();
    for (unsigned dim = 0; dim < mapping.size(); ++dim) {
      unsigned logical = permutation.empty() ? dim : permutation[dim];
      operand.mapping[dim] = mapping[logical];
      if (logical == positions[0])
        operand.packedDimension = dim;
    }
    return operand;
  }
  DenseElementsAttr constant;
  if (matchPattern(value, m_Constant(&constant)) && constant.isSplat()) {
    operand.tensor = noTensor;
    operand.splat = constant.getSplatValue<TypedAttr>();
    return operand;
  }
  std::optional<unsigned> tensor = findTensor(value);
  if (!tensor)
    return decline("an operand of the contraction is not an argument of the kernel");
  operand.tensor = *tensor;
  operand.isArgument = isa<BlockArgument>(value);
  return operand;
}

LogicalResult Recognizer::assignRoles() {
  if (isa<nn::ConvOp>(spec.root))
    return success();
  auto collect = [&](const Mapping &mapping) {
    llvm::SmallBitVector in(dimensions.size());
    for (const Coordinate &coordinate : mapping)
      for (auto [dim, factor] : coordinate)
        in.set(dim);
    return in;
  };
  llvm::SmallBitVector inLhs = collect(lhs.mapping), inRhs = collect(rhs.mapping);
  llvm::SmallBitVector inResult = collect(tileMappings[spec.root->getResult(0)]);

  // Columns are what the results have innermost: only there can a vector be stored.
  std::optional<bool> swap;
  const MappedTensor &output = outputs.front();
  for (int64_t position = output.type.getRank() - 1; position >= 0 && !swap; --position)
    for (auto [dim, factor] : output.mapping[position])
      if (constantOf(dimensions[dim].size) != 1) {
        if (inLhs[dim] && inRhs[dim])
          return decline("the innermost dimension of the result is a batch dimension");
        swap = inLhs[dim];
      }
  if (swap.value_or(false)) {
    std::swap(lhs, rhs);
    std::swap(inLhs, inRhs);
  }
  if (lhs.panel || lhs.splat)
    return decline("the packed or constant operand gives the rows of the result, not its columns");
  for (unsigned dim = 0; dim < dimensions.size(); ++dim) {
    if (!inResult[dim] && !(inLhs[dim] && inRhs[dim]))
      return decline("one operand alone is summed over a dimension");
    dimensions[dim].role = !inResult[dim]             ? Role::Reduction
                           : inLhs[dim] && inRhs[dim] ? Role::Outer
                           : inLhs[dim]               ? Role::Row
                                                      : Role::Column;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

LogicalResult Recognizer::recognizeConvolution(nn::ConvOp op) {
  if (!op.isChannelsLast())
    return decline("the convolution does not have its channels last");
  RankedTensorType input = op.getInput().getType(), filter = op.getFilter().getType(),
                   result = op.getType();
  spec.element = dyn_cast<FloatType>(result.getElementType());
  if (!spec.element || (!spec.element.isF32() && !spec.element.isF64()) ||
      input.getElementType() != spec.element)
    return decline("only f32 and f64 convolutions are covered");
  int64_t groups = op.getGroups(), rank = op.getSpatialRank();
  int64_t channels = filter.getDimSize(1), filters = filter.getDimSize(0) / groups;
  if (ShapedType::isDynamicShape(filter.getShape()))
    return decline("the filter's shape is dynamic");
  spec.isDepthwise = groups > 1 && channels == 1 && filters == 1;
  if (groups > 1 && channels < 8 && !spec.isDepthwise)
    return decline("a convolution with fewer than 8 channels in each of its groups");

  // Dimensions: image, spatial..., group, column, taps..., channel.
  unsigned group = rank + 1, column = rank + 2, tap = rank + 3, channel = 2 * rank + 3;
  dimensions.resize(channel + 1);
  for (int64_t dim = 0; dim <= rank; ++dim)
    dimensions[dim].role = Role::Row;
  // Channels that do not mix are columns, of the input too.
  dimensions[group] = {Role::Outer, constant(spec.isDepthwise ? 1 : groups)};
  dimensions[column] = {Role::Column, constant(spec.isDepthwise ? groups : filters)};
  for (int64_t dim = 0; dim < rank; ++dim)
    dimensions[tap + dim] = {Role::Reduction, constant(op.getKernel(dim))};
  dimensions[channel] = {Role::Reduction, constant(channels)};

  auto grouped = [&](unsigned dim, int64_t size) {
    return groups == 1 || spec.isDepthwise ? Coordinate{{dim, 1}}
                                           : Coordinate{{group, size}, {dim, 1}};
  };
  Mapping inputMapping{{{0, 1}}}, filterMapping{grouped(column, filters), {{channel, 1}}},
      resultMapping{{{0, 1}}};
  bool slides = false;
  for (unsigned dim = 0; dim < rank; ++dim) {
    inputMapping.push_back({{dim + 1, 1}});
    filterMapping.push_back({{tap + dim, 1}});
    resultMapping.push_back({{dim + 1, 1}});
    slides |= op.getKernel(dim) != 1 || op.getStrides()[dim] != 1;
  }
  inputMapping.push_back(grouped(spec.isDepthwise ? column : channel, channels));
  resultMapping.push_back(grouped(column, filters));
  if (slides || op.hasPads()) {
    // The rows are read through the window; linear are only the channels.
    windowed = op;
    for (int64_t dim = 0; dim <= rank; ++dim)
      inputMapping[dim].clear();
  }
  if (spec.isDepthwise && !windowed)
    return decline("a depthwise convolution with a single tap multiplies element by element");
  FailureOr<MappedTensor> left = bindOperand(op.getInput(), inputMapping);
  FailureOr<MappedTensor> right = bindOperand(op.getFilter(), filterMapping);
  if (failed(left) || failed(right))
    return failure();
  lhs = *left, rhs = *right;
  if (lhs.panel || lhs.splat ||
      (groups > 1 && !spec.isDepthwise && rhs.panel && filters % rhs.panel != 0))
    return decline("the operands are packed in a way that does not fit the convolution");
  tileMappings[op.getResult()] = resultMapping;
  spec.initial = FloatAttr::get(spec.element, 0.0);
  return success();
}
