// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Blocking.cpp - register tile and cache blocks of a kernel ----------===//
//
// The register tile is as high as registers allow: accumulators, one row of the
// right-hand side and one broadcast. Which width is best follows from a count of
// cycles per step of the reduction: two multiply-adds and two loads each, and no
// shorter than the latency of a multiply-add, which binds for leftover rows.
//
// Above it there are two levels only. A group's block of left-hand rows stays in the
// second level cache while panels of the right-hand side pass by; the reduction is not
// split, because a second pass over the results costs more than the panel's
// streaming from the second level cache.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/contraction/Blocking.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::contraction;

/// Rows that are assumed where their number is known only at run time.
static constexpr int64_t assumedRows = 512;
/// Multiply-adds that make a group worth its hand-over (some 50 us), and how many groups a large
/// kernel gets: more threads than that do not share one kernel well, fewer are balanced by it.
static constexpr double groupWork = 4e6;
static constexpr int64_t desiredGroups = 32;
/// A row block at least this high hides the time in which its panels come from the shared cache.
static constexpr int64_t hidingRows = 112;
/// Fewer channels than this do not fill an unrolled step, and windows are gathered.
static constexpr int64_t gatherBelow = 16;

static int64_t maximumRows(const ChipDescription &chip, int64_t vectors) {
  return std::min<int64_t>((chip.vectorRegisters - vectors - 1) / vectors, 16);
}

/// Cycles for one step of the reduction on a tile.
static double stepCycles(int64_t rows, int64_t vectors, int64_t vectorBytes) {
  constexpr double latency = 4, cacheBytesPerCycle = 48, exposed = 0.15;
  return std::max({rows * vectors / 2.0, (rows + vectors) / 2.0, latency}) +
         exposed * double(vectors * vectorBytes) / cacheBytesPerCycle;
}

/// The number of rows, or what it is surely a multiple of: the pixels of one image, where only the
/// number of images is known later. None where that says nothing.
static std::optional<int64_t> likelyRows(const ContractionSpec &spec) {
  /// Of fewer rows than this there are surely several times as many.
  constexpr int64_t least = 32;
  int64_t divisor = spec.row.size.getLargestKnownDivisor();
  std::optional<int64_t> rows = spec.row.constantSize();
  return rows || divisor < least ? rows : std::optional(divisor);
}

static int64_t lanesOf(const ContractionSpec &spec, const ChipDescription &chip) {
  return chip.lanes(spec.elementBits());
}

/// Of a depthwise convolution: the wider panel, where it does not hold more that nobody asked for.
static int64_t chooseDepthwiseVectors(const ContractionSpec &spec, const ChipDescription &chip) {
  int64_t lanes = lanesOf(spec, chip), channels = *spec.column.constantSize();
  int64_t widest = chip.vectorRegisters >= 32 ? 2 : 1;
  return llvm::alignTo(channels, widest * lanes) == llvm::alignTo(channels, lanes) ? widest : 1;
}

int64_t contraction::chooseVectors(const ContractionSpec &spec, const ChipDescription &chip) {
  if (spec.isDepthwise)
    return chooseDepthwiseVectors(spec, chip);
  int64_t lanes = lanesOf(spec, chip);
  std::optional<int64_t> columns = spec.column.constantSize(), rows = likelyRows(spec);
  int64_t best = 1;
  double bestCycles = INFINITY;
  for (int64_t vectors = 1; vectors <= 4; ++vectors) {
    int64_t high = maximumRows(chip, vectors);
    if (high < 2)
      break;
    double cycles = stepCycles(high, vectors, chip.vectorBits / 8) / high;
    if (rows) {
      double leftover = *rows % high ? stepCycles(*rows % high, vectors, chip.vectorBits / 8) : 0;
      int64_t whole = *rows / high * high;
      cycles = cycles * static_cast<double>(whole) + leftover;
    }
    if (columns)
      cycles *= double(llvm::divideCeil(*columns, vectors * lanes));
    else
      cycles /= double(vectors);
    // Nearly equal is equal: the narrower tile wastes less on what cannot be foreseen.
    if (cycles < bestCycles * 0.99) {
      bestCycles = cycles;
      best = vectors;
    }
  }
  return best;
}

