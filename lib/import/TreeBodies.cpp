// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tree ensembles: TreeEnsemble, and the TreeEnsembleClassifier and -Regressor that it replaces.
//
// All trees are walked at once, a level at a time: the state is the node at which each sample is in
// each tree, and a leaf leads to itself, so that trees of different depth end together. A level is
// a few elementwise operations on [samples, trees] that read tables of nodes.

#include "lib/import/FunctionBodies.h"
#include "lib/import/LearnedModels.h"
#include "lib/import/TensorData.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <cmath>
#include <map>
#include <set>

using namespace mlir;

namespace tenon::import {

using Value = BodyBuilder::Value;
static constexpr int32_t kFloat = proto::TensorProto::FLOAT;

namespace {

/// How a node compares a feature with its value. The numbers are those of TreeEnsemble.
enum class Mode { LessOrEqual, Less, GreaterOrEqual, Greater, Equal, NotEqual, Member };

struct Node {
  int64_t feature = 0;
  double value = 0;
  Mode mode = Mode::LessOrEqual;
  int64_t yes = 0, no = 0; ///< nodes; a leaf is the number of nodes and its own
  bool isYesForNan = false;
  std::vector<double> members; ///< for Member
};

struct Leaf {
  std::map<int64_t, double> weights; ///< by target
};

struct Forest {
  std::vector<Node> nodes;
  std::vector<Leaf> leaves;
  std::vector<int64_t> roots;
  int64_t targets = 1;

