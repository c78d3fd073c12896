// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GroupQueryAttention: attention with a cache whose rows are filled to different lengths.
//
// Row b of the cache holds past[b] tokens, and the new ones are written after them (TensorScatter);
// ai.onnx Attention sees the whole cache and is told how much of each row counts. Only what that
// operator lacks, a term of the softmax's denominator that belongs to no key, needs the scores
// themselves and is written out.

#include "lib/import/contrib/ContribBodies.h"

#include <limits>

using namespace mlir;

namespace tenon::import {

namespace {

class GroupQueryBody {
public:
  explicit GroupQueryBody(BodyBuilder &body)
      : body(body), type(body.getElementType(kQuery)), heads(body.getInteger("num_heads")),
        groups(body.getInteger("kv_num_heads")), isCausal(body.getInteger("causal", 1) != 0) {}

  Body write();

private:
  enum Operand {
    kQuery,
    kKey,
    kValue,
    kPastKey,
    kPastValue,
    kLengths,
    kTotalLength,
    kCosines,
    kSines,
    kPositions,
    kBias,
    kSink,
    kKeyScale,
    kValueScale,
    kQueryNorm,
    kKeyNorm,
    kQueryLengths
  };

  std::string findProblem();
  void splitOperands();
  void countTokens();
  Value prepare(Value rows, Operand norm, const char *epsilon);
  Value updateCache(Value past, Value rows);
  Value attend();
  Value attendWithSink();
  Value makeMask();

