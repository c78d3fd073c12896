// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Epilogue.cpp - what happens to a tile before it is stored ----------===//
//
// The elementwise operations' scalar payloads are cloned with vector types, one
// register of the tile at a time, so that a finished accumulator goes through the whole
// chain and out to memory before the next one needs registers. Operands that do not
// depend on the row (a bias) are read once per tile.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/contraction/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::contraction;

namespace {
class EpilogueEmitter {
public:
  EpilogueEmitter(Emitter &emitter, const TilePosition &position)
      : emitter(emitter), position(position) {
    for (const Access &leaf : emitter.spec.leaves)
      leafBases.push_back(emitter.add(emitter.outerOffset(leaf, position.outerIndices),
                                      emitter.mul(position.column, leaf.column)));
    for (const Output &output : emitter.spec.outputs)
      outputBases.push_back(emitter.add(emitter.outerOffset(output.access, position.outerIndices),
                                        emitter.mul(position.column, output.access.column)));
  }

  void emitCell(unsigned row, unsigned vector, Value accumulator);

private:
  Value offsetOf(const Access &access, Value base, unsigned row, unsigned vector) {
    Value inRow = emitter.add(base, emitter.mul(position.rows[row], access.row));
    return emitter.add(inRow, constantOf(access.column) == 0 ? 0 : vector * emitter.blocking.lanes);
  }
  Value mask(unsigned vector) { return position.masks.empty() ? Value() : position.masks[vector]; }
  Value loadLeaf(unsigned leaf, unsigned row, unsigned vector);
  void applyOperation(linalg::LinalgOp op, unsigned row, unsigned vector);

  Emitter &emitter;
  const TilePosition &position;
  SmallVector<Value> leafBases, outputBases;
  /// Leaves by leaf, row and vector, as far as they depend on them.
  DenseMap<std::tuple<unsigned, unsigned, unsigned>, Value> loaded;
  DenseMap<Value, Value> cell; ///< Vectors of the tensors of the kernel's body.
};
} // namespace

Value EpilogueEmitter::loadLeaf(unsigned leaf, unsigned row, unsigned vector) {
  const Access &access = emitter.spec.leaves[leaf];
  bool perRow = constantOf(access.row) != 0, perColumn = constantOf(access.column) != 0;
  Value &value = loaded[{leaf, perRow ? row : ~0u, perColumn ? vector : ~0u}];
  if (value)
    return value;
  Pointer pointer{emitter.buffer(access.tensor), offsetOf(access, leafBases[leaf], row, vector)};
  if (perColumn)
    return value = emitter.load(access.element, pointer, mask(vector));
  Value scalar = memref::LoadOp::create(emitter.b, pointer.memref, pointer.offset);
  return value = vector::BroadcastOp::create(emitter.b, emitter.vectorOf(access.element), scalar);
}

static Value skipCasts(Value value) {
  while (auto cast = value.getDefiningOp<tensor::CastOp>())
    value = cast.getSource();
  return value;
}

void EpilogueEmitter::applyOperation(linalg::LinalgOp op, unsigned row, unsigned vector) {
  const ContractionSpec &spec = emitter.spec;
  Block &body = op->getRegion(0).front();
  IRMapping vectors;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(operand);
    if (argument.use_empty())
      continue;
    if (auto leaf = spec.leafOf.find(operand); leaf != spec.leafOf.end())
      vectors.map(argument, loadLeaf(leaf->second, row, vector));
    else if (auto splat = spec.splatOf.find(operand); splat != spec.splatOf.end())
      vectors.map(argument, emitter.splat(splat->second));
    else
      vectors.map(argument, cell.at(skipCasts(operand->get())));
  }
  auto vectorized = [&](Value scalar) {
    if (Value found = vectors.lookupOrNull(scalar))
      return found;
    TypedAttr constant;
    matchPattern(scalar, m_Constant(&constant));
    return emitter.splat(constant);
  };
  for (Operation &payload : body.without_terminator()) {
    if (isa<arith::ConstantOp>(payload))
      continue;
    for (Value operand : payload.getOperands())
      vectors.map(operand, vectorized(operand));
    Operation *clone = emitter.b.clone(payload, vectors);
    clone->getResult(0).setType(emitter.vectorOf(payload.getResult(0).getType()));
    vectors.map(payload.getResult(0), clone->getResult(0));
  }
  for (auto [result, scalar] :
       llvm::zip_equal(op->getResults(), body.getTerminator()->getOperands()))
    cell[result] = vectorized(scalar);
}

void EpilogueEmitter::emitCell(unsigned row, unsigned vector, Value accumulator) {
  const ContractionSpec &spec = emitter.spec;
  cell.clear();
  if (spec.initialLeaf)
    accumulator =
        arith::AddFOp::create(emitter.b, accumulator, loadLeaf(*spec.initialLeaf, row, vector));
  cell[spec.root->getResult(0)] = accumulator;
  for (linalg::LinalgOp op : spec.epilogue)
    applyOperation(op, row, vector);
  for (auto [output, base] : llvm::zip_equal(spec.outputs, outputBases))
    emitter.store(
        cell.at(output.value),
        {emitter.buffer(output.access.tensor), offsetOf(output.access, base, row, vector)},
        mask(vector));
}

void contraction::emitEpilogue(Emitter &emitter, const Tile &tile, const TilePosition &position) {
  EpilogueEmitter epilogue(emitter, position);
  unsigned vectors = emitter.blocking.vectors;
  for (unsigned cell = 0; cell < tile.size(); ++cell)
    epilogue.emitCell(cell / vectors, cell % vectors, tile[cell]);
}