namespace {
/// What the kernel's `strategy` pins.
struct Pins {
  std::optional<int64_t> rows, columns, unroll, rowBlock, columnBlock;

  LogicalResult read(DictionaryAttr strategy, std::string &reason) {
    if (!strategy)
      return success();
    for (NamedAttribute entry : strategy) {
      std::optional<int64_t> *pin = llvm::StringSwitch<std::optional<int64_t> *>(entry.getName())
                                        .Case("mr", &rows)
                                        .Case("nr", &columns)
                                        .Case("ku", &unroll)
                                        .Case("mb", &rowBlock)
                                        .Case("nb", &columnBlock)
                                        .Default(nullptr);
      if (!pin)
        continue;
      auto value = dyn_cast<IntegerAttr>(entry.getValue());
      if (!value || value.getInt() <= 0) {
        reason = ("strategy '" + entry.getName().getValue() + "' is not a positive integer").str();
        return failure();
      }
      *pin = value.getInt();
    }
    return success();
  }
};
} // namespace

/// Whether the taps and channels of a packed panel lie one after the other, so that they can be one
/// reduction.
static bool isContiguousReduction(const ContractionSpec &spec) {
  AffineExpr next = spec.rhs.access.depth * spec.depth.size;
  for (unsigned tap = spec.taps.size(); tap-- > 0;) {
    if (spec.taps[tap].constantSize() != 1 && spec.rhs.access.taps[tap] != next)
      return false;
    next = next * spec.taps[tap].size;
  }
  return true;
}

static bool shouldGather(const ContractionSpec &spec, int64_t rows) {
  std::optional<int64_t> channels = spec.depth.constantSize(), reduction = spec.constantReduction();
  if (!spec.window || !(spec.rhs.panel || spec.rhs.splat) || !channels || !reduction ||
      *channels >= gatherBelow || *channels == *reduction || !isContiguousReduction(spec))
    return false;
  bool grouped =
      llvm::any_of(spec.lhs.outer, [](AffineExpr stride) { return constantOf(stride) != 0; });
  return !grouped && rows * *reduction * spec.elementBits() / 8 <= scratchBytes;
}

/// Whether the panels of an unpacked right-hand side are as good where they are.
static bool canReadInPlace(const ContractionSpec &spec, const Blocking &blocking) {
  if (spec.rhs.splat)
    return true;
  if (constantOf(spec.rhs.access.column) != 1)
    return false;
  // A panel that is not whole makes all loads masked ones.
  std::optional<int64_t> columns = spec.column.constantSize(), rows = spec.row.constantSize();
  if (!blocking.cheapMasks && !(columns && *columns % blocking.columns() == 0))
    return false;
  // Steps far apart are a page each and fall on few sets of the cache: that is worth a copy if it
  // is used often.
  std::optional<int64_t> stride = constantOf(spec.rhs.access.depth);
  bool near = stride && *stride <= 4 * blocking.columns();
  return near || (rows && *rows <= 4 * blocking.rows);
}

/// Whether the epilogue computes elementary functions, each of which becomes dozens of
/// instructions.
static bool isHeavy(ArrayRef<linalg::LinalgOp> epilogue) {
  return llvm::any_of(epilogue, [](linalg::LinalgOp op) {
    return llvm::any_of(op->getRegion(0).front(), [](Operation &payload) {
      return isa<math::MathDialect>(payload.getDialect()) &&
             !isa<math::AbsFOp, math::FmaOp, math::SqrtOp, math::FloorOp, math::CeilOp>(payload);
    });
  });
}

