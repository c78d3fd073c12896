// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- GenerateAttention.cpp - attention without its scores in memory ------===//
//
// A group is a block of queries of one head. It walks the keys in blocks and keeps for
// each query the largest score so far, the sum of exponentials relative to it and the
// values weighted by them; when a block has a larger score, both are scaled down
// (online softmax). Memory in near caches is thus bounded whatever the number of keys.
//
//   for each block of keys:
//     S = Q * K^T            rows of the block of queries x keys of the block
//     S = mask, cap (scale * S)
//     m' = max(m, max S), P = exp(S - m'), l = l * exp(m - m') + sum P
//     O = O * exp(m - m') + P * V
//   result = O / l
//
// Queries, keys (transposed) and values of a block are copied into dense scratch
// memory first, in the type that is computed in. So both products are one product of
// dense panels, any layout or element type of the operands costs one copy, and rows
// and columns beyond the end need no masks: they compute numbers that nobody reads.
// (Those are zeros or copies, not what was in memory: subnormal numbers are slow.)
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/GenerateAttention.h"

#include "dialects/nn/Nn.h"
#include "lib/codegen/KernelFunction.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace tenon {

namespace {

/// A four-dimensional operand as it lies in memory: dimension `i` of attention's operand is
/// dimension `position[i]` of the memory, or -1 where a mask has no such dimension (or one of size
/// 1).
struct View {
  Value memory;
  SmallVector<int64_t, 4> position;
  RankedTensorType type; // of the argument or result in memory
  unsigned tensor = 0;   // its number: arguments first, then results
};

/// A kernel that this generator covers, taken apart.
struct AttentionKernel {
  nn::AttentionOp op;
  View query, key, value, mask, result;
};

/// The argument that `value` is, or is a transpose of.
std::optional<View> traceArgument(Value value) {
  View view;
  view.position =
      llvm::to_vector<4>(llvm::seq<int64_t>(0, cast<RankedTensorType>(value.getType()).getRank()));
  while (auto transpose = value.getDefiningOp<linalg::TransposeOp>()) {
    for (int64_t &position : view.position)
      position = transpose.getPermutation()[position];
    value = transpose.getInput();
  }
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument)
    return std::nullopt;
  view.type = cast<RankedTensorType>(argument.getType());
  view.tensor = argument.getArgNumber();
  return view;
}

bool isIndexArithmetic(Operation *op) {
  return isPure(op) && op->getNumRegions() == 0 &&
         llvm::all_of(op->getResultTypes(), [](Type type) { return type.isIntOrIndex(); }) &&
         llvm::all_of(op->getOperandTypes(), [](Type type) { return type.isIntOrIndex(); });
}

/// Whether a value is computed from index arguments, sizes of tensor arguments and constants.
bool dependsOnSizesOnly(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return value.getType().isIndex();
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return isa<BlockArgument>(dim.getSource()) && dim.getConstantIndex();
  return isIndexArithmetic(op) && llvm::all_of(op->getOperands(), dependsOnSizesOnly);
}

