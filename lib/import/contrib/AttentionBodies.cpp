// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention, MultiHeadAttention, QAttention and RotaryEmbedding of com.microsoft, as the operators
// of ai.onnx of the same purpose. What they have beyond those (projections, packed operands, masks
// of integers, one tensor for both caches) is written out around them.
//
// A mask of integers becomes one of numbers to add, as ONNX Runtime has it: what it hides gets
// mask_filter_value, not minus infinity, so that a row that is hidden as a whole stays defined.

#include "lib/import/contrib/ContribBodies.h"

#include <limits>

using namespace mlir;

namespace tenon::import {

Value splitHeads(BodyBuilder &body, Value rows, int64_t heads) {
  return body.transpose(body.reshape(rows, {0, 0, heads, -1}), {0, 2, 1, 3});
}

Value joinHeads(BodyBuilder &body, Value heads) {
  return body.reshape(body.transpose(heads, {0, 2, 1, 3}), {0, 0, -1});
}

Value addOptional(BodyBuilder &body, Value left, Value right) {
  if (left.empty() || right.empty())
    return left.empty() ? right : left;
  return body.add("Add", {left, right});
}

/// An additive mask that broadcasts to [B, H, S, T] from the operand `index`, which counts (1-D) or
/// marks (2-D: keys, 3-D: queries and keys) what is visible. `keys` is T, a vector of one element.
/// Empty where the operand is absent; nothing where its form is not supported.
static std::optional<Value> makePaddingMask(BodyBuilder &body, int index, Value keys,
                                            int32_t type) {
  if (!body.hasInput(index))
    return Value();
  std::optional<std::vector<int64_t>> shape = body.getShape(index);
  if (!shape)
    return std::nullopt;
  Value mask = body.getInput(index), isVisible;
  if (shape->size() == 1) {
    // Where each batch's keys end, and perhaps where they start.
    Value batch = body.sizeOf(body.getInput(0), 0);
    Value none = body.add("Expand", {body.scalar(0, proto::TensorProto::INT32), batch});
    Value bounds = body.concat({mask, none}, 0), zero = body.integers({0});
    auto getBounds = [&](Value from, Value to) {
      return body.unsqueeze(body.cast(body.add("Slice", {bounds, from, to, zero}), kInteger), {1});
    };
    Value end = getBounds(zero, batch), start = getBounds(batch, body.add("Add", {batch, batch}));
    Value position = body.unsqueeze(body.countTo(keys), {0});
    isVisible = body.add(
        "And", {body.add("Less", {position, end}), body.add("GreaterOrEqual", {position, start})});
    isVisible = body.unsqueeze(isVisible, {1, 2});
  } else if (shape->size() == 2 || shape->size() == 3) {
    isVisible = body.add("Greater", {mask, body.scalar(0, proto::TensorProto::INT32)});
    isVisible = body.unsqueeze(isVisible, shape->size() == 2 ? std::vector<int64_t>{1, 2}
                                                             : std::vector<int64_t>{1});
  } else {
    return std::nullopt;
  }
  return body.add("Where", {isVisible, body.scalar(0, type),
                            body.scalar(body.getNumber("mask_filter_value", -10000), type)});
}

Value makeScores(BodyBuilder &body, Value query, Value key, double scale, int32_t type) {
  Value factor =
      scale != 0
          ? body.scalar(scale, type)
          : body.add("Reciprocal", {body.add("Sqrt", {body.cast(body.sizeOf(query, -1), type)})});
  Value scores = body.add("MatMul", {query, body.transpose(key, {0, 1, 3, 2})});
  return body.add("Mul", {scores, factor});
}

/// Heads that attend to heads, and what surrounds them in both operators.
struct HeadAttention {
  Value query, key, value;  ///< [B, N, S, H], [B, N, L, H], [B, N, L, Hv]
  Value pastKey, pastValue; ///< [B, N, P, H]; empty where there is no past
  Value mask;               ///< additive; empty where there is none
  Value presentKey, presentValue;
  Value result; ///< [B, S, N * Hv]
};

/// Fills in the results; `scoresOutput` is the number of the output that shows the scores.
static void attend(BodyBuilder &body, HeadAttention &heads, int32_t type, int scoresOutput) {
  bool isCausal = body.getInteger("unidirectional") != 0, hasPast = !heads.pastKey.empty();
  double scale = body.getNumber("scale");
  if (body.hasOutput(scoresOutput)) {
    Value key = hasPast ? body.concat({heads.pastKey, heads.key}, 2) : heads.key;
    Value scores = addOptional(body, makeScores(body, heads.query, key, scale, type), heads.mask);
    if (isCausal) {
      Value queries = body.sizeOf(heads.query, 2), count = body.sizeOf(key, 2);
      Value isLater = body.add(
          "Greater", {body.unsqueeze(body.countTo(count), {0}),
                      body.add("Add", {body.unsqueeze(body.countTo(queries), {1}),
                                       body.sizeOf(hasPast ? heads.pastKey : heads.query, 2)})});
      if (!hasPast)
        isLater = body.add("Greater", {body.unsqueeze(body.countTo(count), {0}),
                                       body.unsqueeze(body.countTo(queries), {1})});
      scores = body.add("Where",
                        {isLater, body.scalar(std::numeric_limits<float>::lowest(), type), scores});
    }
    body.setOutput(scoresOutput, scores);
  }
  std::vector<BodyBuilder::Attribute> attributes{{"is_causal", isCausal}};
  if (scale != 0)
    attributes.push_back({"scale", scale});
  std::vector<Value> operands{heads.query, heads.key, heads.value, heads.mask};
  if (hasPast)
    operands.insert(operands.end(), {heads.pastKey, heads.pastValue});
  heads.result = joinHeads(body, body.add("Attention", operands, std::move(attributes)));
  // Attention's own outputs would be the same, but ONNX knows their shapes only where all sizes are
  // constant. Lowering finds that both are one.
  heads.presentKey = hasPast ? body.concat({heads.pastKey, heads.key}, 2) : heads.key;
  heads.presentValue = hasPast ? body.concat({heads.pastValue, heads.value}, 2) : heads.value;
}

/// From queries, keys and values of rank 3 to the outputs of Attention: `past` is the operand with
/// both caches.
static Body writeSelfAttention(BodyBuilder &body, std::vector<Value> rows, int32_t type,
                               int maskInput, int pastInput, int biasInput) {
  int64_t count = body.getInteger("num_heads");
  if (body.getInteger("do_rotary"))
    return body.refuse("do_rotary is not supported: use a RotaryEmbedding of its own");
  if (body.getInteger("past_present_share_buffer"))
    return body.refuse("past_present_share_buffer is not supported");
  HeadAttention heads;
  heads.query = splitHeads(body, rows[0], count);
  heads.key = splitHeads(body, rows[1], count);
  heads.value = splitHeads(body, rows[2], count);
  Value keys = body.sizeOf(rows[1], 1);
  if (body.hasInput(pastInput)) {
    heads.pastKey = body.add("Gather", {body.getInput(pastInput), body.integer(0)}, {{"axis", 0}});
    heads.pastValue =
        body.add("Gather", {body.getInput(pastInput), body.integer(1)}, {{"axis", 0}});
    keys = body.add("Add", {keys, body.sizeOf(heads.pastKey, 2)});
  }
  std::optional<Value> mask = makePaddingMask(body, maskInput, keys, type);
  if (!mask)
    return body.refuse("a mask_index of this rank is not supported: expected 1, 2 or 3");
  heads.mask = *mask;
  if (biasInput >= 0 && body.hasInput(biasInput))
    heads.mask = addOptional(body, heads.mask, body.getInput(biasInput));
  attend(body, heads, type, /*scoresOutput=*/-1);
  body.setOutput(0, heads.result);
  if (body.hasOutput(1))
    body.setOutput(1, body.concat({body.unsqueeze(heads.presentKey, {0}),
                                   body.unsqueeze(heads.presentValue, {0})},
                                  0));
  return body.take();
}

/// The sizes of queries, keys and values in a projection to `columns`; nothing if they do not fit.
static std::optional<std::vector<int64_t>> getProjectionSizes(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> weights = body.getShape(1);
  if (!weights || weights->size() != 2 || (*weights)[1] < 0)
    return std::nullopt;
  int64_t columns = (*weights)[1];
  std::vector<int64_t> sizes = body.getIntegers("qkv_hidden_sizes");
  if (sizes.empty())
    sizes.assign(3, columns / 3);
  if (sizes.size() != 3 || sizes[0] + sizes[1] + sizes[2] != columns)
    return std::nullopt;
  return sizes;
}

Body writeAttention(BodyBuilder &body) {
  int32_t type = body.getElementType(0);
  std::optional<std::vector<int64_t>> sizes = getProjectionSizes(body);
  if (!sizes)
    return body.refuse("expected weights of known width that queries, keys and values share");
  Value projected = body.add("MatMul", {body.getInput(0), body.getInput(1)});
  if (body.hasInput(2))
    projected = body.add("Add", {projected, body.getInput(2)});
  return writeSelfAttention(body, body.split(projected, 2, *sizes), type, 3, 4, 5);
}

Body writeQAttention(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> sizes = getProjectionSizes(body);
  if (!sizes)
    return body.refuse("expected a weight of known width that queries, keys and values share");
  int32_t type = body.getElementType(2);
  Value product = body.add("MatMulInteger", {body.getInput(0), body.getInput(1),
                                             getOptionalInput(body, 6), getOptionalInput(body, 7)});
  Value projected = body.add(
      "Mul", {body.cast(product, type), body.add("Mul", {body.getInput(3), body.getInput(4)})});
  projected = body.add("Add", {projected, body.getInput(2)});
  return writeSelfAttention(body, body.split(projected, 2, *sizes), type, 5, 8, -1);
}

/// One of `count` operands packed along dimension 3 of [B, S, N, count, H], as [B, N, S, H].
static Value takePacked(BodyBuilder &body, Value packed, int64_t index) {
  Value one = body.add("Gather", {packed, body.integer(index)}, {{"axis", 3}});
  return body.transpose(one, {0, 2, 1, 3});
}

Body writeMultiHeadAttention(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> query = body.getShape(0), key = body.getShape(1),
                                      value = body.getShape(2);
  int32_t type = body.getElementType(0);
  int64_t count = body.getInteger("num_heads");
  if (!query || type == proto::TensorProto::UNDEFINED)
    return std::nullopt;
  if (body.hasInput(8) || body.hasInput(9))
    return body.refuse("past_sequence_length and cache_indirection are not supported: they are for "
                       "a cache that ONNX Runtime shares among beams");
  HeadAttention heads;
  // The bias is that of queries, keys and values, one after the other.
  std::vector<Value> bias(3);
  if (body.hasInput(3)) {
    std::optional<std::vector<int64_t>> length = body.getShape(3);
    int64_t width = query->size() == 5 ? count * query->back() : query->back();
    if (!length || length->size() != 1 || (*length)[0] < 0 || width < 0)
      return body.refuse("a bias needs a known size, and queries of known width");
    bias = body.split(body.getInput(3), 0, {width, width, (*length)[0] - 2 * width});
  }
  auto addBias = [&](Value rows, int index) { return addOptional(body, rows, bias[index]); };
  auto addHeadBias = [&](Value split, int index) {
    return bias[index].empty()
               ? split
               : body.add("Add", {split, body.reshape(bias[index], {1, count, 1, -1})});
  };
  if (query->size() == 5) {
    heads.query = addHeadBias(takePacked(body, body.getInput(0), 0), 0);
    heads.key = addHeadBias(takePacked(body, body.getInput(0), 1), 1);
    heads.value = addHeadBias(takePacked(body, body.getInput(0), 2), 2);
  } else if (query->size() == 3 && key && key->size() == 5) {
    heads.query = splitHeads(body, addBias(body.getInput(0), 0), count);
    heads.key = takePacked(body, body.getInput(1), 0);
    heads.value = takePacked(body, body.getInput(1), 1);
  } else if (query->size() == 3 && key && value && key->size() == value->size()) {
    heads.query = splitHeads(body, addBias(body.getInput(0), 0), count);
    auto split = [&](int index, const std::vector<int64_t> &shape) {
      if (shape.size() == 3)
        return splitHeads(body, addBias(body.getInput(index), index), count);
      // The attribute knows how many heads there are, even where the operand does not.
      return shape[1] == count ? body.getInput(index)
                               : body.reshape(body.getInput(index), {0, count, 0, 0});
    };
    heads.key = split(1, *key);
    heads.value = split(2, *value);
  } else {
    return body.refuse("expected a query of rank 3 with keys and values of rank 3 or 4 (or both "
                       "packed in a tensor of rank 5), or all three packed in a query of rank 5");
  }
  Value keys = body.sizeOf(heads.key, 2);
  if (body.hasInput(6) != body.hasInput(7))
    return body.refuse("past_key and past_value are used together only");
  if (body.hasInput(6)) {
    heads.pastKey = body.getInput(6);
    heads.pastValue = body.getInput(7);
    keys = body.add("Add", {keys, body.sizeOf(heads.pastKey, 2)});
  }
  std::optional<Value> mask = makePaddingMask(body, 4, keys, type);
  if (!mask)
    return body.refuse("a key_padding_mask of this rank is not supported: expected 1, 2 or 3");
  heads.mask = *mask;
  if (body.hasInput(5))
    heads.mask = addOptional(body, heads.mask, body.getInput(5));
  attend(body, heads, type, /*scoresOutput=*/3);
  body.setOutput(0, heads.result);
  body.setOutput(1, heads.presentKey);
  body.setOutput(2, heads.presentValue);
  return body.take();
}

Value rotate(BodyBuilder &body, Value input, Value cosines, Value sines, Value positions,
             int64_t rotated, bool isInterleaved, int64_t heads) {
  std::vector<BodyBuilder::Attribute> attributes{{"interleaved", isInterleaved},
                                                 {"rotary_embedding_dim", rotated}};
  if (heads > 0)
    attributes.push_back({"num_heads", heads});
  return body.add("RotaryEmbedding", {input, cosines, sines, positions}, std::move(attributes));
}

Body writeRotaryEmbedding(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0), positions = body.getShape(1),
                                      cache = body.getShape(2);
  if (!shape || !positions || !cache || cache->size() != 2)
    return std::nullopt;
  if (body.getInteger("is_packed_batching"))
    return body.refuse("is_packed_batching is not supported");
  int64_t rotated = body.getInteger("rotary_embedding_dim"), heads = body.getInteger("num_heads");
  size_t rank = shape->size();
  if (rank == 3 && heads == 0) {
    // All of a head is rotated, so the cache tells how large one is.
    if (shape->back() < 0 || cache->back() < 1)
      return body.refuse("the sizes of the last dimensions of input and cos_cache must be known "
                         "where num_heads is not given");
    heads = shape->back() / (2 * cache->back());
  }
  int64_t sequence = rank == 3 ? 1 : 2;
  Value ids = body.getInput(1);
  if (positions->size() < 2) {
    // Where the sequence starts.
    Value start = body.reshape(ids, {1});
    ids = body.add("Add", {body.countTo(body.sizeOf(body.getInput(0), sequence)), start});
    ids = body.add("Expand",
                   {body.unsqueeze(ids, {0}),
                    body.concat({body.sizeOf(body.getInput(0), 0), body.integers({1})}, 0)});
  }
  body.setOutput(0, rotate(body, body.getInput(0), body.getInput(2), body.getInput(3), ids, rotated,
                           body.getInteger("interleaved") != 0, rank == 3 ? heads : 0));
  return body.take();
}