/// Splits rows and panels into groups.
static void chooseGroups(const ContractionSpec &spec, const ChipDescription &chip, const Pins &pins,
                         Blocking &blocking) {
  constexpr int64_t unknown = 512;
  std::optional<int64_t> columns = spec.column.constantSize();
  int64_t rows = likelyRows(spec).value_or(assumedRows), tile = blocking.rows;
  int64_t reduction = std::max<int64_t>(spec.constantReduction().value_or(unknown), 1);
  int64_t panels = llvm::divideCeil(columns.value_or(unknown), blocking.columns());
  int64_t outer = 1;
  for (const Loop &loop : spec.outer)
    outer *= loop.constantSize().value_or(1);

  int64_t bytes = spec.elementBits() / 8, rowTiles = llvm::divideCeil(rows, tile);
  double work = double(rows) * double(panels * blocking.columns()) * double(reduction);
  double perGroup = std::max(work * double(outer) / desiredGroups, groupWork);

  // As many rows as hide the panels' arrival and the cache holds, the panels by the work that is
  // left to choose.
  int64_t cached = std::max<int64_t>(chip.l2Bytes / 2 / (reduction * bytes), tile);
  if (blocking.gatherRows)
    cached = std::max<int64_t>(std::min(cached, scratchBytes / (reduction * bytes)), tile);
  if (blocking.depthBlock)
    cached = std::max<int64_t>(scratchBytes / (blocking.columns() * bytes), tile);
  int64_t square = int64_t(std::sqrt(perGroup / double(reduction)));
  int64_t wanted = std::min(std::max(square, hidingRows), cached);
  if (blocking.packRhs)
    wanted = std::max(
        wanted, std::min<int64_t>(cached, 4 * hidingRows)); // Each block packs its panels anew.
  int64_t blocks = std::max<int64_t>(1, int64_t(std::lround(double(rows) / double(wanted))));
  int64_t blockTiles = std::max<int64_t>(1, llvm::divideCeil(rowTiles, blocks));
  while (blockTiles > 1 && blockTiles * tile > cached)
    --blockTiles;
  blocking.rowBlock = blockTiles * tile;
  double panelWork =
      double(std::min(rows, blocking.rowBlock)) * double(blocking.columns()) * double(reduction);
  int64_t panelBlock = std::clamp<int64_t>(int64_t(perGroup / panelWork), 1, panels);
  if (blocking.gatherRows)
    panelBlock = panels; // Each group gathers its rows anew.
  blocking.panelBlock = llvm::divideCeil(panels, llvm::divideCeil(panels, panelBlock));
  if (!columns)
    blocking.panelBlock = panelBlock;

  if (pins.rowBlock)
    blocking.rowBlock = std::max(
        std::min<int64_t>(llvm::alignTo(*pins.rowBlock, tile), cached / tile * tile), tile);
  if (pins.columnBlock)
    blocking.panelBlock = llvm::divideCeil(*pins.columnBlock, blocking.columns());
}

/// A tile of pixels that fits the image's rows, so that tiles lie in one.
static FailureOr<Blocking> chooseDepthwiseBlocking(const ContractionSpec &spec,
                                                   const ChipDescription &chip,
                                                   std::string &reason) {
  /// Of a tile: the multiply-adds that are unrolled, and pixels, whose accumulators wait in
  /// registers.
  constexpr int64_t unrolled = 256, mostPixels = 8;
  /// Multiply-adds of a group: they take longer here, as each reads memory.
  constexpr double work = 5e5;
  int64_t taps = *spec.constantReduction(), channels = *spec.column.constantSize();
  if (!spec.rhs.panel || taps > unrolled / 2) {
    reason = "a depthwise convolution whose filter is not a weight, or too large to be unrolled";
    return failure();
  }
  Blocking blocking;
  blocking.lanes = lanesOf(spec, chip);
  if (blocking.lanes < 2 || spec.rhs.panel % blocking.lanes != 0) {
    reason =
        "panels of " + std::to_string(spec.rhs.panel) + " columns do not fit the chip's vectors";
    return failure();
  }
  blocking.vectors = spec.rhs.panel / blocking.lanes;
  blocking.cheapMasks = chip.has("avx512f");
  if (llvm::alignTo(channels, blocking.columns()) * spec.elementBits() / 8 > scratchBytes) {
    reason = "a depthwise convolution with too many channels for a row of zeros on the stack";
    return failure();
  }
  int64_t most = std::min(mostPixels, unrolled / taps);
  std::optional<int64_t> width = constantOf(spec.row.parts.back());
  blocking.rows = most;
  for (int64_t pixels = most; width && pixels > most / 2; --pixels)
    if (*width % pixels == 0) {
      blocking.rows = pixels;
      break;
    }
  int64_t rows = likelyRows(spec).value_or(assumedRows);
  double perRow = double(channels) * double(taps);
  double perGroup = std::max(perRow * double(rows) / desiredGroups, work);
  int64_t tiles = std::max<int64_t>(1, int64_t(perGroup / perRow) / blocking.rows);
  blocking.rowBlock =
      blocking.rows * std::min<int64_t>(tiles, llvm::divideCeil(rows, blocking.rows));
  blocking.panelBlock = llvm::divideCeil(channels, blocking.columns());
  return blocking;
}

