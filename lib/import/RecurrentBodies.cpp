// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RNN, GRU and LSTM as loops: a Scan for each direction.
//
// What does not depend on the state leaves the loop: the products of all steps of the input with
// its weights are one contraction, to which both biases are added (but for the one that a GRU with
// linear_before_reset multiplies by a gate). A sequence that ends before the longest one keeps its
// state and gives zeros from then on; backwards it starts late, which is the same thing.

#include "lib/import/FunctionBodies.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace tenon::import {

using Value = BodyBuilder::Value;

namespace {

/// An activation of one gate, for one direction.
struct Activation {
  std::string name; ///< in lower case, since that is how it is compared
  double alpha, beta;
};

/// The parts that the three operators share. Operands and weights are ordered in the same way, and
/// an operand that an operator lacks is absent.
class Recurrence {
public:
  Recurrence(BodyBuilder &body, ArrayRef<const char *> presetActivations)
      : body(body), type(body.getElementType(0)), perDirection(presetActivations.size()) {
    std::string direction = body.getText("direction");
    directions = direction == "bidirectional" ? 2 : 1;
    startsReversed = direction == "reverse";
    readActivations(presetActivations);
    isBatchFirst = body.getInteger("layout") != 0;
  }

  /// Whether the node can be told in other operators.
  bool isValid() const {
    return isKnown && type != proto::TensorProto::UNDEFINED && body.hasInput(0) &&
           body.hasInput(1) && body.hasInput(2);
  }

  int getDirectionCount() const { return directions; }
  const Activation &getActivation(int direction, int index) const {
    return activations[direction * perDirection + index];
  }

  /// The part of an operand that belongs to a direction.
  Value select(int input, int direction) {
    if (directions == 1)
      return body.add("Squeeze", {body.getInput(input), body.integers({0})});
    return body.add("Gather", {body.getInput(input), body.integer(direction)}, {{"axis", 0}});
  }

  /// A part of the last dimension, of whole gates.
  std::vector<Value> splitGates(Value value, int count) {
    if (count == 1)
      return {value};
    return body.addMany(count, "Split", {value}, {{"axis", -1}, {"num_outputs", count}});
  }

  /// The biases of the input and of the recurrence; [gates * hidden] each.
  std::vector<Value> getBiases(int direction) {
    if (!body.hasInput(3))
      return {};
    return splitGates(select(3, direction), 2);
  }

  /// x W^T for all steps: [steps, batch, gates * hidden].
  Value projectInput(int direction) {
    Value input = body.getInput(0);
    if (isBatchFirst)
      input = body.add("Transpose", {input}, {{"perm", std::vector<int64_t>{1, 0, 2}}});
    return body.add("MatMul", {input, transpose(select(1, direction))});
  }

  Value transpose(Value matrix) {
    return body.add("Transpose", {matrix}, {{"perm", std::vector<int64_t>{1, 0}}});
  }

  /// The first state of a direction, operand `input` or zeros: [batch, hidden].
  Value getInitial(int input, int direction) {
    if (body.hasInput(input)) {
      if (!isBatchFirst)
        return select(input, direction);
      return body.add("Gather", {body.getInput(input), body.integer(direction)}, {{"axis", 1}});
    }
    Value shape = body.add(
        "Concat",
        {body.sizeOf(body.getInput(0), isBatchFirst ? 0 : 1), body.sizeOf(body.getInput(2), 2)},
        {{"axis", 0}});
    return body.add("Expand", {body.scalar(0, type), shape});
  }