FailureOr<AttentionKernel> recognize(plan::KernelOp kernel, std::string &declined) {
  AttentionKernel result;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (auto attention = dyn_cast<nn::AttentionOp>(op)) {
      if (result.op)
        return declined = "the kernel holds two attentions", failure();
      result.op = attention;
    } else if (!isa<linalg::TransposeOp, tensor::EmptyOp, tensor::DimOp>(op) &&
               !isIndexArithmetic(&op)) {
      return declined = ("the kernel holds " + op.getName().getStringRef()).str(), failure();
    }
  }
  if (!result.op)
    return declined = "the kernel has no attention", failure();
  if (Value offset = result.op.getCausalOffset(); offset && !dependsOnSizesOnly(offset))
    return declined = "the causal offset is not a function of sizes", failure();

  for (auto [value, view] : {std::pair{result.op.getQuery(), &result.query},
                             {result.op.getKey(), &result.key},
                             {result.op.getValue(), &result.value}}) {
    std::optional<View> traced = traceArgument(value);
    if (!traced)
      return declined = "an operand of the attention is computed in the kernel", failure();
    *view = *traced;
  }
  if (Value mask = result.op.getMask()) {
    std::optional<View> traced = traceArgument(mask);
    if (!traced)
      return declined = "the mask is computed in the kernel", failure();
    // Aligned with the trailing dimensions; a size of 1 stays in place.
    auto type = cast<RankedTensorType>(mask.getType());
    SmallVector<int64_t, 4> aligned(4, -1);
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      aligned[4 - type.getRank() + dim] = type.getDimSize(dim) == 1 ? -1 : traced->position[dim];
    result.mask = *traced;
    result.mask.position = aligned;
  }
  if (result.op.getQuery().getType().isDynamicDim(3) ||
      result.op.getValue().getType().isDynamicDim(3))
    return declined = "the head size is not static", failure();

  // The result, or transposes of it, is what the kernel yields.
  Value yielded = kernel.getBody().front().getTerminator()->getOperand(0);
  if (kernel.getResultTypes().size() != 1)
    return declined = "the kernel has several results", failure();
  result.result.type = cast<RankedTensorType>(yielded.getType());
  result.result.tensor = kernel.getNumTensorArguments();
  SmallVector<int64_t> permutation = {0, 1, 2, 3};
  while (auto transpose = yielded.getDefiningOp<linalg::TransposeOp>()) {
    // Dimension i of the yielded tensor is dimension p[i] of the transpose's input.
    for (int64_t &position : permutation)
      position = transpose.getPermutation()[position];
    yielded = transpose.getInput();
  }
  if (yielded != result.op.getResult())
    return declined = "the kernel does not yield the attention", failure();
  result.result.position.resize(4);
  for (auto [memory, logical] : llvm::enumerate(permutation))
    result.result.position[logical] = memory;
  return result;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

class AttentionEmitter {
public:
  AttentionEmitter(plan::KernelOp kernel, AttentionKernel spec, const ChipDescription &chip,
                   bool optimize)
      : kernel(kernel), spec(spec), optimize(optimize), builder(kernel.getContext()),
        loc(spec.op.getLoc()) {
    Type element = spec.op.getQuery().getType().getElementType();
    compute = element.isF64() ? element : Type(builder.getF32Type());
    lanes = chip.lanes(compute.getIntOrFloatBitWidth());
    headSize = spec.op.getQuery().getType().getDimSize(3);
    valueSize = spec.op.getValue().getType().getDimSize(3);
    paddedValueSize = llvm::alignTo(valueSize, lanes);
    // Wide enough for eight accumulators of a row, unless the transposed keys would not fit near
    // caches.
    keyBlock = headSize <= 128 ? 8 * lanes : 4 * lanes;
    int64_t queries = spec.op.getQuery().getType().getDimSize(2);
    queryBlock = !ShapedType::isDynamic(queries) && queries <= 16
                     ? llvm::alignTo(std::max<int64_t>(queries, 1), rowTile)
                     : 64;
  }

