// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ContractionSpec.cpp - sizes, strides and loops ---------------------===//
//
// Turns mappings (which dimension is where in each tensor) into strides, and then
// collapses neighbouring dimensions of one role into one loop wherever every tensor
// has the outer one exactly one run of the inner one apart. What cannot be collapsed
// stays a loop of its own: rows and columns outside the tile, reductions as taps.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/KernelFunction.h"
#include "lib/codegen/contraction/Recognizer.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::contraction;

std::optional<int64_t> contraction::constantOf(AffineExpr expression) {
  if (auto constant = dyn_cast_or_null<AffineConstantExpr>(expression))
    return constant.getValue();
  return std::nullopt;
}

std::optional<int64_t> ContractionSpec::constantReduction() const {
  std::optional<int64_t> product = depth.constantSize();
  for (const Loop &tap : taps) {
    std::optional<int64_t> size = tap.constantSize();
    product = product && size ? std::optional(*product * *size) : std::nullopt;
  }
  return product;
}

FailureOr<ContractionSpec> contraction::recognize(plan::KernelOp kernel, std::string &reason) {
  return Recognizer(kernel, reason).run();
}

FailureOr<ContractionSpec> Recognizer::run() {
  spec.kernel = kernel;
  if (failed(recognizeRoot()) || failed(recognizeEpilogue()) || failed(determineSizes()) ||
      failed(assignRoles()) || failed(buildLoops()))
    return failure();
  return std::move(spec);
}

//===----------------------------------------------------------------------===//
// Sizes and strides
//===----------------------------------------------------------------------===//

/// The kernel argument that holds the elements of `value` in the same order.
std::optional<unsigned> Recognizer::findTensor(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(op))
      return std::nullopt;
    value = op->getOperand(0);
  }
  return cast<BlockArgument>(value).getArgNumber();
}

/// Learns dimensions' sizes from a tensor that runs through them. A static size is preferred
/// wherever it is seen.
void Recognizer::noteSizes(const MappedTensor &tensor) {
  SmallVector<Type> types(kernel.getArgumentTypes().take_front(kernel.getNumTensorArguments()));
  llvm::append_range(types, kernel.getResultTypes());
  Type declared = tensor.splat ? Type() : types[tensor.tensor];
  for (auto [position, coordinate] : llvm::enumerate(tensor.mapping)) {
    if (coordinate.size() != 1 || (tensor.panel && position == tensor.packedDimension))
      continue;
    AffineExpr &size = dimensions[coordinate[0].first].size;
    if (!tensor.type.isDynamicDim(position))
      size = constant(tensor.type.getDimSize(position));
    else if (!size && declared == tensor.type)
      size = getSizeExpression(kernel, tensor.tensor, position);
  }
}

LogicalResult Recognizer::determineSizes() {
  noteSizes(lhs);
  noteSizes(rhs);
  for (const MappedTensor &tensor : llvm::concat<const MappedTensor>(leaves, outputs))
    noteSizes(tensor);
  for (auto &[value, mapping] : tileMappings)
    for (auto [position, size] :
         llvm::enumerate(cast<RankedTensorType>(value.getType()).getShape()))
      if (!ShapedType::isDynamic(size) && mapping[position].size() == 1)
        dimensions[mapping[position][0].first].size = constant(size);
  for (Dimension &dimension : dimensions)
    if (!dimension.size)
      return decline(
          "the size of a dimension of the contraction cannot be read from an argument or result");
  return success();
}

AffineExpr Recognizer::sizeOf(const MappedTensor &tensor, unsigned dim) {
  if (!tensor.type.isDynamicDim(dim))
    return constant(tensor.type.getDimSize(dim));
  AffineExpr size = constant(1);
  for (auto [dimension, factor] : tensor.mapping[dim])
    size = size * dimensions[dimension].size;
  return size;
}

