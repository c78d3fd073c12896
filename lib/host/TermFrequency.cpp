// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TfIdfVectorizer: how often each n-gram of a pool is in a row of tokens.
//
// Tokens of the pool, strings or integers, are numbered; a tree of these numbers has a node for
// each beginning of an n-gram. A row is walked from each of its tokens, once for each distance
// between neighbours.

#include "lib/host/Families.h"

#include <algorithm>
#include <unordered_map>

namespace tenon::host {

namespace {

class Vectorize : public Function {
public:
  Status prepare(const Attributes &attributes) {
    std::string_view mode = attributes.string("mode", "");
    if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
      return failed("mode is '" + std::string(mode) + "', expected TF, IDF or TFIDF");
    isCapped_ = mode == "IDF";
    longest_ = attributes.integer("max_gram_length", 0);
    shortest_ = attributes.integer("min_gram_length", 0);
    skips_ = attributes.integer("max_skip_count", 0);
    if (shortest_ < 1 || longest_ < shortest_ || skips_ < 0)
      return failed("n-grams of " + std::to_string(shortest_) + " to " + std::to_string(longest_) +
                    " tokens with up to " + std::to_string(skips_) +
                    " skips: expected 1 <= min_gram_length <= max_gram_length, and no negative "
                    "max_skip_count");
    TENON_RETURN_IF_ERROR(readPool(attributes));
    return mode == "TF" ? Status() : readWeights(attributes);
  }

  Status call(Call &call) const override {
    Value input = call.input(0), made;
    if (input.rank() > 2)
      return failed("tokens of shape " + shapeText(input.shape()) + ", expected [C] or [N, C]");
    Shape shape = {width_};
    int64_t rows = 1;
    if (input.rank() == 2)
      shape.insert(shape.begin(), rows = input.shape()[0]);
    std::span<float> counts;
    TENON_RETURN_IF_ERROR(call.makeTensor(shape, made, counts));
    std::ranges::fill(counts, 0.0f);

    std::vector<int64_t> tokens;
    TENON_RETURN_IF_ERROR(numberTokens(input, tokens));
    size_t length = rows == 0 ? 0 : tokens.size() / static_cast<size_t>(rows);
    for (size_t row = 0; row < static_cast<size_t>(rows); ++row) {
      auto columns = counts.subspan(row * static_cast<size_t>(width_), static_cast<size_t>(width_));
      count(std::span(tokens).subspan(row * length, length), columns);
      for (size_t i = 0; i < columns.size(); ++i) {
        if (isCapped_)
          columns[i] = std::min(columns[i], 1.0f);
        if (!weights_.empty())
          columns[i] *= weights_[i];
      }
    }
    call.set(0, std::move(made));
    return {};
  }

private:
  static constexpr int64_t unknown = -1;

  /// What follows a beginning, and what it is itself.
  struct Node {
    std::unordered_map<int64_t, size_t> next;
    int64_t column = -1; ///< -1: not an n-gram
  };

  Status readPool(const Attributes &attributes) {
    std::vector<std::string_view> strings = attributes.strings("pool_strings");
    std::span<const int64_t> integers = attributes.integers("pool_int64s");
    if (strings.empty() == integers.empty())
      return failed("expected one of pool_strings and pool_int64s");
    ofStrings_ = !strings.empty();
    size_t size = ofStrings_ ? strings.size() : integers.size();
    std::vector<int64_t> pool;
    for (size_t i = 0; i < size; ++i)
      pool.push_back(
          ofStrings_
              ? strings_.emplace(strings[i], static_cast<int64_t>(strings_.size())).first->second
              : integers_.emplace(integers[i], static_cast<int64_t>(integers_.size()))
                    .first->second);

    std::span<const int64_t> columns = attributes.integers("ngram_indexes");
    for (int64_t column : columns) {
      if (column < 0 || column >= int64_t(1) << 31)
        return failed("ngram_indexes has " + std::to_string(column) + ", which is no column");
      width_ = std::max(width_, column + 1);
    }

    // Where in the pool the n-grams of each length begin.
    std::span<const int64_t> begins = attributes.integers("ngram_counts");
    size_t gram = 0;
    for (size_t i = 0; i < begins.size(); ++i) {
      auto end = i + 1 < begins.size() ? begins[i + 1] : static_cast<int64_t>(size);
      auto length = static_cast<int64_t>(i) + 1;
      if (begins[i] < 0 || end < begins[i] || end > static_cast<int64_t>(size) ||
          (end - begins[i]) % length != 0)
        return failed("ngram_counts says that n-grams of " + std::to_string(length) +
                      " tokens are at " + std::to_string(begins[i]) + " to " + std::to_string(end) +
                      " of a pool of " + std::to_string(size));
      for (int64_t at = begins[i]; at < end; at += length, ++gram) {
        if (gram >= columns.size())
          return failed("there are more n-grams than the " + std::to_string(columns.size()) +
                        " columns of ngram_indexes");
        if (length >= shortest_ && length <= longest_)
          insert(std::span(pool).subspan(static_cast<size_t>(at), static_cast<size_t>(length)),
                 columns[gram]);
      }
    }
    return {};
  }

