// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Convolution.cpp - where the rows of the left-hand side are ---------===//
//
// For a matrix product a row is a base and a stride. For a convolution it is a
// pixel's window, and there is no matrix in memory: at every tap each row of the tile
// points to the channels of one input pixel, wherever that is, so tiles may run across
// the ends of image rows and of images. Pixels in the padding point to a row of zeros.
//
// A first layer has too few channels for that; its windows are gathered into rows in
// scratch memory for all panels of a group at once.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/contraction/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::contraction;

/// Appends the coordinates that `position` in a loop stands for.
static void delinearize(Emitter &emitter, Value position, const Loop &loop,
                        SmallVectorImpl<Value> &coordinates) {
  SmallVector<Value, 3> reversed;
  for (unsigned part = loop.parts.size(); part-- > 0;) {
    Value size = emitter.expression(loop.parts[part]);
    reversed.push_back(part == 0 ? position : emitter.rem(position, size));
    position = emitter.div(position, size);
  }
  llvm::append_range(coordinates, llvm::reverse(reversed));
}

SmallVector<Value> contraction::windowCoordinates(Emitter &emitter, ArrayRef<Value> outerIndices,
                                                  Value row) {
  const ContractionSpec &spec = emitter.spec;
  SmallVector<Value> coordinates;
  for (unsigned loop : spec.window->outerCoordinates)
    delinearize(emitter, outerIndices[loop], spec.outer[loop], coordinates);
  delinearize(emitter, row, spec.row, coordinates);
  return coordinates;
}

static Value isBelow(Emitter &emitter, Value value, Value limit) {
  // Unsigned, so that negative positions are not below either.
  return arith::CmpIOp::create(emitter.b, arith::CmpIPredicate::ult, value, limit);
}

static Value conjunction(Emitter &emitter, Value left, Value right) {
  return left ? Value(arith::AndIOp::create(emitter.b, left, right)) : right;
}

//===----------------------------------------------------------------------===//
// Row pointers
//===----------------------------------------------------------------------===//

RowPointers::RowPointers(Emitter &emitter, ArrayRef<Value> outerIndices)
    : emitter(emitter), outerIndices(outerIndices),
      outerBase(emitter.outerOffset(emitter.spec.lhs, outerIndices)) {
  const ContractionSpec &spec = emitter.spec;
  if (!spec.window || llvm::none_of(spec.window->dimensions, [](const WindowDimension &dimension) {
        return dimension.padded;
      }))
    return;
  int64_t elements = spec.isDepthwise
                         ? llvm::alignTo(*spec.column.constantSize(), emitter.blocking.columns())
                         : llvm::alignTo(*spec.depth.constantSize(), emitter.blocking.lanes);
  Value memory = emitter.scratch(elements, spec.element);
  Value zero = emitter.splat(emitter.b.getZeroAttr(spec.element));
  auto loop = scf::ForOp::create(emitter.b, emitter.index(0), emitter.index(elements),
                                 emitter.index(emitter.blocking.lanes));
  {
    OpBuilder::InsertionGuard guard(emitter.b);
    emitter.b.setInsertionPointToStart(loop.getBody());
    emitter.store(zero, {memory, loop.getInductionVar()});
  }
  zeros = memref::CastOp::create(emitter.b, MemRefType::get({ShapedType::kDynamic}, spec.element),
                                 memory);
}

void RowPointers::setRows(ArrayRef<Value> rows) {
  const ContractionSpec &spec = emitter.spec;
  bases.clear();
  origins.clear();
  for (Value row : rows) {
    if (!spec.window) {
      bases.push_back(emitter.add(outerBase, emitter.mul(row, spec.lhs.row)));
      continue;
    }
    SmallVector<Value> coordinates = windowCoordinates(emitter, outerIndices, row);
    bases.push_back(emitter.add(outerBase, emitter.mul(coordinates[0], spec.window->imageStride)));
    auto &origin = origins.emplace_back();
    for (auto [dimension, coordinate] :
         llvm::zip_equal(spec.window->dimensions, ArrayRef(coordinates).drop_front()))
      origin.push_back(emitter.mul(coordinate, emitter.index(dimension.stride)));
  }
}

