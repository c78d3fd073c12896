// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What only training does: the optimizers, the training modes of BatchNormalization and Dropout,
// and drawing from a distribution.

#include "lib/import/FunctionBodies.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace tenon::import {

using Value = BodyBuilder::Value;

//===----------------------------------------------------------------------===//
// Optimizers
//===----------------------------------------------------------------------===//

namespace {
/// The operands of an optimizer are the rate, the step, and then groups of tensors: all parameters,
/// all gradients, all states of each kind. It is computed in the type of the parameters.
class Optimizer {
public:
  Optimizer(BodyBuilder &body, int groups)
      : body(body), count((body.getInputCount() - 2) / groups), type(body.getElementType(2)) {}

  bool isValid(int groups) const {
    return count > 0 && body.getInputCount() == 2 + count * groups &&
           type != proto::TensorProto::UNDEFINED;
  }

  int getCount() const { return count; }
  Value get(int group, int index) { return body.getInput(2 + group * count + index); }
  void set(int group, int index, Value value) { body.setOutput(group * count + index, value); }

  Value constant(double value) { return body.scalar(value, type); }
  Value number(const char *name) { return constant(body.getNumber(name)); }
  Value rate() { return body.add("CastLike", {body.getInput(0), get(0, 0)}); }
  Value step() { return body.cast(body.getInput(1), type); }
  Value isFirst() { return body.add("Equal", {body.getInput(1), body.integer(0)}); }

  /// The gradient with that of the regularization.
  Value getGradient(int index) {
    Value gradient = get(1, index);
    if (body.getNumber("norm_coefficient") == 0)
      return gradient;
    return body.add("Add",
                    {body.add("Mul", {number("norm_coefficient"), get(0, index)}), gradient});
  }

  /// x - rate * direction
  Value move(int index, Value rate, Value direction) {
    return body.add("Sub", {get(0, index), body.add("Mul", {rate, direction})});
  }

  /// kept * state + (1 - kept) * term
  Value average(const char *kept, Value state, Value term) {
    return body.add("Add", {body.add("Mul", {number(kept), state}),
                            body.add("Mul", {constant(1 - body.getNumber(kept)), term})});
  }

  /// direction / (sqrt(scale) + epsilon)
  Value normalize(Value direction, Value scale) {
    return body.add("Div",
                    {direction, body.add("Add", {body.add("Sqrt", {scale}), number("epsilon")})});
  }

private:
  BodyBuilder &body;
  int count;
  int32_t type;
};
} // namespace

static std::optional<proto::FunctionProto> writeAdagrad(BodyBuilder &body) {
  Optimizer optimizer(body, 3);
  if (!optimizer.isValid(3))
    return std::nullopt;
  Value decay =
      body.add("Add", {optimizer.constant(1),
                       body.add("Mul", {optimizer.step(), optimizer.number("decay_factor")})});
  Value rate = body.add("Div", {optimizer.rate(), decay});
  for (int i = 0; i < optimizer.getCount(); ++i) {
    Value gradient = optimizer.getGradient(i);
    Value squares = body.add("Add", {optimizer.get(2, i), body.add("Mul", {gradient, gradient})});
    optimizer.set(0, i, optimizer.move(i, rate, optimizer.normalize(gradient, squares)));
    optimizer.set(1, i, squares);
  }
  return body.take();
}

static std::optional<proto::FunctionProto> writeAdam(BodyBuilder &body) {
  Optimizer optimizer(body, 4);
  if (!optimizer.isValid(4))
    return std::nullopt;
  // The averages begin at zero, which is corrected for; at step 0 there is nothing to correct.
  auto getBias = [&](const char *kept) {
    Value power = body.add("Pow", {optimizer.number(kept), optimizer.step()});
    return body.add("Sub", {optimizer.constant(1), power});
  };
  Value corrected =
      body.add("Div", {body.add("Mul", {optimizer.rate(), body.add("Sqrt", {getBias("beta")})}),
                       getBias("alpha")});
  Value rate = body.add("Where", {optimizer.isFirst(), optimizer.rate(), corrected});
  for (int i = 0; i < optimizer.getCount(); ++i) {
    Value gradient = optimizer.getGradient(i);
    Value mean = optimizer.average("alpha", optimizer.get(2, i), gradient);
    Value squares =
        optimizer.average("beta", optimizer.get(3, i), body.add("Mul", {gradient, gradient}));
    Value moved = optimizer.move(i, rate, optimizer.normalize(mean, squares));
    if (double decay = body.getNumber("norm_coefficient_post"); decay != 0)
      moved = body.add("Mul", {optimizer.constant(1 - decay), moved});
    optimizer.set(0, i, moved);
    optimizer.set(1, i, mean);
    optimizer.set(2, i, squares);
  }
  return body.take();
}