  /// One for each n-gram of the pool.
  Status readWeights(const Attributes &attributes) {
    std::span<const float> weights = attributes.reals("weights");
    std::span<const int64_t> columns = attributes.integers("ngram_indexes");
    if (weights.empty())
      return {};
    if (weights.size() != columns.size())
      return failed("there are " + std::to_string(weights.size()) + " weights for " +
                    std::to_string(columns.size()) + " n-grams");
    weights_.assign(static_cast<size_t>(width_), 1.0f);
    for (size_t i = 0; i < columns.size(); ++i)
      weights_[static_cast<size_t>(columns[i])] = weights[i];
    return {};
  }

  void insert(std::span<const int64_t> tokens, int64_t column) {
    size_t node = 0;
    for (int64_t token : tokens) {
      auto [found, isNew] = nodes_[node].next.emplace(token, nodes_.size());
      node = found->second;
      if (isNew)
        nodes_.emplace_back();
    }
    nodes_[node].column = column;
  }

  Status numberTokens(const Value &input, std::vector<int64_t> &tokens) const {
    if (input.isTensorOf(TENON_STRING) != ofStrings_)
      return failed(ofStrings_ ? "the pool is of strings, the input of integers"
                               : "the pool is of integers, the input of strings");
    tokens.reserve(static_cast<size_t>(input.count()));
    auto number = [&](const auto &known, const auto &token) {
      auto found = known.find(token);
      tokens.push_back(found == known.end() ? unknown : found->second);
    };
    for (int64_t i = 0; i < input.count(); ++i)
      if (ofStrings_)
        number(strings_, input.string(i));
      else
        number(integers_, input.integer(i));
    return {};
  }

  void count(std::span<const int64_t> tokens, std::span<float> columns) const {
    auto length = static_cast<int64_t>(tokens.size());
    for (int64_t distance = 1; distance <= skips_ + 1; ++distance) {
      // A single token has no neighbour, so it is counted once only.
      int64_t least = distance == 1 ? shortest_ : std::max<int64_t>(shortest_, 2);
      if (least > longest_ || (least - 1) > (length - 1) / distance)
        break;
      for (int64_t first = 0; first < length; ++first) {
        size_t node = 0;
        int64_t size = 0;
        for (int64_t at = first; at < length; at += distance) {
          auto found = nodes_[node].next.find(tokens[static_cast<size_t>(at)]);
          if (found == nodes_[node].next.end())
            break;
          node = found->second;
          if (++size >= least && nodes_[node].column >= 0)
            ++columns[static_cast<size_t>(nodes_[node].column)];
        }
      }
    }
  }

  bool isCapped_ = false, ofStrings_ = false;
  int64_t shortest_ = 1, longest_ = 1, skips_ = 0;
  int64_t width_ = 0;          ///< columns of the result
  std::vector<float> weights_; ///< of columns; none: all one
  std::unordered_map<std::string_view, int64_t> strings_;
  std::unordered_map<int64_t, int64_t> integers_;
  std::vector<Node> nodes_{1};
};

} // namespace

std::vector<Entry> tfidfFunctions() {
  return {{"tfidf.vectorize",
           1,
           {tensorOf({TENON_STRING, TENON_INT32, TENON_INT64})},
           1,
           1,
           prepared<Vectorize>}};
}

} // namespace tenon::host
