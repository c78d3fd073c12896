// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Support vector machines of ai.onnx.ml. The standard gives their attributes no meaning; it is that
// of LIBSVM, whose models they hold, with what ONNX Runtime makes of it.

#include "lib/import/FunctionBodies.h"
#include "lib/import/LearnedModels.h"

#include "llvm/ADT/StringSwitch.h"

#include <algorithm>
#include <numeric>

namespace tenon::import {

using Value = BodyBuilder::Value;
using Body = std::optional<proto::FunctionProto>;
static constexpr int32_t kFloat = proto::TensorProto::FLOAT;
static constexpr int32_t kInteger = proto::TensorProto::INT64;

/// The kernel's value for each pair of a row of `input` and one of `vectors`.
static Value makeKernel(BodyBuilder &body, Value input, Value vectors) {
  std::string kind = body.getText("kernel_type");
  std::vector<double> parameters = body.getNumbers("kernel_params");
  parameters.resize(3);
  auto constant = [&](double value) { return body.scalar(value, kFloat); };
  auto transpose = [&](Value x) {
    return body.add("Transpose", {x}, {{"perm", std::vector<int64_t>{1, 0}}});
  };
  if (kind == "RBF") {
    // Of the differences themselves: the difference of squares would cancel.
    Value difference = body.add("Sub", {body.add("Unsqueeze", {input, body.integers({1})}),
                                        body.add("Unsqueeze", {vectors, body.integers({0})})});
    Value distance =
        body.add("ReduceSumSquare", {difference, body.integers({2})}, {{"keepdims", 0}});
    return body.add("Exp", {body.add("Mul", {constant(-parameters[0]), distance})});
  }
  Value product = body.add("MatMul", {input, transpose(vectors)});
  if (kind == "LINEAR")
    return product;
  product = body.add(
      "Add", {body.add("Mul", {constant(parameters[0]), product}), constant(parameters[1])});
  if (kind == "POLY")
    return body.add("Pow", {product, constant(parameters[2])});
  if (kind == "SIGMOID")
    return body.add("Tanh", {product});
  return "";
}

static Body writeSvmRegressor(BodyBuilder &body) {
  std::vector<double> coefficients = body.getNumbers("coefficients"),
                      vectors = body.getNumbers("support_vectors"), rho = body.getNumbers("rho");
  int64_t count = body.getInteger("n_supports");
  if (!isNumeric(body.getElementType(0)) || rho.empty() || coefficients.empty())
    return std::nullopt;
  auto length = static_cast<int64_t>(coefficients.size());
  Value score;
  if (count > 0) {
    if (static_cast<int64_t>(vectors.size()) % count != 0 || length != count)
      return std::nullopt;
    auto features = static_cast<int64_t>(vectors.size()) / count;
    Value kernel =
        makeKernel(body, makeSamples(body), body.tensor(vectors, {count, features}, kFloat));
    if (kernel.empty())
      return std::nullopt;
    score = body.add("MatMul", {kernel, body.tensor(coefficients, {count, 1}, kFloat)});
  } else {
    score = makeKernel(body, makeSamples(body), body.tensor(coefficients, {1, length}, kFloat));
  }
  if (score.empty())
    return std::nullopt;
  score = body.add("Add", {score, body.scalar(rho.front(), kFloat)});
  if (body.getInteger("one_class"))
    score = body.add("Where", {body.add("Greater", {score, body.scalar(0, kFloat)}),
                               body.scalar(1, kFloat), body.scalar(-1, kFloat)});
  body.setOutput(0, score);
  return body.take();
}

//===----------------------------------------------------------------------===//
// Classifiers
//===----------------------------------------------------------------------===//

namespace {

/// The pairs of classes, (0, 1), (0, 2), ... (1, 2), ..., each of which has a machine of its own.
struct Pairs {
  explicit Pairs(int64_t classes) : classes(classes) {
    for (int64_t i = 0; i < classes; ++i)
      for (int64_t j = i + 1; j < classes; ++j)
        each.emplace_back(i, j);
  }
  int64_t count() const { return static_cast<int64_t>(each.size()); }