  Value activate(const Activation &activation, Value x) {
    if (double limit = body.getNumber("clip"); limit > 0)
      x = body.add("Clip", {x, body.scalar(-limit, type), body.scalar(limit, type)});
    auto constant = [&](double value) { return body.scalar(value, type); };
    auto affine = [&](Value value) {
      return body.add(
          "Add", {body.add("Mul", {value, constant(activation.alpha)}), constant(activation.beta)});
    };
    BodyBuilder::Attribute alpha("alpha", activation.alpha), beta("beta", activation.beta);
    if (activation.name == "affine")
      return affine(x);
    if (activation.name == "scaledtanh")
      return body.add("Mul", {constant(activation.alpha),
                              body.add("Tanh", {body.add("Mul", {constant(activation.beta), x})})});
    if (activation.name == "hardsigmoid")
      return body.add("HardSigmoid", {x}, {alpha, beta});
    const char *operation = getOperator(activation.name);
    if (takesAlpha(activation.name))
      return body.add(operation, {x}, {alpha});
    return body.add(operation, {x});
  }

  /// Runs `step` over all steps of `projected`. It gets the states and the step's part of
  /// `projected`, and gives the new states, the first of which is the output.
  /// Results in the last states, and the outputs of all steps: [steps, batch, hidden].
  std::vector<Value>
  scan(int direction, Value projected, std::vector<Value> initial,
       llvm::function_ref<std::vector<Value>(std::vector<Value> states, Value input)> step) {
    auto stateCount = static_cast<int>(initial.size());
    bool hasLengths = body.hasInput(4);
    std::vector<Value> operands = initial;
    operands.push_back(projected);
    if (hasLengths)
      operands.push_back(
          body.cast(body.countTo(body.sizeOf(projected, 0)), proto::TensorProto::INT32));

    std::vector<Value> inputs = body.beginGraph(static_cast<int>(operands.size()));
    std::vector<Value> states(inputs.begin(), inputs.begin() + stateCount);
    std::vector<Value> results = step(states, inputs[stateCount]);
    Value output = results.front();
    if (hasLengths) {
      Value isRunning = body.add("Less", {inputs.back(), body.getInput(4)});
      isRunning = body.add("Unsqueeze", {isRunning, body.integers({1})});
      for (int i = 0; i < stateCount; ++i)
        results[i] = body.add("Where", {isRunning, results[i], states[i]});
      output = body.add("Where", {isRunning, output, body.scalar(0, type)});
    }
    results.push_back(output);
    proto::GraphProto graph = body.endGraph(results);

    int64_t isReversed = startsReversed || direction == 1;
    std::vector<int64_t> inputDirections(hasLengths ? 2 : 1, isReversed);
    return body.addMany(stateCount + 1, "Scan", operands,
                        {{"body", graph},
                         {"num_scan_inputs", inputDirections.size()},
                         {"scan_input_directions", inputDirections},
                         {"scan_output_directions", std::vector<int64_t>{isReversed}}});
  }

  /// The outputs of all directions, and their last states, one of `results` each.
  void setOutputs(std::vector<std::vector<Value>> results) {
    size_t stateCount = results.front().size() - 1;
    auto stack = [&](size_t index, int64_t axis) {
      std::vector<Value> parts;
      for (const std::vector<Value> &direction : results)
        parts.push_back(body.add("Unsqueeze", {direction[index], body.integers({axis})}));
      return parts.size() == 1 ? parts.front() : body.add("Concat", parts, {{"axis", axis}});
    };
    // [steps, directions, batch, hidden]
    Value all = stack(stateCount, 1);
    if (isBatchFirst)
      all = body.add("Transpose", {all}, {{"perm", std::vector<int64_t>{2, 0, 1, 3}}});
    body.setOutput(0, all);
    for (size_t i = 0; i < stateCount; ++i)
      body.setOutput(static_cast<int>(i) + 1, stack(i, isBatchFirst ? 1 : 0));
  }

  BodyBuilder &body;
  const int32_t type;

private:
  static bool takesAlpha(StringRef name) {
    return llvm::is_contained(
        {"affine", "leakyrelu", "thresholdedrelu", "scaledtanh", "hardsigmoid", "elu"}, name);
  }
  static bool takesBeta(StringRef name) {
    return llvm::is_contained({"affine", "scaledtanh", "hardsigmoid"}, name);
  }