static std::optional<proto::FunctionProto> writeMomentum(BodyBuilder &body) {
  Optimizer optimizer(body, 3);
  bool isNesterov = body.getText("mode") == "nesterov";
  if (!optimizer.isValid(3) || (!isNesterov && body.getText("mode") != "standard"))
    return std::nullopt;
  Value beta =
      body.add("Where", {optimizer.isFirst(), optimizer.constant(1), optimizer.number("beta")});
  for (int i = 0; i < optimizer.getCount(); ++i) {
    Value gradient = optimizer.getGradient(i);
    Value velocity =
        body.add("Add", {body.add("Mul", {optimizer.number("alpha"), optimizer.get(2, i)}),
                         body.add("Mul", {beta, gradient})});
    Value direction = velocity;
    if (isNesterov)
      direction =
          body.add("Add", {gradient, body.add("Mul", {optimizer.number("alpha"), velocity})});
    optimizer.set(0, i, optimizer.move(i, optimizer.rate(), direction));
    optimizer.set(1, i, velocity);
  }
  return body.take();
}

//===----------------------------------------------------------------------===//
// Training modes
//===----------------------------------------------------------------------===//

/// Normalizes by the mean and variance of the batch, and averages them with the earlier ones.
static std::optional<proto::FunctionProto> writeBatchNormalization(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  int32_t type = body.getElementType(0), statisticsType = body.getElementType(3);
  if (body.getInteger("training_mode") == 0 || !shape || shape->size() < 2)
    return std::nullopt;
  // Sums of many elements are kept in f32 at least.
  int32_t wide =
      type == proto::TensorProto::DOUBLE ? type : static_cast<int32_t>(proto::TensorProto::FLOAT);
  std::vector<int64_t> axes{0}, channels{1, -1};
  for (size_t dim = 2; dim < shape->size(); ++dim) {
    axes.push_back(static_cast<int64_t>(dim));
    channels.push_back(1);
  }
  auto average = [&](Value value, bool keepsDims) {
    return body.add("ReduceMean", {value, body.integers(axes)}, {{"keepdims", keepsDims}});
  };
  auto perChannel = [&](int input) {
    return body.add("Reshape", {body.cast(body.getInput(input), wide), body.integers(channels)});
  };
  Value input = body.cast(body.getInput(0), wide);
  Value centered = body.add("Sub", {input, average(input, true)});
  Value squares = body.add("Mul", {centered, centered});
  Value deviation = body.add(
      "Sqrt",
      {body.add("Add", {average(squares, true), body.scalar(body.getNumber("epsilon"), wide)})});
  Value normalized = body.add("Div", {centered, deviation});
  normalized = body.add("Add", {body.add("Mul", {normalized, perChannel(1)}), perChannel(2)});
  body.setOutput(0, body.cast(normalized, type));

  double kept = body.getNumber("momentum");
  auto update = [&](int input, Value current) {
    Value old = body.add("Mul", {body.cast(body.getInput(input), wide), body.scalar(kept, wide)});
    Value share = body.add("Mul", {current, body.scalar(1 - kept, wide)});
    return body.cast(body.add("Add", {old, share}), statisticsType);
  };
  body.setOutput(1, update(3, average(input, false)));
  body.setOutput(2, update(4, average(squares, false)));
  return body.take();
}