  func::FuncOp emit() {
    func::FuncOp function = createKernelFunction(kernel);
    KernelFunctionArguments arguments = getKernelFunctionArguments(kernel, function);
    for (View *view : {&spec.query, &spec.key, &spec.value})
      view->memory = arguments.inputs[view->tensor];
    if (spec.op.getMask())
      spec.mask.memory = arguments.inputs[spec.mask.tensor];
    spec.result.memory = arguments.outputs[0];
    builder.setInsertionPointToStart(&function.getBody().front());
    if (Value offset = spec.op.getCausalOffset())
      causalOffset = recompute(offset, arguments);
    allocate();

    // The group is (batch, head, block of queries).
    AffineExpr batch = sizeOf(spec.query, 0), heads = sizeOf(spec.query, 1),
               queries = sizeOf(spec.query, 2);
    AffineExpr blocks = queries.ceilDiv(queryBlock);
    setKernelCount(function, AffineMap::get(0, kernel.getNumSizes(), batch * heads * blocks));
    Value queryCount = dim(spec.query, 2), keyCount = dim(spec.key, 2);
    SmallVector<OpFoldResult> basis = {dim(spec.query, 0), dim(spec.query, 1),
                                       ceilDiv(queryCount, queryBlock)};
    auto position = affine::AffineDelinearizeIndexOp::create(builder, loc, arguments.group, basis,
                                                             /*hasOuterBound=*/true);
    Value b = position.getResult(0), h = position.getResult(1),
          first = multiply(position.getResult(2), queryBlock);
    Value rows = minimum(index(queryBlock), subtract(queryCount, first));
    emitBlock(b, h, first, rows, queryCount, keyCount);
    return function;
  }

private:
  /// Rows of a register tile, and vectors across it.
  static constexpr int64_t rowTile = 4, panelVectors = 4;

  //--- Small helpers
  //-------------------------------------------------------------------------------------------------