  static const char *getOperator(StringRef name) {
    return llvm::StringSwitch<const char *>(name)
        .Case("sigmoid", "Sigmoid")
        .Case("tanh", "Tanh")
        .Case("relu", "Relu")
        .Case("leakyrelu", "LeakyRelu")
        .Case("thresholdedrelu", "ThresholdedRelu")
        .Case("hardsigmoid", "HardSigmoid")
        .Case("elu", "Elu")
        .Case("softsign", "Softsign")
        .Case("softplus", "Softplus")
        .Default(nullptr);
  }

  /// The default may name more than the directions need. The lists of alphas and betas have entries
  /// only for the activations that take one.
  void readActivations(ArrayRef<const char *> presets) {
    std::vector<std::string> names = body.getTexts("activations");
    if (names.empty())
      for (int i = 0; i < directions; ++i)
        names.insert(names.end(), presets.begin(), presets.end());
    isKnown = names.size() >= presets.size() * static_cast<size_t>(directions);
    std::vector<double> alphas = body.getNumbers("activation_alpha"),
                        betas = body.getNumbers("activation_beta");
    size_t alpha = 0, beta = 0;
    for (const std::string &name : names) {
      Activation activation{StringRef(name).lower(), 0, 0};
      activation.alpha = llvm::StringSwitch<double>(activation.name)
                             .Case("leakyrelu", 0.01)
                             .Case("hardsigmoid", 0.2)
                             .Default(1);
      activation.beta = activation.name == "hardsigmoid" ? 0.5 : 0;
      if (takesAlpha(activation.name) && alpha < alphas.size())
        activation.alpha = alphas[alpha++];
      if (takesBeta(activation.name) && beta < betas.size())
        activation.beta = betas[beta++];
      isKnown &= getOperator(activation.name) || activation.name == "affine" ||
                 activation.name == "scaledtanh";
      activations.push_back(activation);
    }
  }

  const size_t perDirection;
  std::vector<Activation> activations;
  int directions = 1;
  bool startsReversed = false, isBatchFirst = false, isKnown = true;
};

} // namespace

static std::optional<proto::FunctionProto> writeRnn(BodyBuilder &body) {
  Recurrence recurrence(body, {"Tanh"});
  if (!recurrence.isValid())
    return std::nullopt;
  std::vector<std::vector<Value>> results;
  for (int direction = 0; direction < recurrence.getDirectionCount(); ++direction) {
    Value projected = recurrence.projectInput(direction);
    for (const Value &bias : recurrence.getBiases(direction))
      projected = body.add("Add", {projected, bias});
    Value weights = recurrence.transpose(recurrence.select(2, direction));
    results.push_back(recurrence.scan(
        direction, projected, {recurrence.getInitial(5, direction)},
        [&](std::vector<Value> states, Value input) -> std::vector<Value> {
          Value sum = body.add("Add", {body.add("MatMul", {states[0], weights}), input});
          return {recurrence.activate(recurrence.getActivation(direction, 0), sum)};
        }));
  }
  recurrence.setOutputs(results);
  return body.take();
}