  int64_t classes;
  std::vector<std::pair<int64_t, int64_t>> each;
};

} // namespace

/// What each pair's machine says of each sample: [samples, pairs], positive for the first class.
/// `kernel` is [samples, vectors]. A vector has a coefficient for each class but its own.
static Value makeDecisions(BodyBuilder &body, const Pairs &pairs, Value kernel,
                           const std::vector<int64_t> &vectorsPerClass) {
  std::vector<double> coefficients = body.getNumbers("coefficients"), rho = body.getNumbers("rho");
  std::vector<size_t> begins{0};
  for (int64_t count : vectorsPerClass)
    begins.push_back(begins.back() + static_cast<size_t>(count));
  size_t vectors = begins.back(), width = pairs.each.size();
  std::vector<double> table(vectors * width);
  for (size_t pair = 0; pair < width; ++pair) {
    auto first = static_cast<size_t>(pairs.each[pair].first);
    auto second = static_cast<size_t>(pairs.each[pair].second);
    for (size_t vector = begins[first]; vector < begins[first + 1]; ++vector)
      table[vector * width + pair] = coefficients[(second - 1) * vectors + vector];
    for (size_t vector = begins[second]; vector < begins[second + 1]; ++vector)
      table[vector * width + pair] = coefficients[first * vectors + vector];
  }
  auto rows = static_cast<int64_t>(vectors);
  Value decisions =
      body.add("MatMul", {kernel, body.tensor(std::move(table), {rows, pairs.count()}, kFloat)});
  return body.add("Add", {decisions, makeVector(body, std::move(rho), kFloat)});
}

/// The class that wins most of its pairs, the first of equals.
static Value chooseByVotes(BodyBuilder &body, const Pairs &pairs, Value decisions) {
  std::vector<double> table(static_cast<size_t>(pairs.count() * pairs.classes));
  std::vector<double> base(static_cast<size_t>(pairs.classes));
  // A pair votes for its second class unless it votes for its first.
  for (size_t pair = 0; pair < pairs.each.size(); ++pair) {
    auto [first, second] = pairs.each[pair];
    table[pair * base.size() + static_cast<size_t>(first)] = 1;
    table[pair * base.size() + static_cast<size_t>(second)] = -1;
    base[static_cast<size_t>(second)] += 1;
  }
  Value isFirst = body.cast(body.add("Greater", {decisions, body.scalar(0, kFloat)}), kFloat);
  Value votes = body.add(
      "MatMul", {isFirst, body.tensor(std::move(table), {pairs.count(), pairs.classes}, kFloat)});
  votes = body.add("Add", {votes, makeVector(body, std::move(base), kFloat)});
  return body.add("ArgMax", {votes}, {{"axis", 1}, {"keepdims", 0}});
}

/// Probabilities of pairs, as a matrix for each sample: [samples, classes, classes], of which
/// element (i, j) is that of i where it is i or j, and the diagonal is zero.
static Value makePairMatrix(BodyBuilder &body, const Pairs &pairs, Value decisions) {
  auto constant = [&](double value) { return body.scalar(value, kFloat); };
  Value slope = makeVector(body, body.getNumbers("prob_a"), kFloat);
  Value offset = makeVector(body, body.getNumbers("prob_b"), kFloat);
  Value line = body.add("Add", {body.add("Mul", {decisions, slope}), offset});
  Value first = body.add("Sub", {constant(1), body.add("Sigmoid", {line})});
  first = body.add("Clip", {first, constant(1e-7), constant(1 - 1e-7)});
  Value second = body.add("Sub", {constant(1), first});
  Value none = body.add("Mul", {body.add("Slice", {first, body.integers({0}), body.integers({1}),
                                                   body.integers({1})}),
                                constant(0)});
  Value all = body.add("Concat", {first, second, none}, {{"axis", 1}});
  std::vector<int64_t> places(static_cast<size_t>(pairs.classes * pairs.classes),
                              2 * pairs.count());
  for (int64_t pair = 0; pair < pairs.count(); ++pair) {
    auto [i, j] = pairs.each[static_cast<size_t>(pair)];
    places[static_cast<size_t>(i * pairs.classes + j)] = pair;
    places[static_cast<size_t>(j * pairs.classes + i)] = pairs.count() + pair;
  }
  Value matrix = body.add("Gather", {all, body.integers(std::move(places))}, {{"axis", 1}});
  return body.add("Reshape", {matrix, body.integers({0, pairs.classes, pairs.classes})});
}

/// Probabilities of classes from those of pairs: the minimum of p^T Q p on the simplex, by
/// coordinate descent (Wu, Lin and Weng 2004, algorithm 2), as many rounds as LIBSVM makes. A
/// sample that has converged stays as it is.
static Value coupleProbabilities(BodyBuilder &body, const Pairs &pairs, Value pairMatrix) {
  int64_t classes = pairs.classes;
  auto size = static_cast<size_t>(classes);
  auto unit = [&](int64_t position) {
    std::vector<double> elements(size);
    elements[static_cast<size_t>(position)] = 1;
    return makeVector(body, std::move(elements), kFloat);
  };
  auto constant = [&](double value) { return body.scalar(value, kFloat); };
  std::vector<double> identity(size * size);
  for (size_t i = 0; i < size; ++i)
    identity[i * size + i] = 1;

  Value transposed = body.add("Transpose", {pairMatrix}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
  Value diagonal = body.add("ReduceSumSquare", {pairMatrix, body.integers({1})}, {{"keepdims", 0}});
  Value q = body.add("Sub", {body.add("Mul", {body.add("Unsqueeze", {diagonal, body.integers({2})}),
                                              body.tensor(identity, {classes, classes}, kFloat)}),
                             body.add("Mul", {pairMatrix, transposed})});
  // All alike at first; of the shape that the number of samples gives.
  Value start = body.add("Add", {body.add("Mul", {diagonal, constant(0)}),
                                 constant(1.0 / static_cast<double>(classes))});
  Value isDone =
      body.add("Less", {body.add("ReduceMax", {start, body.integers({1})}), constant(0)});

  std::vector<Value> inputs = body.beginGraph(4); // iteration, condition, probabilities, isDone
  Value old = inputs[2], p = old;
  Value product =
      body.add("Squeeze", {body.add("MatMul", {q, body.add("Unsqueeze", {p, body.integers({2})})}),
                           body.integers({2})});
  Value value = body.add("ReduceSum", {body.add("Mul", {p, product}), body.integers({1})});
  Value error = body.add(
      "ReduceMax", {body.add("Abs", {body.add("Sub", {product, value})}), body.integers({1})});
  Value done = body.add(
      "Or", {inputs[3], body.add("Less", {error, constant(0.005 / static_cast<double>(classes))})});
  for (int64_t t = 0; t < classes; ++t) {
    Value row = body.add("Gather", {q, body.integer(t)}, {{"axis", 1}});
    Value corner = body.add("Gather", {row, body.integers({t})}, {{"axis", 1}});
    Value here = body.add("Gather", {product, body.integers({t})}, {{"axis", 1}});
    Value step = body.add("Div", {body.add("Sub", {value, here}), corner});
    Value scale = body.add("Add", {step, constant(1)});
    p = body.add("Div", {body.add("Add", {p, body.add("Mul", {step, unit(t)})}), scale});
    Value gain = body.add("Mul", {step, body.add("Add", {body.add("Mul", {step, corner}),
                                                         body.add("Mul", {constant(2), here})})});
    value = body.add("Div", {body.add("Div", {body.add("Add", {value, gain}), scale}), scale});
    product = body.add("Div", {body.add("Add", {product, body.add("Mul", {step, row})}), scale});
  }
  p = body.add("Where", {done, old, p});
  Value goesOn = body.add(
      "Not", {body.cast(body.add("ReduceMin", {body.cast(done, kInteger)}, {{"keepdims", 0}}),
                        proto::TensorProto::BOOL)});
  proto::GraphProto round = body.endGraph({goesOn, p, done});
  Value always = body.cast(body.integer(1), proto::TensorProto::BOOL);
  return body
      .addMany(2, "Loop", {body.integer(100), always, start, isDone}, {{"body", std::move(round)}})
      .front();
}

static Body writeSvmClassifier(BodyBuilder &body) {
  std::vector<double> coefficients = body.getNumbers("coefficients"),
                      vectors = body.getNumbers("support_vectors"), rho = body.getNumbers("rho");
  std::vector<int64_t> perClass = body.getIntegers("vectors_per_class");
  ClassLabels labels(body, "classlabels_ints");
  int64_t classes = labels.count(), count = std::reduce(perClass.begin(), perClass.end());
  if (!isNumeric(body.getElementType(0)) || classes < 2 || coefficients.empty() || rho.empty())
    return std::nullopt;
  auto length = static_cast<int64_t>(coefficients.size());

  if (count == 0) {
    // Linear, one row of coefficients for each class.
    if (length % classes != 0)
      return std::nullopt;
    Value weights =
        body.add("Transpose", {body.tensor(coefficients, {classes, length / classes}, kFloat)},
                 {{"perm", std::vector<int64_t>{1, 0}}});
    Value scores = body.add("Add", {body.add("MatMul", {makeSamples(body), weights}),
                                    body.scalar(rho.front(), kFloat)});
    Value chosen = body.add("ArgMax", {scores}, {{"axis", 1}, {"keepdims", 0}});
    if (classes == 2) {
      // ONNX Runtime takes the second of two classes wherever a score is high enough for a
      // decision.
      bool isPositive = std::ranges::all_of(coefficients, [](double c) { return c >= 0; });
      Value highest = body.add("ReduceMax", {scores, body.integers({1})}, {{"keepdims", 0}});
      Value decides = isPositive ? body.add("GreaterOrEqual", {highest, body.scalar(0.5, kFloat)})
                                 : body.add("Greater", {highest, body.scalar(0, kFloat)});
      chosen = body.add("Where", {decides, body.integer(1), chosen});
    }
    body.setOutput(0, labels.choose(chosen));
    scores = transformScores(body, scores);
    if (scores.empty())
      return std::nullopt;
    body.setOutput(1, scores);
    return body.take();
  }

  Pairs pairs(classes);
  bool hasNegative = std::ranges::any_of(perClass, [](int64_t n) { return n < 0; });
  std::vector<double> slopes = body.getNumbers("prob_a");
  auto pairCount = static_cast<size_t>(pairs.count());
  if (hasNegative || static_cast<int64_t>(perClass.size()) != classes ||
      static_cast<int64_t>(vectors.size()) % count != 0 || length != count * (classes - 1) ||
      rho.size() != pairCount || (!slopes.empty() && slopes.size() != pairCount) ||
      slopes.size() != body.getNumbers("prob_b").size())
    return std::nullopt;
  auto features = static_cast<int64_t>(vectors.size()) / count;
  Value kernel =
      makeKernel(body, makeSamples(body), body.tensor(vectors, {count, features}, kFloat));
  if (kernel.empty())
    return std::nullopt;
  Value scores = makeDecisions(body, pairs, kernel, perClass);
  body.setOutput(0, labels.choose(chooseByVotes(body, pairs, scores)));
  if (!slopes.empty()) {
    scores = coupleProbabilities(body, pairs, makePairMatrix(body, pairs, scores));
  } else if (classes == 2) {
    // One decision, with its opposite for the first class. ONNX Runtime takes no softmax of these,
    // but makes the first up to one.
    bool isCompleted = llvm::StringRef(body.getText("post_transform")).starts_with("SOFTMAX");
    Value opposite =
        isCompleted ? body.add("Sub", {body.scalar(1, kFloat), scores}) : body.add("Neg", {scores});
    scores = body.add("Concat", {opposite, scores}, {{"axis", 1}});
    if (isCompleted) {
      body.setOutput(1, scores);
      return body.take();
    }
  }
  scores = transformScores(body, scores);
  if (scores.empty())
    return std::nullopt;
  body.setOutput(1, scores);
  return body.take();
}

BodyFunction findVectorMachineBody(llvm::StringRef domain, llvm::StringRef name) {
  if (domain != "ai.onnx.ml")
    return nullptr;
  return llvm::StringSwitch<BodyFunction>(name)
      .Case("SVMClassifier", writeSvmClassifier)
      .Case("SVMRegressor", writeSvmRegressor)
      .Default(nullptr);
}

} // namespace tenon::import