DimensionAccess Recognizer::accessOf(const MappedTensor &tensor) {
  DimensionAccess access{tensor.tensor, tensor.type.getElementType(), {}};
  access.strides.assign(dimensions.size(), constant(0));
  if (tensor.splat)
    return access;
  AffineExpr stride = constant(tensor.panel ? tensor.panel : 1);
  for (unsigned position = tensor.type.getRank(); position-- > 0;) {
    for (auto [dimension, factor] : tensor.mapping[position]) {
      bool panels = tensor.panel && position == tensor.packedDimension;
      access.strides[dimension] = access.strides[dimension] +
                                  stride * (panels && factor > 1 ? factor / tensor.panel : factor);
    }
    stride = stride * sizeOf(tensor, position);
  }
  return access;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

namespace {
/// Dimensions that run as one loop, outermost first.
using Group = SmallVector<unsigned, 3>;
} // namespace

/// Collapses `order` (outermost first) into as few groups as the accesses allow.
static SmallVector<Group> collapse(ArrayRef<unsigned> order, ArrayRef<Dimension> dimensions,
                                   ArrayRef<const DimensionAccess *> accesses) {
  SmallVector<Group> groups;
  auto isUnit = [&](unsigned dim) { return constantOf(dimensions[dim].size) == 1; };
  for (unsigned dim : llvm::reverse(order)) {
    if (!groups.empty()) {
      Group &inner = groups.front();
      auto lead = llvm::find_if_not(inner, isUnit);
      auto fits = [&](const DimensionAccess *access) {
        AffineExpr outerStride = access->strides[dim], innerStride = access->strides[*lead];
        return outerStride && innerStride && outerStride == innerStride * dimensions[*lead].size;
      };
      if (isUnit(dim) || lead == inner.end() || llvm::all_of(accesses, fits)) {
        inner.insert(inner.begin(), dim);
        continue;
      }
    }
    groups.insert(groups.begin(), Group{dim});
  }
  return groups;
}

LogicalResult Recognizer::buildLoops() {
  // A dimension order that no operand can object to: columns and rows as the results have them, the
  // reduction as the right-hand side has it.
  auto ordered = [&](ArrayRef<Role> roles, const Mapping &mapping) {
    SmallVector<unsigned> order;
    for (const Coordinate &coordinate : mapping)
      for (auto [dim, factor] : coordinate)
        if (llvm::is_contained(roles, dimensions[dim].role) && !llvm::is_contained(order, dim))
          order.push_back(dim);
    return order;
  };
  const Mapping &result = outputs.front().mapping;
  SmallVector<unsigned> rows = ordered(Role::Row, result), columns = ordered(Role::Column, result),
                        outer = ordered(Role::Outer, result),
                        reduction = ordered(Role::Reduction, rhs.mapping);
  if (windowed && !llvm::is_sorted(rows))
    return decline("the convolution's result is transposed");
  if (isa<nn::ConvOp>(spec.root))
    llvm::sort(reduction); // Channels innermost, whatever the order of the filter.

  SmallVector<DimensionAccess> leafAccesses, outputAccesses;
  DimensionAccess lhsAccess = accessOf(lhs), rhsAccess = accessOf(rhs);
  for (const MappedTensor &leaf : leaves)
    leafAccesses.push_back(accessOf(leaf));
  for (const MappedTensor &output : outputs)
    outputAccesses.push_back(accessOf(output));
  SmallVector<const DimensionAccess *> all{&lhsAccess, &rhsAccess};
  for (DimensionAccess &access : llvm::concat<DimensionAccess>(leafAccesses, outputAccesses))
    all.push_back(&access);
  AffineExpr panelStride;
  if (rhs.panel) {
    // Columns of a packed operand are not linear across panels.
    const Coordinate &packed = rhs.mapping[rhs.packedDimension];
    if (packed.empty() || dimensions[packed.back().first].role != Role::Column)
      return decline("the packed dimension does not give the columns of the result");
    panelStride = std::exchange(rhsAccess.strides[packed.back().first], nullptr);
  }

  SmallVector<Group> rowGroups = collapse(rows, dimensions, all),
                     columnGroups = collapse(columns, dimensions, all),
                     outerGroups = collapse(outer, dimensions, all), tapGroups;
  if (windowed)
    tapGroups = llvm::map_to_vector(reduction, [](unsigned dim) { return Group{dim}; });
  else
    tapGroups = collapse(reduction, dimensions, all);
  auto takeInner = [](SmallVector<Group> &groups) {
    return groups.empty() ? Group() : groups.pop_back_val();
  };
  Group row = takeInner(rowGroups), column = takeInner(columnGroups), depth = takeInner(tapGroups);
  unsigned outerRows = outerGroups.size();
  llvm::append_range(outerGroups, rowGroups);
  llvm::append_range(outerGroups, columnGroups);
  llvm::erase_if(outerGroups, [&](const Group &group) {
    return !windowed &&
           llvm::all_of(group, [&](unsigned dim) { return constantOf(dimensions[dim].size) == 1; });
  });

  auto loopOf = [&](const Group &group) {
    Loop loop{constant(1), {}};
    for (unsigned dim : group) {
      loop.size = loop.size * dimensions[dim].size;
      loop.parts.push_back(dimensions[dim].size);
    }
    return loop;
  };
  auto strideOf = [&](const DimensionAccess &access, const Group &group) {
    // The stride of a loop is that of its innermost dimension that moves at all.
    for (unsigned dim : llvm::reverse(group))
      if (constantOf(dimensions[dim].size) != 1)
        return access.strides[dim] ? access.strides[dim] : constant(0);
    return constant(0);
  };
  auto linearize = [&](const DimensionAccess &access) {
    Access linear{access.tensor,
                  access.element,
                  {},
                  {},
                  strideOf(access, row),
                  strideOf(access, column),
                  strideOf(access, depth)};
    for (const Group &group : outerGroups)
      linear.outer.push_back(strideOf(access, group));
    for (const Group &group : tapGroups)
      linear.taps.push_back(strideOf(access, group));
    return linear;
  };
  spec.row = loopOf(row), spec.column = loopOf(column), spec.depth = loopOf(depth);
  spec.outer = llvm::map_to_vector<2>(outerGroups, loopOf);
  spec.taps = llvm::map_to_vector<2>(tapGroups, loopOf);
  spec.lhs = linearize(lhsAccess);
  spec.rhs.access = linearize(rhsAccess);
  spec.rhs.panel = rhs.panel;
  spec.rhs.splat = rhs.splat;
  if (rhs.panel)
    spec.rhs.access.column = panelStride;
  for (DimensionAccess &access : leafAccesses)
    spec.leaves.push_back(linearize(access));
  for (auto [output, access] : llvm::zip_equal(spec.outputs, outputAccesses))
    output.access = linearize(access);

  for (const Access &leaf : spec.leaves)
    if (!llvm::is_contained({std::optional<int64_t>(0), std::optional<int64_t>(1)},
                            constantOf(leaf.column)))
      return decline(
          "an operand of the epilogue does not have the result's innermost dimension innermost");
  for (const Output &output : spec.outputs)
    if (constantOf(output.access.column) != 1 && spec.column.constantSize() != 1)
      return decline("a result does not have the columns innermost");

  orderForPacking(columns, reduction);
  if (windowed)
    spec.window = buildWindow(outerRows, rowGroups.size());
  return success();
}

void Recognizer::orderForPacking(ArrayRef<unsigned> columns, ArrayRef<unsigned> reduction) {
  if (!rhs.isArgument || columns.size() != 1)
    return;
  auto positionOf = [&](unsigned dim) {
    return llvm::find_if(rhs.mapping,
                         [&](const Coordinate &coordinate) {
                           return llvm::any_of(coordinate,
                                               [&](auto entry) { return entry.first == dim; });
                         }) -
           rhs.mapping.begin();
  };
  spec.rhs.columnDimension = positionOf(columns[0]);
  spec.rhs.grouped = rhs.mapping[spec.rhs.columnDimension].size() > 1;
  SmallVector<int64_t> inner{spec.rhs.columnDimension};
  for (unsigned dim : reduction)
    inner.push_back(positionOf(dim));
  for (int64_t position = 0; position < rhs.type.getRank(); ++position)
    if (!llvm::is_contained(inner, position))
      spec.rhs.packingOrder.push_back(position);
  llvm::append_range(spec.rhs.packingOrder, inner);
}

Window Recognizer::buildWindow(unsigned firstRowLoop, unsigned rowLoops) {
  Window window;
  for (unsigned loop = 0; loop < rowLoops; ++loop)
    window.outerCoordinates.push_back(firstRowLoop + loop);
  RankedTensorType input = lhs.type;
  unsigned rank = windowed.getSpatialRank();
  auto inputSize = [&](unsigned dim) {
    return input.isDynamicDim(dim) ? getSizeExpression(kernel, lhs.tensor, dim)
                                   : constant(input.getDimSize(dim));
  };
  AffineExpr stride = inputSize(rank + 1);
  for (unsigned dim = rank; dim-- > 0;) {
    int64_t begin = windowed.getPadsBegin()[dim], end = windowed.getPadsEnd()[dim];
    window.dimensions.insert(window.dimensions.begin(),
                             WindowDimension{windowed.getStrides()[dim],
                                             windowed.getDilations()[dim], begin,
                                             inputSize(dim + 1), stride, begin > 0 || end > 0});
    stride = stride * inputSize(dim + 1);
  }
  window.imageStride = stride;
  return window;
}