/// Three positions per token (in time, height and width), each for some of the angles.
Body writeMRotaryEmbedding(BodyBuilder &body) {
  std::optional<std::vector<int64_t>> shape = body.getShape(0);
  std::vector<int64_t> sections = body.getIntegers("mrope_section");
  if (!shape || (shape->size() != 3 && shape->size() != 4))
    return std::nullopt;
  if (body.getInteger("is_packed_batching"))
    return body.refuse("is_packed_batching is not supported");
  if (sections.size() != 3)
    return body.refuse("expected three sizes in mrope_section");
  int64_t pairs = sections[0] + sections[1] + sections[2];
  // Whose position each angle takes.
  std::vector<double> isHeight(pairs), isWidth(pairs);
  bool isInterleaved = body.getInteger("mrope_layout") == 1;
  for (int64_t i = 0; i < pairs; ++i) {
    if (isInterleaved) {
      isHeight[i] = i % 3 == 1 && i < 3 * sections[1];
      isWidth[i] = i % 3 == 2 && i < 3 * sections[2];
    } else {
      isHeight[i] = i >= sections[0] && i < sections[0] + sections[1];
      isWidth[i] = i >= sections[0] + sections[1];
    }
  }
  Value height = body.tensor(isHeight, {pairs}, proto::TensorProto::BOOL),
        width = body.tensor(isWidth, {pairs}, proto::TensorProto::BOOL);
  auto combine = [&](int cache) {
    auto take = [&](int64_t stream) {
      Value positions = body.add("Gather", {body.getInput(1), body.integer(stream)}, {{"axis", 0}});
      return body.add("Gather", {body.getInput(cache), positions}, {{"axis", 0}});
    };
    return body.add("Where", {width, take(2), body.add("Where", {height, take(1), take(0)})});
  };
  int64_t heads = body.getInteger("num_heads"), rotated = body.getInteger("rotary_embedding_dim");
  if (shape->size() == 3 && heads == 0) {
    if (shape->back() < 0 || pairs < 1)
      return body.refuse("the last dimension of input must be known where num_heads is not given");
    heads = shape->back() / (2 * pairs);
  }
  body.setOutput(0, rotate(body, body.getInput(0), combine(2), combine(3), "", rotated,
                           body.getInteger("interleaved") != 0, shape->size() == 3 ? heads : 0));
  return body.take();
}

