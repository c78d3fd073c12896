// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Einsum: one loop for each label of the equation, in which all operands' elements are multiplied
// and added up.
//
// An operand whose label repeats (a diagonal) and labels of one operand alone that are summed need
// nothing special: they are indexing maps. More than two operands are contracted from left to
// right, keeping the labels that are still needed.

#include "lib/lower/Lowering.h"
#include "lib/lower/Patterns.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::lower;

namespace {

/// A label is a letter; the dimensions of an ellipsis get labels from this one on, the last
/// dimension the first.
using Label = unsigned;
constexpr Label firstEllipsisLabel = 256;

struct Equation {
  SmallVector<SmallVector<Label>> operands;
  SmallVector<Label> result;
};

/// The labels of one term, whose ellipsis stands for `ellipsisRank` dimensions, or failure if there
/// is something else.
FailureOr<SmallVector<Label>> parseTerm(StringRef term, int64_t ellipsisRank) {
  SmallVector<Label> labels;
  while (!term.empty()) {
    if (term.consume_front("...")) {
      for (int64_t i = ellipsisRank; i > 0; --i)
        labels.push_back(firstEllipsisLabel + i - 1);
      continue;
    }
    if (!llvm::isAlpha(term.front()))
      return failure();
    labels.push_back(static_cast<unsigned char>(term.front()));
    term = term.drop_front();
  }
  return labels;
}

FailureOr<Equation> parseEquation(StringRef text, ValueRange inputs) {
  std::string compact;
  llvm::copy_if(text, std::back_inserter(compact), [](char c) { return c != ' '; });
  auto [left, right] = StringRef(compact).split("->");
  bool hasResult = StringRef(compact).contains("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != inputs.size())
    return failure();

  Equation equation;
  int64_t ellipsisRank = 0;
  for (auto [term, input] : llvm::zip_equal(terms, inputs)) {
    int64_t letters = llvm::count_if(term, llvm::isAlpha), rank = getRank(input) - letters;
    bool hasEllipsis = term.contains("...");
    if (rank < 0 || (!hasEllipsis && rank != 0))
      return failure();
    FailureOr<SmallVector<Label>> labels = parseTerm(term, rank);
    if (failed(labels))
      return failure();
    equation.operands.push_back(*labels);
    ellipsisRank = std::max(ellipsisRank, rank);
  }
  if (hasResult) {
    FailureOr<SmallVector<Label>> labels = parseTerm(right, ellipsisRank);
    if (failed(labels))
      return failure();
    equation.result = *labels;
    return equation;
  }
  // The ellipsis, and then the letters that occur once, in the order of the alphabet.
  for (int64_t i = ellipsisRank; i > 0; --i)
    equation.result.push_back(firstEllipsisLabel + i - 1);
  for (Label letter = 0; letter < firstEllipsisLabel; ++letter) {
    int64_t count = 0;
    for (const SmallVector<Label> &labels : equation.operands)
      count += llvm::count(labels, letter);
    if (count == 1)
      equation.result.push_back(letter);
  }
  return equation;
}

/// An operand or an intermediate result with the labels of its dimensions.
struct Term {
  Value value;
  SmallVector<Label> labels;
};

/// Contracts `terms` (one or two) to a term with the labels `kept`.
Term contract(OpBuilder &builder, Location loc, ArrayRef<Term> terms, ArrayRef<Label> kept) {
  MLIRContext *context = builder.getContext();
  // The loops: the labels that are kept, then those that are summed over.
  llvm::SmallSetVector<Label, 8> loops(kept.begin(), kept.end());
  llvm::SmallDenseMap<Label, OpFoldResult> sizes;
  for (const Term &term : terms)
    for (auto [dim, label] : llvm::enumerate(term.labels)) {
      loops.insert(label);
      OpFoldResult size = getDim(builder, loc, term.value, dim);
      // Of several sizes one that is not 1 counts.
      auto [known, isNew] = sizes.try_emplace(label, size);
      if (!isNew && getConstantIntValue(known->second) == 1)
        known->second = size;
    }

  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  auto position = [&](Label label) {
    return getAffineDimExpr(std::distance(loops.begin(), llvm::find(loops, label)), context);
  };
  for (const Term &term : terms) {
    SmallVector<AffineExpr> read;
    SmallVector<int64_t> broadcast;
    for (auto [dim, label] : llvm::enumerate(term.labels)) {
      if (getConstantIntValue(getDim(builder, loc, term.value, dim)) == 1 &&
          getConstantIntValue(sizes[label]) != 1)
        broadcast.push_back(dim);
      else
        read.push_back(position(label));
    }
    operands.push_back(dropUnitDims(builder, loc, term.value, broadcast));
    maps.push_back(AffineMap::get(loops.size(), 0, read, context));
  }
  SmallVector<AffineExpr> written;
  SmallVector<OpFoldResult> resultSizes;
  for (Label label : kept) {
    written.push_back(position(label));
    resultSizes.push_back(sizes[label]);
  }
  maps.push_back(AffineMap::get(loops.size(), 0, written, context));
  SmallVector<utils::IteratorType> iterators(kept.size(), utils::IteratorType::parallel);
  iterators.resize(loops.size(), utils::IteratorType::reduction);

  Type type = getAccumulatorType(getElementType(terms.front().value));
  Value init = createFilled(builder, loc, resultSizes, builder.getZeroAttr(type));
  auto addProduct = [&](OpBuilder &inner, Location loc, ValueRange elements) {
    ImplicitLocOpBuilder body(loc, inner);
    Value product = convertScalar(body, elements.front(), type, false, false);
    for (Value element : elements.drop_front().drop_back()) {
      element = convertScalar(body, element, type, false, false);
      product = isa<FloatType>(type) ? arith::MulFOp::create(body, product, element).getResult()
                                     : arith::MulIOp::create(body, product, element).getResult();
    }
    Value sum = isa<FloatType>(type)
                    ? arith::AddFOp::create(body, elements.back(), product).getResult()
                    : arith::AddIOp::create(body, elements.back(), product).getResult();
    linalg::YieldOp::create(body, sum);
  };
  Value result = linalg::GenericOp::create(builder, loc, init.getType(), operands, init, maps,
                                           iterators, addProduct)
                     .getResult(0);
  return {result, SmallVector<Label>(kept)};
}

struct EinsumLowering : OpConversionPattern<onnx::EinsumOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::EinsumOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    FailureOr<Equation> equation = parseEquation(op.getEquation(), adaptor.getInputs());
    if (failed(equation))
      return refuse(rewriter, op, "equation '" + op.getEquation() + "' does not fit the operands");
    for (Label label : equation->result)
      if (llvm::count(equation->result, label) > 1 ||
          llvm::none_of(equation->operands,
                        [&](auto &labels) { return llvm::is_contained(labels, label); }))
        return refuse(rewriter, op,
                      "equation '" + op.getEquation() +
                          "' has a result label twice or of no operand");

    Term result{adaptor.getInputs().front(), equation->operands.front()};
    size_t count = equation->operands.size();
    if (count == 1)
      result = contract(rewriter, loc, result, equation->result);
    for (size_t i = 1; i < count; ++i) {
      Term next{adaptor.getInputs()[i], equation->operands[i]};
      llvm::SmallSetVector<Label, 8> kept;
      if (i + 1 == count) {
        kept.insert_range(equation->result);
      } else {
        // What a later operand or the result still needs.
        auto isNeeded = [&](Label label) {
          return llvm::is_contained(equation->result, label) ||
                 llvm::any_of(ArrayRef(equation->operands).drop_front(i + 1),
                              [&](auto &labels) { return llvm::is_contained(labels, label); });
        };
        for (Label label : llvm::concat<Label>(result.labels, next.labels))
          if (isNeeded(label))
            kept.insert(label);
      }
      result = contract(rewriter, loc, {result, next}, kept.getArrayRef());
    }
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    Value value = convertElements(rewriter, loc, result.value, type.getElementType());
    rewriter.replaceOp(op, castTo(rewriter, loc, value, type));
    return success();
  }
};

} // namespace

void lower::populateEinsumPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<EinsumLowering>(converter, patterns.getContext());
}