  /// The number of levels; nothing where a node is out of range or its own ancestor.
  std::optional<int64_t> getDepth() const;
};

std::optional<int64_t> Forest::getDepth() const {
  auto count = static_cast<int64_t>(nodes.size()),
       all = count + static_cast<int64_t>(leaves.size());
  // Each node of a tree is reached once: level by level, more nodes than there are mean a cycle.
  std::vector<int64_t> level;
  int64_t depth = 0;
  uint64_t reached = 0;
  for (int64_t root : roots) {
    if (root < 0 || root >= all)
      return std::nullopt;
    if (root < count)
      level.push_back(root);
  }
  while (!level.empty()) {
    ++depth;
    reached += level.size();
    if (reached > nodes.size())
      return std::nullopt;
    std::vector<int64_t> next;
    for (int64_t node : level)
      for (int64_t child : {nodes[node].yes, nodes[node].no}) {
        if (child < 0 || child >= all)
          return std::nullopt;
        if (child < count)
          next.push_back(child);
      }
    level = std::move(next);
  }
  return depth;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// The numbers of a tensor attribute of floats; empty if there is none or it is of another type.
std::vector<double> readNumbers(const BodyBuilder &body, StringRef name) {
  std::optional<proto::TensorProto> tensor = body.getTensor(name);
  if (!tensor || !checkTensor(*tensor).empty())
    return {};
  bool isDouble = tensor->data_type() == proto::TensorProto::DOUBLE;
  if (!isDouble && tensor->data_type() != proto::TensorProto::FLOAT)
    return {};
  std::string bytes = takeBytes(*tensor);
  size_t width = isDouble ? sizeof(double) : sizeof(float);
  std::vector<double> numbers;
  for (size_t at = 0; at + width <= bytes.size(); at += width) {
    double wide = 0;
    float narrow = 0;
    memcpy(isDouble ? static_cast<void *>(&wide) : &narrow, bytes.data() + at, width);
    numbers.push_back(isDouble ? wide : narrow);
  }
  return numbers;
}

/// The attributes of TreeEnsemble.
std::optional<Forest> readForest(const BodyBuilder &body) {
  Forest forest;
  forest.roots = body.getIntegers("tree_roots");
  forest.targets = body.getInteger("n_targets", 1);
  std::vector<int64_t> features = body.getIntegers("nodes_featureids"),
                       yes = body.getIntegers("nodes_truenodeids"),
                       no = body.getIntegers("nodes_falsenodeids"),
                       isYesLeaf = body.getIntegers("nodes_trueleafs"),
                       isNoLeaf = body.getIntegers("nodes_falseleafs"),
                       nans = body.getIntegers("nodes_missing_value_tracks_true"),
                       targets = body.getIntegers("leaf_targetids");
  std::vector<double> values = readNumbers(body, "nodes_splits"),
                      weights = readNumbers(body, "leaf_weights"),
                      members = readNumbers(body, "membership_values");
  std::optional<proto::TensorProto> modeTensor = body.getTensor("nodes_modes");
  if (!modeTensor || modeTensor->data_type() != proto::TensorProto::UINT8 ||
      !checkTensor(*modeTensor).empty())
    return std::nullopt;
  std::string modes = takeBytes(*modeTensor);
  size_t count = features.size();
  for (size_t size : {yes.size(), no.size(), isYesLeaf.size(), isNoLeaf.size(), values.size(),
                      modes.size(), nans.empty() ? count : nans.size()})
    if (size != count)
      return std::nullopt;
  if (weights.size() != targets.size())
    return std::nullopt;

  size_t member = 0;
  for (size_t i = 0; i < count; ++i) {
    Node &node = forest.nodes.emplace_back();
    if (modes[i] < 0 || modes[i] > static_cast<char>(Mode::Member))
      return std::nullopt;
    node.feature = features[i];
    node.value = values[i];
    node.mode = static_cast<Mode>(modes[i]);
    node.yes = yes[i] + (isYesLeaf[i] ? static_cast<int64_t>(count) : 0);
    node.no = no[i] + (isNoLeaf[i] ? static_cast<int64_t>(count) : 0);
    node.isYesForNan = !nans.empty() && nans[i];
    // The sets of all nodes stand one after the other, with a NaN at the end of each.
    if (node.mode == Mode::Member) {
      for (; member < members.size() && !std::isnan(members[member]); ++member)
        node.members.push_back(members[member]);
      ++member;
    }
  }
  for (auto [target, weight] : llvm::zip_equal(targets, weights)) {
    if (target < 0 || target >= forest.targets)
      return std::nullopt;
    forest.leaves.emplace_back().weights[target] = weight;
  }
  return forest;
}

/// A list of floats, or the tensor of doubles that may stand for it.
std::vector<double> readEither(const BodyBuilder &body, const std::string &name) {
  std::vector<double> numbers = body.getNumbers(name);
  return numbers.empty() ? readNumbers(body, name + "_as_tensor") : numbers;
}

/// The attributes of TreeEnsembleClassifier ("class") and TreeEnsembleRegressor ("target"), whose
/// nodes are named by their tree and a number within it.
std::optional<Forest> readNumberedForest(const BodyBuilder &body, const std::string &prefix) {
  using Key = std::pair<int64_t, int64_t>;
  std::vector<int64_t> trees = body.getIntegers("nodes_treeids"),
                       ids = body.getIntegers("nodes_nodeids"),
                       features = body.getIntegers("nodes_featureids"),
                       yes = body.getIntegers("nodes_truenodeids"),
                       no = body.getIntegers("nodes_falsenodeids"),
                       nans = body.getIntegers("nodes_missing_value_tracks_true");
  std::vector<double> values = readEither(body, "nodes_values");
  std::vector<std::string> modes = body.getTexts("nodes_modes");
  size_t count = trees.size();
  for (size_t size : {ids.size(), features.size(), yes.size(), no.size(), values.size(),
                      modes.size(), nans.empty() ? count : nans.size()})
    if (size != count)
      return std::nullopt;

  // Inner nodes first, so that leaves follow them in one numbering.
  std::map<Key, int64_t> numbers;
  int64_t inner = count - llvm::count(modes, "LEAF"), nextInner = 0, nextLeaf = inner;
  for (size_t i = 0; i < count; ++i)
    if (!numbers.try_emplace({trees[i], ids[i]}, modes[i] == "LEAF" ? nextLeaf++ : nextInner++)
             .second)
      return std::nullopt;
  Forest forest;
  forest.leaves.resize(count - inner);
  std::set<Key> children;
  for (size_t i = 0; i < count; ++i) {
    if (modes[i] == "LEAF")
      continue;
    Key yesKey(trees[i], yes[i]), noKey(trees[i], no[i]);
    std::optional<Mode> mode = llvm::StringSwitch<std::optional<Mode>>(modes[i])
                                   .Case("BRANCH_LEQ", Mode::LessOrEqual)
                                   .Case("BRANCH_LT", Mode::Less)
                                   .Case("BRANCH_GTE", Mode::GreaterOrEqual)
                                   .Case("BRANCH_GT", Mode::Greater)
                                   .Case("BRANCH_EQ", Mode::Equal)
                                   .Case("BRANCH_NEQ", Mode::NotEqual)
                                   .Default(std::nullopt);
    if (!mode || !numbers.count(yesKey) || !numbers.count(noKey))
      return std::nullopt;
    children.insert({yesKey, noKey});
    forest.nodes.push_back({features[i],
                            values[i],
                            *mode,
                            numbers[yesKey],
                            numbers[noKey],
                            !nans.empty() && nans[i] != 0,
                            {}});
  }
  for (size_t i = 0; i < count; ++i)
    if (Key key(trees[i], ids[i]); !children.count(key))
      forest.roots.push_back(numbers[key]);

  std::vector<int64_t> targetTrees = body.getIntegers(prefix + "_treeids"),
                       targetNodes = body.getIntegers(prefix + "_nodeids"),
                       targetIds = body.getIntegers(prefix + "_ids");
  std::vector<double> weights = readEither(body, prefix + "_weights");
  if (targetNodes.size() != targetTrees.size() || targetIds.size() != targetTrees.size() ||
      weights.size() != targetTrees.size())
    return std::nullopt;
  for (size_t i = 0; i < weights.size(); ++i) {
    auto found = numbers.find({targetTrees[i], targetNodes[i]});
    if (found == numbers.end() || found->second < inner || targetIds[i] < 0)
      return std::nullopt;
    forest.leaves[found->second - inner].weights[targetIds[i]] += weights[i];
  }
  return forest;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// Writes the walk through a forest.
class ForestWriter {
public:
  ForestWriter(BodyBuilder &body, const Forest &forest, int64_t depth)
      : body(body), forest(forest), depth(depth) {
    type =
        body.getElementType(0) == proto::TensorProto::DOUBLE ? proto::TensorProto::DOUBLE : kFloat;
  }

  int32_t getType() const { return type; }

  /// The leaf of each sample in each tree: [samples, trees].
  Value findLeaves() {
    auto count = static_cast<int64_t>(forest.nodes.size());
    Value input = body.cast(body.getInput(0), type);
    Value shape = body.add(
        "Concat",
        {body.sizeOf(input, 0), body.integers({static_cast<int64_t>(forest.roots.size())})},
        {{"axis", 0}});
    Value node = body.add("Expand", {body.integers(forest.roots), shape});
    std::vector<int64_t> features, yes, no, modes, nans;
    std::vector<double> values;
    for (const Node &node : forest.nodes) {
      features.push_back(node.feature);
      values.push_back(node.value);
      yes.push_back(node.yes);
      no.push_back(node.no);
      modes.push_back(static_cast<int64_t>(node.mode));
      nans.push_back(node.isYesForNan);
    }
    for (int64_t leaf = 0; leaf < static_cast<int64_t>(forest.leaves.size()); ++leaf) {
      features.push_back(0);
      values.push_back(0);
      yes.push_back(count + leaf);
      no.push_back(count + leaf);
      modes.push_back(modes.empty() ? 0 : modes.front());
      nans.push_back(0);
    }
    auto size = static_cast<int64_t>(features.size());
    Value featureTable = body.integers(features), yesTable = body.integers(yes),
          noTable = body.integers(no), modeTable = body.integers(modes),
          nanTable = body.integers(nans), valueTable = body.tensor(values, {size}, type);
    std::set<int64_t> used(modes.begin(), modes.end());
    bool hasNans = llvm::is_contained(nans, 1);
    if (used.count(static_cast<int64_t>(Mode::Member)))
      makeMemberTable();

    auto look = [&](Value table) { return body.add("Gather", {table, node}, {{"axis", 0}}); };
    for (int64_t level = 0; level < depth; ++level) {
      Value x = body.add("GatherElements", {input, look(featureTable)}, {{"axis", 1}});
      Value value = look(valueTable), isYes;
      for (int64_t mode : used) {
        Value here = compare(static_cast<Mode>(mode), x, value, node);
        if (isYes.empty()) {
          isYes = here;
          continue;
        }
        Value isMode = body.add("Equal", {look(modeTable), body.integer(mode)});
        isYes = body.add("Where", {isMode, here, isYes});
      }
      if (hasNans) {
        Value goesYes = body.add("Equal", {look(nanTable), body.integer(1)});
        isYes = body.add("Or", {isYes, body.add("And", {body.add("IsNaN", {x}), goesYes})});
      }
      node = body.add("Where", {isYes, look(yesTable), look(noTable)});
    }
    return body.add("Sub", {node, body.integer(count)});
  }

  /// The weights of `leaves`, put together over the trees: [samples, targets].
  Value aggregate(Value leaves, StringRef how) {
    // What a leaf without a weight contributes.
    double infinity = std::numeric_limits<double>::infinity();
    double none = how == "MIN" ? infinity : how == "MAX" ? -infinity : 0;
    std::vector<double> table;
    for (const Leaf &leaf : forest.leaves)
      for (int64_t target = 0; target < forest.targets; ++target) {
        auto found = leaf.weights.find(target);
        table.push_back(found == leaf.weights.end() ? none : found->second);
      }
    Value weights =
        body.tensor(table, {static_cast<int64_t>(forest.leaves.size()), forest.targets}, type);
    Value each = body.add("Gather", {weights, leaves}, {{"axis", 0}});
    const char *reduction = how == "MIN" ? "ReduceMin" : how == "MAX" ? "ReduceMax" : "ReduceSum";
    Value result = body.add(reduction, {each, body.integers({1})}, {{"keepdims", 0}});
    if (how == "AVERAGE")
      return body.add("Div", {result, body.scalar(static_cast<double>(forest.roots.size()), type)});
    if (none == 0)
      return result;
    return body.add("Where", {body.add("IsInf", {result}), body.scalar(0, type), result});
  }

private:
  /// Pads the sets of all nodes with NaNs, which nothing is equal to.
  void makeMemberTable() {
    size_t width = 1;
    for (const Node &node : forest.nodes)
      width = std::max(width, node.members.size());
    std::vector<double> table;
    for (const Node &node : forest.nodes) {
      table.insert(table.end(), node.members.begin(), node.members.end());
      table.insert(table.end(), width - node.members.size(), std::nan(""));
    }
    table.insert(table.end(), width * forest.leaves.size(), std::nan(""));
    members = body.tensor(table,
                          {static_cast<int64_t>(forest.nodes.size() + forest.leaves.size()),
                           static_cast<int64_t>(width)},
                          type);
  }

  Value compare(Mode mode, Value x, Value value, Value node) {
    switch (mode) {
    case Mode::LessOrEqual:
      return body.add("LessOrEqual", {x, value});
    case Mode::Less:
      return body.add("Less", {x, value});
    case Mode::GreaterOrEqual:
      return body.add("GreaterOrEqual", {x, value});
    case Mode::Greater:
      return body.add("Greater", {x, value});
    case Mode::Equal:
      return body.add("Equal", {x, value});
    case Mode::NotEqual:
      return body.add("Not", {body.add("Equal", {x, value})});
    case Mode::Member:
      break;
    }
    Value sets = body.add("Gather", {members, node}, {{"axis", 0}});
    Value isEqual = body.add("Equal", {body.add("Unsqueeze", {x, body.integers({-1})}), sets});
    Value isAny =
        body.add("ReduceMax", {body.cast(isEqual, proto::TensorProto::INT32), body.integers({-1})},
                 {{"keepdims", 0}});
    return body.cast(isAny, proto::TensorProto::BOOL);
  }

  BodyBuilder &body;
  const Forest &forest;
  int64_t depth;
  int32_t type;
  Value members;
};

} // namespace

static std::optional<proto::FunctionProto> writeTreeEnsemble(BodyBuilder &body) {
  std::optional<Forest> forest = readForest(body);
  std::optional<int64_t> depth = forest ? forest->getDepth() : std::nullopt;
  static constexpr const char *aggregates[] = {"AVERAGE", "SUM", "MIN", "MAX"};
  int64_t aggregate = body.getInteger("aggregate_function", 1);
  // Other transforms would be of scores that are no floats, too.
  if (!depth || aggregate < 0 || aggregate > 3 || body.getInteger("post_transform") != 0)
    return std::nullopt;
  ForestWriter writer(body, *forest, *depth);
  body.setOutput(0, body.cast(writer.aggregate(writer.findLeaves(), aggregates[aggregate]),
                              body.getElementType(0)));
  return body.take();
}

/// Adds the attribute base_values.
static Value addBase(BodyBuilder &body, Value scores, int32_t type) {
  std::vector<double> base = readEither(body, "base_values");
  if (base.empty())
    return scores;
  auto size = static_cast<int64_t>(base.size());
  return body.add("Add", {scores, body.tensor(base, {size}, type)});
}

static std::optional<proto::FunctionProto> writeTreeRegressor(BodyBuilder &body) {
  std::optional<Forest> forest = readNumberedForest(body, "target");
  std::optional<int64_t> depth = forest ? forest->getDepth() : std::nullopt;
  if (!depth)
    return std::nullopt;
  forest->targets = body.getInteger("n_targets", 1);
  ForestWriter writer(body, *forest, *depth);
  Value scores = writer.aggregate(writer.findLeaves(), body.getText("aggregate_function"));
  scores = body.cast(addBase(body, scores, writer.getType()), kFloat);
  scores = transformScores(body, scores);
  if (scores.empty())
    return std::nullopt;
  body.setOutput(0, scores);
  return body.take();
}

static std::optional<proto::FunctionProto> writeTreeClassifier(BodyBuilder &body) {
  ClassLabels labels(body, "classlabels_int64s");
  std::optional<Forest> forest = readNumberedForest(body, "class");
  std::optional<int64_t> depth = forest ? forest->getDepth() : std::nullopt;
  if (!depth || labels.count() == 0)
    return std::nullopt;
  std::set<int64_t> classes;
  bool isPositive = true;
  for (Leaf &leaf : forest->leaves)
    for (auto [target, weight] : leaf.weights) {
      classes.insert(target);
      isPositive &= weight >= 0;
    }
  int64_t count = labels.count();
  if (!classes.empty() && *classes.rbegin() >= count)
    return std::nullopt;

  // Two classes, and weights for one of them only: its score decides. Where it is the first one's,
  // the score is taken for the second's, and the first's follows from it.
  bool isBinary = count == 2 && classes.size() == 1, isImplied = isBinary && *classes.begin() == 0;
  if (isBinary && readEither(body, "base_values").size() > 1)
    return std::nullopt;
  forest->targets = isImplied ? 1 : count;
  ForestWriter writer(body, *forest, *depth);
  Value scores = writer.aggregate(writer.findLeaves(), "SUM");
  scores = body.cast(addBase(body, scores, writer.getType()), kFloat);
  if (isBinary) {
    Value deciding = body.add("Gather", {scores, body.integer(-1)}, {{"axis", 1}});
    Value isSecond = body.add("Greater", {deciding, body.scalar(isPositive ? 0.5 : 0, kFloat)});
    body.setOutput(0, labels.choose(body.cast(isSecond, proto::TensorProto::INT64)));
  } else {
    body.setOutput(0, labels.choose(body.add("ArgMax", {scores}, {{"axis", 1}, {"keepdims", 0}})));
  }
  if (isImplied) {
    Value other =
        isPositive ? body.add("Sub", {body.scalar(1, kFloat), scores}) : body.add("Neg", {scores});
    scores = body.add("Concat", {other, scores}, {{"axis", 1}});
    // Probabilities already.
    if (isPositive && body.getText("post_transform") == "LOGISTIC")
      return std::nullopt;
  }
  scores = transformScores(body, scores);
  if (scores.empty())
    return std::nullopt;
  body.setOutput(1, scores);
  return body.take();
}

BodyFunction findTreeBody(StringRef domain, StringRef name) {
  if (domain != "ai.onnx.ml")
    return nullptr;
  return llvm::StringSwitch<BodyFunction>(name)
      .Case("TreeEnsemble", writeTreeEnsemble)
      .Case("TreeEnsembleClassifier", writeTreeClassifier)
      .Case("TreeEnsembleRegressor", writeTreeRegressor)
      .Default(nullptr);
}

} // namespace tenon::import