  Value index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  Value number(double value) {
    return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(compute, value));
  }
  Value add(Value a, Value b) { return arith::AddIOp::create(builder, loc, a, b); }
  Value subtract(Value a, Value b) { return arith::SubIOp::create(builder, loc, a, b); }
  Value multiply(Value a, int64_t b) { return arith::MulIOp::create(builder, loc, a, index(b)); }
  Value minimum(Value a, Value b) { return arith::MinSIOp::create(builder, loc, a, b); }
  Value ceilDiv(Value a, int64_t b) {
    return arith::CeilDivSIOp::create(builder, loc, a, index(b));
  }
  Value dim(const View &view, int64_t dimension) {
    return memref::DimOp::create(builder, loc, view.memory, view.position[dimension]);
  }
  AffineExpr sizeOf(const View &view, int64_t dimension) {
    return getSizeExpression(kernel, view.tensor, view.position[dimension]);
  }
  Value load(Value memory, ValueRange indices) {
    return memref::LoadOp::create(builder, loc, memory, indices);
  }
  void store(Value value, Value memory, ValueRange indices) {
    memref::StoreOp::create(builder, loc, value, memory, indices);
  }

  /// for (i = from; i < to; i += step) body(i)
  void loop(Value from, Value to, int64_t step, function_ref<void(Value)> body) {
    auto op = scf::ForOp::create(builder, loc, from, to, index(step));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(op.getBody());
    body(op.getInductionVar());
  }
  void loop(Value to, function_ref<void(Value)> body) { loop(index(0), to, 1, body); }

  /// The same with one value carried from turn to turn.
  Value fold(Value to, Value init, function_ref<Value(Value, Value)> body) {
    auto op = scf::ForOp::create(builder, loc, index(0), to, index(1), init);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(op.getBody());
    Value next = body(op.getInductionVar(), op.getRegionIterArg(0));
    scf::YieldOp::create(builder, loc, next);
    return op.getResult(0);
  }

  /// An element of an operand, by attention's own indices, in the type computed in.
  Value element(const View &view, ArrayRef<Value> indices) {
    SmallVector<Value> coordinates(view.type.getRank(), index(0));
    for (auto [position, value] : llvm::zip_equal(view.position, indices))
      if (position >= 0)
        coordinates[position] = value;
    Value value = load(view.memory, coordinates);
    if (value.getType().isInteger(1) || value.getType() == compute)
      return value;
    if (value.getType().getIntOrFloatBitWidth() < compute.getIntOrFloatBitWidth())
      return arith::ExtFOp::create(builder, loc, compute, value);
    return arith::TruncFOp::create(builder, loc, compute, value);
  }

  /// A value that depends on sizes only, in the function.
  Value recompute(Value value, const KernelFunctionArguments &arguments) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return arguments.indices[argument.getArgNumber() - kernel.getNumTensorArguments()];
    if (auto dim = value.getDefiningOp<tensor::DimOp>())
      return memref::DimOp::create(
          builder, loc, arguments.inputs[cast<BlockArgument>(dim.getSource()).getArgNumber()],
          *dim.getConstantIndex());
    Operation *op = value.getDefiningOp();
    IRMapping mapping;
    for (Value operand : op->getOperands())
      mapping.map(operand, recompute(operand, arguments));
    return builder.clone(*op, mapping)->getResult(cast<OpResult>(value).getResultNumber());
  }

  void allocate() {
    auto scratch = [&](ArrayRef<int64_t> shape) -> Value {
      return memref::AllocaOp::create(builder, loc, MemRefType::get(shape, compute),
                                      builder.getI64IntegerAttr(64));
    };
    queries = scratch({queryBlock, headSize});
    keys = scratch({headSize, keyBlock});
    values = scratch({keyBlock, paddedValueSize});
    scores = scratch({queryBlock, keyBlock});
    sums = scratch({queryBlock, paddedValueSize});
    largest = scratch({queryBlock});
    totals = scratch({queryBlock});
  }

  //--- The algorithm
  //-------------------------------------------------------------------------------------------------

  void emitBlock(Value b, Value h, Value first, Value rows, Value queryCount, Value keyCount) {
    // Rows are computed in fours; those beyond the last are copies of it, which nobody stores.
    Value padded = multiply(ceilDiv(rows, rowTile), rowTile);
    Value lastQuery = subtract(queryCount, index(1));
    Value scale = number(spec.op.getScale().convertToDouble());
    loop(padded, [&](Value row) {
      Value query = minimum(add(first, row), lastQuery);
      loop(index(headSize), [&](Value d) {
        Value scaled =
            arith::MulFOp::create(builder, loc, element(spec.query, {b, h, query, d}), scale);
        store(scaled, queries, {row, d});
      });
      loop(index(paddedValueSize), [&](Value e) { store(number(0), sums, {row, e}); });
      store(number(-std::numeric_limits<double>::infinity()), largest, row);
      store(number(0), totals, row);
    });

    if (paddedValueSize != valueSize)
      loop(index(keyBlock), [&](Value column) {
        loop(index(valueSize), index(paddedValueSize), 1,
             [&](Value e) { store(number(0), values, {column, e}); });
      });

    int64_t group = spec.op.getQuery().getType().getDimSize(1),
            keyHeads = spec.op.getKey().getType().getDimSize(1);
    Value keyHead = h;
    if (group != keyHeads)
      keyHead = arith::DivUIOp::create(builder, loc, h, index(group / keyHeads));
    // No query of the block sees a key beyond this one.
    Value visible = keyCount;
    if (spec.op.getCausal()) {
      Value last = add(first, rows);
      visible = minimum(keyCount, causalOffset ? add(last, causalOffset) : last);
    }
    loop(index(0), visible, keyBlock, [&](Value firstKey) {
      Value columns = minimum(index(keyBlock), subtract(visible, firstKey));
      loop(columns, [&](Value column) {
        Value key = add(firstKey, column);
        loop(index(headSize),
             [&](Value d) { store(element(spec.key, {b, keyHead, key, d}), keys, {d, column}); });
        loop(index(valueSize), [&](Value e) {
          store(element(spec.value, {b, keyHead, key, e}), values, {column, e});
        });
      });
      Value panels = multiply(ceilDiv(columns, panelVectors * lanes), panelVectors * lanes);
      loop(columns, panels, 1, [&](Value column) {
        loop(index(headSize), [&](Value d) { store(number(0), keys, {d, column}); });
      });
      product(queries, keys, scores, padded, index(headSize), panels, keyBlock,
              /*accumulate=*/false);
      loop(padded, [&](Value row) {
        Value query = minimum(add(first, row), lastQuery);
        loop(columns, [&](Value column) {
          Value score = adjust(load(scores, {row, column}), b, h, query, add(firstKey, column));
          store(score, scores, {row, column});
        });
        softmax(row, columns);
      });
      product(scores, values, sums, padded, columns, index(paddedValueSize), paddedValueSize,
              /*accumulate=*/true);
    });

    loop(rows, [&](Value row) {
      Value total = load(totals, row);
      Value none = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, total, number(0));
      Value divisor = arith::SelectOp::create(builder, loc, none, number(1), total);
      loop(index(valueSize), [&](Value e) {
        Value value = arith::DivFOp::create(builder, loc, load(sums, {row, e}), divisor);
        Type stored = spec.result.type.getElementType();
        if (stored != compute)
          value = arith::TruncFOp::create(builder, loc, stored, value);
        SmallVector<Value> coordinates(4), logical = {b, h, add(first, row), e};
        for (auto [position, coordinate] : llvm::zip_equal(spec.result.position, logical))
          coordinates[position] = coordinate;
        store(value, spec.result.memory, coordinates);
      });
    });
  }

  /// Caps and masks one score.
  Value adjust(Value score, Value b, Value h, Value query, Value key) {
    if (double cap = spec.op.getSoftcap().convertToDouble()) {
      Value ratio = arith::MulFOp::create(builder, loc, score, number(1 / cap));
      score = arith::MulFOp::create(builder, loc, math::TanhOp::create(builder, loc, ratio),
                                    number(cap));
    }
    Value hidden = number(-std::numeric_limits<double>::infinity());
    if (spec.op.getMask()) {
      Value mask = element(spec.mask, {b, h, query, key});
      if (mask.getType().isInteger(1))
        score = arith::SelectOp::create(builder, loc, mask, score, hidden);
      else
        score = arith::AddFOp::create(builder, loc, score, mask);
    }
    if (spec.op.getCausal()) {
      Value last = causalOffset ? add(query, causalOffset) : query;
      Value seen = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle, key, last);
      score = arith::SelectOp::create(builder, loc, seen, score, hidden);
    }
    return score;
  }

  /// One row of a block: scores become weights; largest, totals and sums follow.
  void softmax(Value row, Value columns) {
    Value before = load(largest, row);
    Value now = fold(columns, before, [&](Value column, Value carried) -> Value {
      return arith::MaximumFOp::create(builder, loc, load(scores, {row, column}), carried,
                                       arith::FastMathFlags::nsz);
    });
    store(now, largest, row);
    // -inf - -inf is not a number; -inf - 0 has the exponential 0.
    Value hidden = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ, now,
                                         number(-std::numeric_limits<double>::infinity()));
    Value base = arith::SelectOp::create(builder, loc, hidden, number(0), now);
    Value shrink = math::ExpOp::create(
        builder, loc, arith::SubFOp::create(builder, loc, before, base).getResult());
    loop(columns, [&](Value column) {
      Value shifted = arith::SubFOp::create(builder, loc, load(scores, {row, column}), base);
      store(math::ExpOp::create(builder, loc, shifted), scores, {row, column});
    });
    auto flags = optimize ? arith::FastMathFlags::reassoc : arith::FastMathFlags::none;
    Value total = fold(columns, number(0), [&](Value column, Value carried) -> Value {
      return arith::AddFOp::create(builder, loc, load(scores, {row, column}), carried, flags);
    });
    Value scaled = arith::MulFOp::create(builder, loc, load(totals, row), shrink);
    store(arith::AddFOp::create(builder, loc, scaled, total), totals, row);
    loop(index(paddedValueSize), [&](Value e) {
      store(arith::MulFOp::create(builder, loc, load(sums, {row, e}), shrink), sums, {row, e});
    });
  }

  /// c[row, column] (+)= sum over k < depth of a[row, k] * b[k, column], for row < rows (a multiple
  /// of rowTile) and column < columns (of at most `mostColumns`; both multiples of the lanes, and
  /// of a panel if they differ).
  void product(Value a, Value b, Value c, Value rows, Value depth, Value columns,
               int64_t mostColumns, bool accumulate) {
    int64_t panel = panelVectors * lanes, whole = mostColumns / panel * panel;
    if (!optimize) {
      loop(rows, [&](Value row) {
        loop(columns, [&](Value column) {
          Value init = accumulate ? load(c, {row, column}) : number(0);
          Value sum = fold(depth, init, [&](Value k, Value carried) -> Value {
            Value term =
                arith::MulFOp::create(builder, loc, load(a, {row, k}), load(b, {k, column}));
            return arith::AddFOp::create(builder, loc, carried, term);
          });
          store(sum, c, {row, column});
        });
      });
      return;
    }
    if (whole != 0)
      loop(index(0), minimum(columns, index(whole)), panel, [&](Value start) {
        panelProduct(a, b, c, rows, depth, start, panelVectors, accumulate);
      });
    if (whole != mostColumns)
      panelProduct(a, b, c, rows, depth, index(whole), (mostColumns - whole) / lanes, accumulate);
  }

  /// Tiles of four rows and some vectors, whose accumulators stay in registers.
  void panelProduct(Value a, Value b, Value c, Value rows, Value depth, Value start,
                    int64_t vectors, bool accumulate) {
    auto type = VectorType::get({lanes}, compute);
    SmallVector<Value> offsets;
    for (int64_t vector = 0; vector < vectors; ++vector)
      offsets.push_back(add(start, index(vector * lanes)));
    loop(index(0), rows, rowTile, [&](Value firstRow) {
      SmallVector<Value> tileRows, inits;
      for (int64_t row = 0; row < rowTile; ++row)
        tileRows.push_back(add(firstRow, index(row)));
      for (Value row : tileRows)
        for (Value offset : offsets) {
          if (accumulate)
            inits.push_back(vector::LoadOp::create(builder, loc, type, c, ValueRange{row, offset}));
          else
            inits.push_back(arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type)));
        }
      auto op = scf::ForOp::create(builder, loc, index(0), depth, index(1), inits);
      {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToStart(op.getBody());
        Value k = op.getInductionVar();
        SmallVector<Value> right, next;
        for (Value offset : offsets)
          right.push_back(vector::LoadOp::create(builder, loc, type, b, ValueRange{k, offset}));
        for (auto [position, row] : llvm::enumerate(tileRows)) {
          Value left = vector::BroadcastOp::create(builder, loc, type, load(a, {row, k}));
          for (auto [vector, value] : llvm::enumerate(right))
            next.push_back(vector::FMAOp::create(builder, loc, left, value,
                                                 op.getRegionIterArg(position * vectors + vector)));
        }
        scf::YieldOp::create(builder, loc, next);
      }
      unsigned result = 0;
      for (Value row : tileRows)
        for (Value offset : offsets)
          vector::StoreOp::create(builder, loc, op.getResult(result++), c, ValueRange{row, offset});
    });
  }

  plan::KernelOp kernel;
  AttentionKernel spec;
  bool optimize;
  OpBuilder builder;
  Location loc;
  Type compute;
  int64_t lanes, headSize, valueSize, paddedValueSize, keyBlock, queryBlock;
  Value causalOffset;
  /// Scratch memory: queries [rows, D], keys [D, columns], values [columns, E], scores [rows,
  /// columns], sums [rows, E].
  Value queries, keys, values, scores, sums, largest, totals;
};

} // namespace

FailureOr<func::FuncOp> generateAttention(plan::KernelOp kernel, const ChipDescription &chip,
                                          bool optimize, std::string &declined) {
  FailureOr<AttentionKernel> spec = recognize(kernel, declined);
  if (failed(spec))
    return failure();
  return AttentionEmitter(kernel, *spec, chip, optimize).emit();
}

} // namespace tenon