/// The recurrences of ai.onnx under the same names, which have less than these.
Body writeLinearAttention(BodyBuilder &body) {
  if (body.getInteger("state_window"))
    return body.refuse("state_window is not supported");
  std::vector<Value> operands;
  for (int i = 0; i < 6; ++i)
    operands.push_back(getOptionalInput(body, i));
  std::vector<Value> results = body.addMany(2, "LinearAttention", operands,
                                            {{"q_num_heads", body.getInteger("q_num_heads")},
                                             {"kv_num_heads", body.getInteger("kv_num_heads")},
                                             {"scale", body.getNumber("scale")},
                                             {"update_rule", body.getText("update_rule")}});
  body.setOutput(0, results[0]);
  body.setOutput(1, results[1]);
  return body.take();
}

Body writeCausalConvWithState(BodyBuilder &body) {
  for (const char *extension : {"channels_last", "state_window", "input_channels",
                                "input_channel_offset", "state_length", "state_update_capacity"})
    if (body.getInteger(extension))
      return body.refuse(std::string(extension) + " is not supported");
  if (body.getInteger("ndim", 1) != 1 || body.getInteger("dilation", 1) != 1)
    return body.refuse("only one dimension, without dilation, is supported");
  std::vector<Value> operands;
  for (int i = 0; i < 4; ++i)
    operands.push_back(getOptionalInput(body, i));
  std::vector<Value> results = body.addMany(2, "CausalConvWithState", operands,
                                            {{"activation", body.getText("activation")}});
  body.setOutput(0, results[0]);
  body.setOutput(1, results[1]);
  return body.take();
}

} // namespace tenon::import