  BodyBuilder &body;
  int32_t type;
  int64_t heads, groups;
  bool isCausal;
  bool hasPast = false;
  Value query, key, value; ///< [B, N, S, H], [B, Nkv, S, H], and then the whole cache
  Value queries;           ///< S, a vector of one element
  Value totals;            ///< [B]: tokens in the cache after this step
  Value pasts;             ///< [B]: tokens in the cache before it
};

} // namespace

std::string GroupQueryBody::findProblem() {
  std::optional<std::vector<int64_t>> shape = body.getShape(kQuery);
  if (!shape || shape->size() != 3)
    return "expected a query of rank 3";
  if (body.hasInput(kKey) != body.hasInput(kValue) ||
      body.hasInput(kPastKey) != body.hasInput(kPastValue))
    return "key and value, and past_key and past_value, are used together only";
  if (heads < 1 || groups < 1 || heads % groups != 0)
    return "num_heads must be a multiple of kv_num_heads";
  if (body.hasInput(kKeyScale) || body.hasInput(kValueScale) ||
      (body.getText("k_quant_type") != "NONE" && !body.getText("k_quant_type").empty()) ||
      (body.getText("v_quant_type") != "NONE" && !body.getText("v_quant_type").empty()))
    return "a quantised cache is not supported: export the model with a cache of floats";
  if (body.getInteger("sliding_window_cache"))
    return "sliding_window_cache is not supported: export the model with a cache of full length";
  if (body.hasOutput(3))
    return "the output output_qk is not supported";
  if (body.getInteger("do_rotary") && (!body.hasInput(kCosines) || !body.hasInput(kSines)))
    return "do_rotary needs cos_cache and sin_cache";
  return "";
}

void GroupQueryBody::splitOperands() {
  query = body.getInput(kQuery);
  queries = body.sizeOf(query, 1);
  if (body.hasInput(kKey)) {
    query = splitHeads(body, query, heads);
    key = splitHeads(body, body.getInput(kKey), groups);
    value = splitHeads(body, body.getInput(kValue), groups);
    return;
  }
  std::vector<Value> parts =
      body.split(splitHeads(body, query, heads + 2 * groups), 1, {heads, groups, groups});
  query = parts[0];
  key = parts[1];
  value = parts[2];
}

void GroupQueryBody::countTokens() {
  Value lengths = body.reshape(body.cast(body.getInput(kLengths), kInteger), {-1});
  totals = body.add("Add", {lengths, body.integer(1)});
  Value added = body.hasInput(kQueryLengths)
                    ? body.reshape(body.cast(body.getInput(kQueryLengths), kInteger), {-1})
                    : body.add("Min", {totals, queries});
  pasts = body.add("Sub", {totals, added});
}

/// Normalises and rotates heads as the operator asks for.
Value GroupQueryBody::prepare(Value rows, Operand norm, const char *epsilon) {
  if (body.hasInput(norm)) {
    double preset = body.getNumber("qk_norm_epsilon", 1e-6);
    rows = body.add("RMSNormalization", {rows, body.getInput(norm)},
                    {{"axis", -1}, {"epsilon", body.getNumber(epsilon, preset)}});
  }
  if (!body.getInteger("do_rotary"))
    return rows;
  Value positions;
  Value steps = body.unsqueeze(body.countTo(queries), {0});
  if (body.hasInput(kPositions))
    positions = body.getInput(kPositions);
  else if (hasPast)
    positions = body.add("Add", {body.unsqueeze(pasts, {1}), steps});
  else
    positions =
        body.add("Expand", {steps, body.concat({body.sizeOf(query, 0), body.integers({1})}, 0)});
  // The cache tells how much of a head is rotated; what it does not tell is all of it.
  std::optional<std::vector<int64_t>> cache = body.getShape(kCosines);
  int64_t rotated = cache && cache->size() == 2 && cache->back() > 0 ? 2 * cache->back() : 0;
  return rotate(body, rows, body.getInput(kCosines), body.getInput(kSines), positions, rotated,
                body.getInteger("rotary_interleaved") != 0, /*heads=*/0);
}

/// The cache, made long enough for all tokens, with the new ones written to it.
Value GroupQueryBody::updateCache(Value past, Value rows) {
  Value total = body.reshape(body.cast(body.getInput(kTotalLength), kInteger), {1});
  Value missing =
      body.add("Max", {body.add("Sub", {total, body.sizeOf(past, 2)}), body.integers({0})});
  Value sizes = body.concat(
      {body.sizeOf(past, 0), body.integers({groups}), missing, body.sizeOf(past, 3)}, 0);
  Value cache = body.concat({past, body.add("Expand", {body.scalar(0, type), sizes})}, 2);
  return body.add("TensorScatter", {cache, rows, pasts}, {{"axis", 2}});
}

Value GroupQueryBody::attend() {
  std::vector<BodyBuilder::Attribute> attributes{{"is_causal", isCausal}};
  if (double scale = body.getNumber("scale"); scale != 0)
    attributes.push_back({"scale", scale});
  if (double cap = body.getNumber("softcap"); cap != 0)
    attributes.push_back({"softcap", cap});
  // ONNX counts the keys besides that of the query itself.
  if (int64_t window = body.getInteger("local_window_size", -1); window > 0)
    attributes.push_back({"left_window_size", window - 1});
  std::vector<Value> operands{query, key, value, getOptionalInput(body, kBias)};
  if (hasPast || !isCausal) {
    // A causal query's position is counted from the end of what counts.
    Value counted = isCausal ? body.add("Add", {pasts, queries}) : totals;
    operands.insert(operands.end(), {"", "", counted});
  }
  return body.add("Attention", operands, std::move(attributes));
}

/// Additive, of [B, 1, S, T].
Value GroupQueryBody::makeMask() {
  Value column = body.unsqueeze(body.countTo(body.sizeOf(key, 2)), {0, 1, 2});
  Value isVisible;
  auto require = [&](Value condition) {
    isVisible = isVisible.empty() ? condition : body.add("And", {isVisible, condition});
  };
  if (!isCausal) {
    require(body.add("Less", {column, body.unsqueeze(totals, {1, 2, 3})}));
  } else {
    Value row = body.unsqueeze(body.countTo(queries), {0, 1, 3});
    if (hasPast)
      row = body.add("Add", {row, body.unsqueeze(pasts, {1, 2, 3})});
    require(body.add("LessOrEqual", {column, row}));
    if (int64_t window = body.getInteger("local_window_size", -1); window > 0)
      require(body.add("Greater", {body.add("Add", {column, body.integer(window)}), row}));
  }
  return body.add("Where", {isVisible, body.scalar(0, type),
                            body.scalar(-std::numeric_limits<double>::infinity(), type)});
}

Value GroupQueryBody::attendWithSink() {
  // The heads of a group are rows of one matrix.
  auto group = [&](Value value) {
    return body.add(
        "Reshape",
        {value, body.concat({body.integers({0, groups, -1}), body.sizeOf(value, 3)}, 0)});
  };
  auto ungroup = [&](Value value) {
    return body.add(
        "Reshape",
        {value, body.concat({body.integers({0, heads}), queries, body.sizeOf(value, 3)}, 0)});
  };
  Value scores = ungroup(makeScores(body, group(query), key, body.getNumber("scale"), type));
  if (double cap = body.getNumber("softcap"); cap != 0) {
    Value limit = body.scalar(cap, type);
    scores = body.add("Mul", {body.add("Tanh", {body.add("Div", {scores, limit})}), limit});
  }
  if (body.hasInput(kBias))
    scores = body.add("Add", {scores, body.getInput(kBias)});
  scores = body.add("Add", {scores, makeMask()});
  Value sink = body.hasInput(kSink) ? body.reshape(body.getInput(kSink), {1, heads, 1, 1})
                                    : body.tensor({0}, {1, 1, 1, 1}, type);
  sink = body.add("Expand", {sink, body.concat({body.sizeOf(query, 0), body.integers({heads}),
                                                queries, body.integers({1})},
                                               0)});
  Value shares = body.add("Softmax", {body.concat({scores, sink}, 3)}, {{"axis", -1}});
  shares = body.slice(shares, 3, 0, -1);
  return ungroup(body.add("MatMul", {group(shares), value}));
}

Body GroupQueryBody::write() {
  if (type == proto::TensorProto::UNDEFINED)
    return std::nullopt;
  if (std::string problem = findProblem(); !problem.empty())
    return body.refuse(problem);
  hasPast = body.hasInput(kPastKey);
  splitOperands();
  countTokens();
  query = prepare(query, kQueryNorm, "q_norm_epsilon");
  key = prepare(key, kKeyNorm, "k_norm_epsilon");
  if (hasPast) {
    key = updateCache(body.getInput(kPastKey), key);
    value = updateCache(body.getInput(kPastValue), value);
  }
  bool hasSink = body.hasInput(kSink) || body.getInteger("smooth_softmax", -1) == 1;
  body.setOutput(0, joinHeads(body, hasSink ? attendWithSink() : attend()));
  body.setOutput(1, key);
  body.setOutput(2, value);
  return body.take();
}

Body writeGroupQueryAttention(BodyBuilder &body) { return GroupQueryBody(body).write(); }

} // namespace tenon::import