static std::optional<proto::FunctionProto> writeDropout(BodyBuilder &body) {
  // Outside of training it does nothing, and lowering knows that.
  if (!body.hasInput(2) || body.getConstantInteger(2) == 0)
    return std::nullopt;
  int32_t type = body.getElementType(0);
  Value data = body.getInput(0);
  auto one = [&] { return body.scalar(1, proto::TensorProto::FLOAT); };
  Value ratio = body.hasInput(1) ? body.cast(body.getInput(1), proto::TensorProto::FLOAT)
                                 : body.scalar(0.5, proto::TensorProto::FLOAT);
  std::vector<BodyBuilder::Attribute> attributes{{"dtype", proto::TensorProto::FLOAT}};
  if (body.hasAttribute("seed"))
    attributes.push_back({"seed", static_cast<double>(body.getInteger("seed"))});
  Value draw = body.add("RandomUniformLike", {data}, attributes);
  Value isKept = body.add("GreaterOrEqual", {draw, ratio});
  Value isInference = body.add("Not", {body.getInput(2)});
  isKept = body.add("Or", {isKept, isInference});
  Value scale = body.add("Div", {one(), body.add("Sub", {one(), ratio})});
  scale = body.cast(body.add("Where", {isInference, one(), scale}), type);
  Value zero = body.scalar(0, type);
  body.setOutput(0, body.add("Where", {isKept, body.add("Mul", {data, scale}), zero}));
  body.setOutput(1, isKept);
  return body.take();
}

//===----------------------------------------------------------------------===//
// Drawing from a distribution
//===----------------------------------------------------------------------===//

/// The body that the standard gives draws a 1 with the probability of a 0.
static std::optional<proto::FunctionProto> writeBernoulli(BodyBuilder &body) {
  int32_t type = body.getElementType(0);
  if (type == proto::TensorProto::UNDEFINED)
    return std::nullopt;
  std::vector<BodyBuilder::Attribute> attributes{{"dtype", type}};
  if (body.hasAttribute("seed"))
    attributes.push_back({"seed", body.getNumber("seed")});
  Value draw = body.add("RandomUniformLike", {body.getInput(0)}, attributes);
  Value isOne = body.add("Less", {draw, body.getInput(0)});
  body.setOutput(0, body.cast(isOne, static_cast<int32_t>(body.getInteger("dtype", type))));
  return body.take();
}

/// The largest of the logarithms of probabilities, each with a draw of its own from the Gumbel
/// distribution, has exactly the distribution that they tell (E. J. Gumbel, 1954).
static std::optional<proto::FunctionProto> writeMultinomial(BodyBuilder &body) {
  int64_t count = body.getInteger("sample_size", 1);
  if (count < 1)
    return std::nullopt;
  constexpr int32_t type = proto::TensorProto::FLOAT;
  Value logits = body.add("Unsqueeze", {body.cast(body.getInput(0), type), body.integers({1})});
  Value shape = body.add(
      "Concat",
      {body.sizeOf(body.getInput(0), 0), body.integers({count}), body.sizeOf(body.getInput(0), 1)},
      {{"axis", 0}});
  Value each = body.add("Expand", {logits, shape});
  // From the smallest positive number, whose logarithm is finite.
  std::vector<BodyBuilder::Attribute> attributes{
      {"dtype", type}, {"low", 1.17549435e-38}, {"high", 1.0}};
  if (body.hasAttribute("seed"))
    attributes.push_back({"seed", body.getNumber("seed")});
  Value draw = body.add("RandomUniformLike", {each}, attributes);
  auto negativeLog = [&](Value x) { return body.add("Neg", {body.add("Log", {x})}); };
  Value gumbel = negativeLog(negativeLog(draw));
  Value chosen =
      body.add("ArgMax", {body.add("Add", {each, gumbel})}, {{"axis", 2}, {"keepdims", 0}});
  body.setOutput(0, body.cast(chosen, static_cast<int32_t>(body.getInteger("dtype", 6))));
  return body.take();
}

BodyFunction findTrainingBody(StringRef domain, StringRef name) {
  if (domain == "ai.onnx.preview.training")
    return llvm::StringSwitch<BodyFunction>(name)
        .Case("Adagrad", writeAdagrad)
        .Case("Adam", writeAdam)
        .Case("Momentum", writeMomentum)
        .Default(nullptr);
  if (!domain.empty())
    return nullptr;
  return llvm::StringSwitch<BodyFunction>(name)
      .Case("BatchNormalization", writeBatchNormalization)
      .Case("Bernoulli", writeBernoulli)
      .Case("Dropout", writeDropout)
      .Case("Multinomial", writeMultinomial)
      .Default(nullptr);
}

} // namespace tenon::import