FailureOr<Blocking> contraction::chooseBlocking(const ContractionSpec &spec,
                                                const ChipDescription &chip, std::string &reason) {
  if (spec.isDepthwise)
    return chooseDepthwiseBlocking(spec, chip, reason);
  Pins pins;
  plan::KernelOp kernel = spec.kernel;
  if (failed(pins.read(kernel.getStrategyAttr(), reason)))
    return failure();
  Blocking blocking;
  blocking.lanes = lanesOf(spec, chip);
  int64_t width = spec.rhs.panel
                      ? spec.rhs.panel
                      : pins.columns.value_or(chooseVectors(spec, chip) * blocking.lanes);
  if (blocking.lanes < 2 || width % blocking.lanes != 0 ||
      (pins.columns && *pins.columns != width)) {
    reason = "panels of " + std::to_string(width) + " columns do not fit the chip's vectors";
    return failure();
  }
  blocking.vectors = width / blocking.lanes;
  int64_t high = maximumRows(chip, blocking.vectors);
  if (high < 1) {
    reason =
        "panels of " + std::to_string(width) + " columns need more registers than the chip has";
    return failure();
  }

  std::optional<int64_t> rows = spec.row.constantSize();
  blocking.rows = pins.rows.value_or(high);
  // As many tiles as there must be, but of nearly the same height: a low one reads the panel as a
  // high one does, for less work.
  std::optional<int64_t> likely = likelyRows(spec);
  if (likely && *likely > 0 && !pins.rows)
    blocking.rows = llvm::divideCeil(*likely, llvm::divideCeil(*likely, high));
  else if (rows)
    blocking.rows = std::clamp<int64_t>(*rows, 1, blocking.rows);
  blocking.exactTails = rows.has_value();
  if (rows) {
    if (*rows % blocking.rows)
      blocking.tails = {*rows % blocking.rows};
  } else if (!likely || *likely % blocking.rows != 0) {
    for (int64_t tail = 1; tail < blocking.rows; tail = tail == 1 ? 4 : 2 * tail)
      blocking.tails.push_back(tail);
    if (blocking.rows > 1 && blocking.tails.back() < blocking.rows - 1)
      blocking.tails.push_back(blocking.rows - 1);
  }

  blocking.stageTiles = isHeavy(spec.epilogue);
  blocking.cheapMasks = chip.has("avx512f");
  blocking.packRhs = !spec.rhs.panel && !canReadInPlace(spec, blocking);
  blocking.gatherRows = shouldGather(spec, blocking.rows);
  std::optional<int64_t> reduction = spec.constantReduction();
  if (blocking.packRhs) {
    int64_t steps =
        scratchBytes / (width * spec.elementBits() / 8) / blocking.lanes * blocking.lanes;
    if (!reduction || *reduction > steps) {
      if (!spec.taps.empty()) {
        reason = "the right-hand side has several dimensions to sum over and is too large to be "
                 "packed at run time";
        return failure();
      }
      blocking.depthBlock = steps;
    }
  }
  int64_t depth = (blocking.gatherRows ? reduction : spec.depth.constantSize()).value_or(64);
  blocking.unroll = std::clamp<int64_t>(pins.unroll.value_or(4), 1, std::max<int64_t>(depth, 1));
  chooseGroups(spec, chip, pins, blocking);
  return blocking;
}
