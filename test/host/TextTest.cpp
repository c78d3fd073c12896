// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions on text that RE2 and ICU do the work of, and n-grams.

#include "test/host/TestCall.h"

namespace tenon::host::test {
namespace {

using testing::ElementsAre;
using testing::StartsWith;
using Strings = std::vector<std::string>;

Value stringScalar(std::string_view text) { return stringTensor({}, {std::string(text)}); }

//===----------------------------------------------------------------------===//
// Regular expressions
//===----------------------------------------------------------------------===//

TEST(RegexFullMatch, matchesAllOfTheText) {
  TestCall match("regex.full_match", {{"pattern", stringScalar("a.c+")}});
  ASSERT_EQ(match.problem(), "");
  EXPECT_THAT(match({stringTensor({2, 2}, {"abcc", "xabc",
                                           "a\xc3\xa9"
                                           "c",
                                           ""})})
                  .elements<bool>(),
              ElementsAre(true, false, true, false));
}

TEST(RegexFullMatch, saysWhatIsWrongWithAPattern) {
  EXPECT_THAT(TestCall("regex.full_match", {{"pattern", stringScalar("a(b")}}).problem(),
              StartsWith("the pattern 'a(b' is no regular expression: missing )"));
}

//===----------------------------------------------------------------------===//
// StringNormalizer
//===----------------------------------------------------------------------===//

Strings normalize(const char *action, bool isSensitive, const Strings &stopWords,
                  const Strings &words, const char *locale = "en_US") {
  std::vector<std::pair<const char *, Value>> attributes = {
      {"case_change_action", stringScalar(action)},
      {"is_case_sensitive", scalar<int64_t>(isSensitive)},
      {"locale", stringScalar(locale)}};
  if (!stopWords.empty())
    attributes.emplace_back("stopwords",
                            stringTensor({static_cast<int64_t>(stopWords.size())}, stopWords));
  TestCall call("string.normalize", attributes);
  EXPECT_EQ(call.problem(), "");
  return stringsOf(call({stringTensor({static_cast<int64_t>(words.size())}, words)}));
}

TEST(StringNormalizer, changesLetterCase) {
  EXPECT_EQ(normalize("UPPER", true, {},
                      {"stra\xc3\x9f"
                       "e",
                       "\xc3\xa9t\xc3\xa9"}),
            (Strings{"STRASSE", "\xc3\x89T\xc3\x89"}));
  EXPECT_EQ(normalize("LOWER", true, {}, {"ABC", "\xc3\x89"}), (Strings{"abc", "\xc3\xa9"}));
  EXPECT_EQ(normalize("NONE", true, {}, {"aB"}), (Strings{"aB"}));
  // Short strings may become three times as long.
  std::string n;
  for (int i = 0; i < 100; ++i)
    n += "\xc5\x89";
  EXPECT_EQ(normalize("UPPER", true, {}, {n})[0].size(), 300u);
}

TEST(StringNormalizer, knowsLanguages) {
  EXPECT_EQ(normalize("UPPER", true, {}, {"i"}, "tr_TR.UTF-8"), (Strings{"\xc4\xb0"}));
  EXPECT_EQ(normalize("UPPER", true, {}, {"i"}, "en_US.UTF-8"), (Strings{"I"}));
}

TEST(StringNormalizer, leavesStopWordsOut) {
  Strings days = {"monday", "Monday", "TUESDAY"};
  EXPECT_EQ(normalize("NONE", true, {"monday"}, days), (Strings{"Monday", "TUESDAY"}));
  EXPECT_EQ(normalize("UPPER", true, {"monday"}, days), (Strings{"MONDAY", "TUESDAY"}));
  EXPECT_EQ(normalize("NONE", false, {"Monday"}, days), (Strings{"TUESDAY"}));
  EXPECT_EQ(normalize("LOWER", false, {"mondaY", "tuesday"}, days), (Strings{""}));
}

TEST(StringNormalizer, takesOneRow) {
  TestCall call("string.normalize", {});
  Value row = call({stringTensor({1, 2}, {"a", "b"})});
  EXPECT_THAT(row.shape(), ElementsAre(1, 2));
  EXPECT_EQ(call.error({stringTensor({2, 1}, {"a", "b"})}),
            "strings of shape [2, 1], expected [C] or [1, C]");
}

//===----------------------------------------------------------------------===//
// TfIdfVectorizer
//===----------------------------------------------------------------------===//

/// Attributes of the pool 5, 6, 7 | 5 6, 7 8, and of a mode.
std::vector<std::pair<const char *, Value>> pool(const char *mode, int64_t shortest,
                                                 int64_t longest, int64_t skips) {
  return {{"mode", stringScalar(mode)},
          {"min_gram_length", scalar<int64_t>(shortest)},
          {"max_gram_length", scalar<int64_t>(longest)},
          {"max_skip_count", scalar<int64_t>(skips)},
          {"ngram_counts", tensor<int64_t>({2}, {0, 3})},
          {"ngram_indexes", tensor<int64_t>({5}, {0, 1, 2, 3, 4})},
          {"pool_int64s", tensor<int64_t>({7}, {5, 6, 7, 5, 6, 7, 8})}};
}

TEST(TfIdfVectorizer, countsSkips) {
  Value tokens = tensor<int32_t>({6}, {5, 6, 7, 6, 8, 5});
  EXPECT_THAT(TestCall("tfidf.vectorize", pool("TF", 2, 2, 0))({tokens}).elements<float>(),
              ElementsAre(0, 0, 0, 1, 0));
  EXPECT_THAT(TestCall("tfidf.vectorize", pool("TF", 1, 2, 0))({tokens}).elements<float>(),
              ElementsAre(2, 2, 1, 1, 0));
  // 7 . 8 with a skip of one; 5 . . 6 with two; single tokens are not counted again.
  EXPECT_THAT(TestCall("tfidf.vectorize", pool("TF", 1, 2, 2))({tokens}).elements<float>(),
              ElementsAre(2, 2, 1, 2, 1));
}

TEST(TfIdfVectorizer, weighs) {
  auto attributes = pool("TFIDF", 1, 2, 0);
  attributes.emplace_back("weights", tensor<float>({5}, {1, 2, 3, 4, 5}));
  Value tokens = tensor<int64_t>({2, 3}, {5, 5, 6, 9, 9, 9});
  Value weighed = TestCall("tfidf.vectorize", attributes)({tokens});
  EXPECT_THAT(weighed.shape(), ElementsAre(2, 5));
  EXPECT_THAT(weighed.elements<float>(), ElementsAre(2, 2, 0, 4, 0, 0, 0, 0, 0, 0));
  // A weight is an n-gram's, wherever its column is.
  attributes[5].second = tensor<int64_t>({5}, {4, 3, 2, 1, 0});
  EXPECT_THAT(TestCall("tfidf.vectorize", attributes)({tokens}).elements<float>(),
              ElementsAre(0, 4, 0, 2, 2, 0, 0, 0, 0, 0));
  attributes[5].second = tensor<int64_t>({5}, {0, 1, 2, 3, 4});
  attributes[0].second = stringScalar("IDF");
  EXPECT_THAT(TestCall("tfidf.vectorize", attributes)({tokens}).elements<float>(),
              ElementsAre(1, 2, 0, 4, 0, 0, 0, 0, 0, 0));
}

TEST(TfIdfVectorizer, ofStringsAndOfNothing) {
  TestCall call("tfidf.vectorize", {{"mode", stringScalar("TF")},
                                    {"min_gram_length", scalar<int64_t>(2)},
                                    {"max_gram_length", scalar<int64_t>(2)},
                                    {"ngram_counts", tensor<int64_t>({2}, {0, 1})},
                                    {"ngram_indexes", tensor<int64_t>({2}, {1, 0})},
                                    {"pool_strings", stringTensor({3}, {"a", "b", "a"})}});
  EXPECT_THAT(call({stringTensor({4}, {"b", "a", "b", "a"})}).elements<float>(), ElementsAre(2, 0));
  EXPECT_THAT(call({stringTensor({0}, {})}).elements<float>(), ElementsAre(0, 0));
  EXPECT_THAT(call({stringTensor({0, 3}, {})}).shape(), ElementsAre(0, 2));
  EXPECT_EQ(call.error({tensor<int64_t>({1}, {1})}),
            "the pool is of strings, the input of integers");
}

TEST(TfIdfVectorizer, saysWhatIsWrongWithItsPool) {
  auto problemOf = [](size_t attribute, Value value) {
    auto attributes = pool("TF", 1, 2, 0);
    attributes[attribute].second = std::move(value);
    return TestCall("tfidf.vectorize", attributes).problem();
  };
  EXPECT_EQ(problemOf(0, stringScalar("DF")), "mode is 'DF', expected TF, IDF or TFIDF");
  EXPECT_THAT(problemOf(1, scalar<int64_t>(3)), StartsWith("n-grams of 3 to 2 tokens"));
  EXPECT_EQ(problemOf(4, tensor<int64_t>({2}, {0, 4})),
            "ngram_counts says that n-grams of 2 tokens are at 4 to 7 of a pool of 7");
  EXPECT_EQ(problemOf(5, tensor<int64_t>({2}, {0, -1})),
            "ngram_indexes has -1, which is no column");
  auto attributes = pool("IDF", 1, 2, 0);
  attributes.emplace_back("weights", tensor<float>({2}, {1, 2}));
  EXPECT_EQ(TestCall("tfidf.vectorize", attributes).problem(), "there are 2 weights for 5 n-grams");
  EXPECT_EQ(problemOf(5, tensor<int64_t>({2}, {0, 1})),
            "there are more n-grams than the 2 columns of ngram_indexes");
}

} // namespace
} // namespace tenon::host::test