static std::optional<proto::FunctionProto> writeGru(BodyBuilder &body) {
  Recurrence recurrence(body, {"Sigmoid", "Tanh"});
  if (!recurrence.isValid())
    return std::nullopt;
  bool isLinearFirst = body.getInteger("linear_before_reset") != 0;
  std::vector<std::vector<Value>> results;
  for (int direction = 0; direction < recurrence.getDirectionCount(); ++direction) {
    Value projected = recurrence.projectInput(direction);
    std::vector<Value> biases = recurrence.getBiases(direction);
    if (!biases.empty())
      projected = body.add("Add", {projected, biases[0]});
    if (!biases.empty() && !isLinearFirst)
      projected = body.add("Add", {projected, biases[1]});
    Value all = recurrence.transpose(recurrence.select(2, direction));
    // The candidate's weights act on the state before or after it is reset.
    std::vector<Value> each = recurrence.splitGates(all, 3);
    Value gateWeights = body.add("Concat", {each[0], each[1]}, {{"axis", 1}});

    results.push_back(recurrence.scan(
        direction, projected, {recurrence.getInitial(5, direction)},
        [&](std::vector<Value> states, Value input) -> std::vector<Value> {
          const Activation &gate = recurrence.getActivation(direction, 0),
                           &candidate = recurrence.getActivation(direction, 1);
          Value state = states[0];
          std::vector<Value> inputs = recurrence.splitGates(input, 3), products;
          if (isLinearFirst) {
            Value product = body.add("MatMul", {state, all});
            if (!biases.empty())
              product = body.add("Add", {product, biases[1]});
            products = recurrence.splitGates(product, 3);
          } else {
            products = recurrence.splitGates(body.add("MatMul", {state, gateWeights}), 2);
          }
          Value update = recurrence.activate(gate, body.add("Add", {products[0], inputs[0]}));
          Value reset = recurrence.activate(gate, body.add("Add", {products[1], inputs[1]}));
          Value product = isLinearFirst
                              ? body.add("Mul", {reset, products[2]})
                              : body.add("MatMul", {body.add("Mul", {reset, state}), each[2]});
          Value proposed = recurrence.activate(candidate, body.add("Add", {product, inputs[2]}));
          Value one = body.scalar(1, recurrence.type);
          return {body.add("Add", {body.add("Mul", {body.add("Sub", {one, update}), proposed}),
                                   body.add("Mul", {update, state})})};
        }));
  }
  recurrence.setOutputs(results);
  return body.take();
}

static std::optional<proto::FunctionProto> writeLstm(BodyBuilder &body) {
  Recurrence recurrence(body, {"Sigmoid", "Tanh", "Tanh"});
  if (!recurrence.isValid())
    return std::nullopt;
  bool isCoupled = body.getInteger("input_forget") != 0;
  std::vector<std::vector<Value>> results;
  for (int direction = 0; direction < recurrence.getDirectionCount(); ++direction) {
    Value projected = recurrence.projectInput(direction);
    for (const Value &bias : recurrence.getBiases(direction))
      projected = body.add("Add", {projected, bias});
    Value weights = recurrence.transpose(recurrence.select(2, direction));
    // Of the input, output and forget gates.
    std::vector<Value> peepholes;
    if (body.hasInput(7))
      peepholes = recurrence.splitGates(recurrence.select(7, direction), 3);

    results.push_back(recurrence.scan(
        direction, projected,
        {recurrence.getInitial(5, direction), recurrence.getInitial(6, direction)},
        [&](std::vector<Value> states, Value input) -> std::vector<Value> {
          Value cell = states[1];
          Value sum = body.add("Add", {body.add("MatMul", {states[0], weights}), input});
          std::vector<Value> gates = recurrence.splitGates(sum, 4); // input, output, forget, cell
          auto open = [&](int gate, Value cellSeen) {
            Value sum = gates[gate];
            if (!peepholes.empty())
              sum = body.add("Add", {sum, body.add("Mul", {peepholes[gate], cellSeen})});
            return recurrence.activate(recurrence.getActivation(direction, 0), sum);
          };
          Value inputGate = open(0, cell);
          Value forgetGate = isCoupled
                                 ? body.add("Sub", {body.scalar(1, recurrence.type), inputGate})
                                 : open(2, cell);
          Value candidate = recurrence.activate(recurrence.getActivation(direction, 1), gates[3]);
          Value next = body.add("Add", {body.add("Mul", {forgetGate, cell}),
                                        body.add("Mul", {inputGate, candidate})});
          Value seen = recurrence.activate(recurrence.getActivation(direction, 2), next);
          return {body.add("Mul", {open(1, next), seen}), next};
        }));
  }
  recurrence.setOutputs(results);
  return body.take();
}

BodyFunction findRecurrentBody(StringRef domain, StringRef name) {
  if (!domain.empty())
    return nullptr;
  return llvm::StringSwitch<BodyFunction>(name)
      .Case("RNN", writeRnn)
      .Case("GRU", writeGru)
      .Case("LSTM", writeLstm)
      .Default(nullptr);
}

} // namespace tenon::import