Pointer RowPointers::windowPointer(ArrayRef<Value> origin, Value base, ArrayRef<Value> taps) {
  Value inside;
  for (auto [dimension, start, tap] :
       llvm::zip_equal(emitter.spec.window->dimensions, origin, taps)) {
    Value position = emitter.add(start, tap);
    if (dimension.padded)
      inside = conjunction(emitter, inside,
                           isBelow(emitter, position, emitter.expression(dimension.inputSize)));
    base = emitter.add(base, emitter.mul(position, dimension.inputStride));
  }
  Value memref = emitter.buffer(emitter.spec.lhs.tensor);
  if (!inside)
    return {memref, base};
  ImplicitLocOpBuilder &b = emitter.b;
  if (memref.getType() != zeros.getType())
    memref = memref::CastOp::create(b, zeros.getType(), memref);
  return {arith::SelectOp::create(b, inside, memref, zeros),
          arith::SelectOp::create(b, inside, base, emitter.index(0))};
}

SmallVector<Pointer> RowPointers::at(ArrayRef<Value> taps) {
  const ContractionSpec &spec = emitter.spec;
  SmallVector<Pointer> pointers;
  if (!spec.window) {
    Value tapOffset = emitter.index(0);
    for (auto [stride, tap] : llvm::zip_equal(spec.lhs.taps, taps))
      tapOffset = emitter.add(tapOffset, emitter.mul(tap, stride));
    for (Value base : bases)
      pointers.push_back({emitter.buffer(spec.lhs.tensor), emitter.add(base, tapOffset)});
    return pointers;
  }
  SmallVector<Value, 3> shifts;
  for (auto [dimension, tap] : llvm::zip_equal(spec.window->dimensions, taps))
    shifts.push_back(
        emitter.add(emitter.mul(tap, emitter.index(dimension.dilation)), -dimension.pad));
  for (auto [base, origin] : llvm::zip_equal(bases, origins))
    pointers.push_back(windowPointer(origin, base, shifts));
  return pointers;
}

//===----------------------------------------------------------------------===//
// Gathering
//===----------------------------------------------------------------------===//

namespace {
/// Copies the window of one pixel, tap by tap, to `target` in scratch memory.
class WindowGatherer {
public:
  WindowGatherer(Emitter &emitter, Value scratch)
      : emitter(emitter), b(emitter.b), spec(emitter.spec), window(*spec.window), scratch(scratch),
        channels(*spec.depth.constantSize()), innermost(window.dimensions.size() - 1),
        width(*spec.taps[innermost].constantSize()) {}

  void gather(ArrayRef<Value> coordinates, Value target);

private:
  /// Copies, or zeroes, the taps of dimensions from `dimension` on. `inside` is null as long as it
  /// is surely true.
  void gatherFrom(unsigned dimension, Value source, Value inside, Value target);
  void copyRun(Value source, Value target, int64_t elements);
  void copyPixels(Value source, Value first, Value inside, Value target);

  Emitter &emitter;
  ImplicitLocOpBuilder &b;
  const ContractionSpec &spec;
  const Window &window;
  Value scratch;
  int64_t channels;
  unsigned innermost;
  int64_t width;
  SmallVector<Value> starts;
};
} // namespace

void WindowGatherer::gather(ArrayRef<Value> coordinates, Value target) {
  starts.clear();
  for (auto [dimension, coordinate] : llvm::zip_equal(window.dimensions, coordinates.drop_front()))
    starts.push_back(
        emitter.add(emitter.mul(coordinate, emitter.index(dimension.stride)), -dimension.pad));
  gatherFrom(0, emitter.mul(coordinates[0], window.imageStride), {}, target);
}

void WindowGatherer::gatherFrom(unsigned dimension, Value source, Value inside, Value target) {
  const WindowDimension &current = window.dimensions[dimension];
  if (dimension < innermost) {
    int64_t inner = channels;
    for (const Loop &tap : ArrayRef(spec.taps).drop_front(dimension + 1))
      inner *= *tap.constantSize();
    auto loop = scf::ForOp::create(b, emitter.index(0),
                                   emitter.expression(spec.taps[dimension].size), emitter.index(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value tap = loop.getInductionVar();
    Value position =
        emitter.add(starts[dimension], emitter.mul(tap, emitter.index(current.dilation)));
    if (current.padded)
      inside = conjunction(emitter, inside,
                           isBelow(emitter, position, emitter.expression(current.inputSize)));
    gatherFrom(dimension + 1, emitter.add(source, emitter.mul(position, current.inputStride)),
               inside, emitter.add(target, emitter.mul(tap, emitter.index(inner))));
    return;
  }

  // Within one image row the window is a single run of elements, unless it leaves the image or has
  // holes.
  Value first = starts[dimension];
  bool run = current.dilation == 1 || width == 1;
  if (run && !current.padded && !inside)
    return copyRun(emitter.add(source, emitter.mul(first, current.inputStride)), target,
                   width * channels);
  if (!run)
    return copyPixels(source, first, inside, target);
  Value whole = inside;
  if (current.padded) {
    whole =
        conjunction(emitter, whole, isBelow(emitter, first, emitter.expression(current.inputSize)));
    whole = conjunction(
        emitter, whole,
        isBelow(emitter, emitter.add(first, width - 1), emitter.expression(current.inputSize)));
  }
  auto choice = scf::IfOp::create(b, whole, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  copyRun(emitter.add(source, emitter.mul(first, current.inputStride)), target, width * channels);
  b.setInsertionPointToStart(choice.elseBlock());
  copyPixels(source, first, inside, target);
}

void WindowGatherer::copyRun(Value source, Value target, int64_t elements) {
  // The last store may write beyond the run: rows are gathered in ascending order, so what comes
  // there comes later.
  Value input = emitter.buffer(spec.lhs.tensor);
  for (int64_t done = 0; done < elements; done += emitter.blocking.lanes) {
    Value mask;
    if (elements - done < emitter.blocking.lanes)
      mask = emitter.maskBelow(emitter.index(elements - done));
    Value vector = emitter.load(spec.element, {input, emitter.add(source, done)}, mask);
    emitter.store(vector, {scratch, emitter.add(target, done)});
  }
}

void WindowGatherer::copyPixels(Value source, Value first, Value inside, Value target) {
  const WindowDimension &dimension = window.dimensions[innermost];
  OpBuilder::InsertionGuard guard(b);
  auto taps = scf::ForOp::create(b, emitter.index(0), emitter.index(width), emitter.index(1));
  b.setInsertionPointToStart(taps.getBody());
  Value tap = taps.getInductionVar();
  Value position = emitter.add(first, emitter.mul(tap, emitter.index(dimension.dilation)));
  if (dimension.padded)
    inside = conjunction(emitter, inside,
                         isBelow(emitter, position, emitter.expression(dimension.inputSize)));
  Value from = emitter.add(source, emitter.mul(position, dimension.inputStride));
  Value to = emitter.add(target, emitter.mul(tap, emitter.index(channels)));
  auto copyChannels = [&](bool zero) {
    for (int64_t channel = 0; channel < channels; ++channel) {
      Value value = zero ? Value(arith::ConstantOp::create(b, b.getZeroAttr(spec.element)))
                         : Value(memref::LoadOp::create(b, emitter.buffer(spec.lhs.tensor),
                                                        emitter.add(from, channel)));
      memref::StoreOp::create(b, value, scratch, emitter.add(to, channel));
    }
  };
  if (!inside)
    return copyChannels(false);
  auto choice = scf::IfOp::create(b, inside, /*withElseRegion=*/true);
  b.setInsertionPointToStart(choice.thenBlock());
  copyChannels(false);
  b.setInsertionPointToStart(choice.elseBlock());
  copyChannels(true);
}

Value contraction::emitGatherRows(Emitter &emitter, ArrayRef<Value> outerIndices, Value begin,
                                  Value end) {
  const ContractionSpec &spec = emitter.spec;
  int64_t reduction = *spec.constantReduction();
  Value scratch =
      emitter.scratch(emitter.blocking.rowBlock * reduction + emitter.blocking.lanes, spec.element);
  auto loop = scf::ForOp::create(emitter.b, begin, end, emitter.index(1));
  OpBuilder::InsertionGuard guard(emitter.b);
  emitter.b.setInsertionPointToStart(loop.getBody());
  Value row = loop.getInductionVar();
  WindowGatherer(emitter, scratch)
      .gather(windowCoordinates(emitter, outerIndices, row),
              emitter.mul(emitter.sub(row, begin), emitter.index(reduction)));
  return scratch;
}
