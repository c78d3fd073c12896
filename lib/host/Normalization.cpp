// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// StringNormalizer: leaves out stop words and changes the letter case. Case is a matter of language
// (a Turkish i has another upper case, a German sharp s has two letters), which ICU knows.

#include "lib/host/Families.h"
#include "lib/host/Module.h"

#include <unordered_set>

namespace tenon::host {

namespace {

/// Letter cases of the language of a locale.
class CaseMap {
public:
  ~CaseMap() {
    if (map_)
      text_->release_case_map(map_);
  }

  Status open(std::string_view locale) {
    TENON_RETURN_IF_ERROR(openTextModule(text_));
    char problem[256] = "";
    map_ = text_->open_case_map(locale.data(), locale.size(), problem);
    if (!map_)
      return failed("the locale '" + std::string(locale) + "' is not known: " + problem);
    return {};
  }

  Status change(std::string_view text, tenon_letter_case letterCase, std::string &changed) const {
    // Few letters need more bytes in another case.
    changed.resize(text.size() + 16);
    while (true) {
      int64_t size = text_->change_case(map_, letterCase, text.data(), text.size(), changed.data(),
                                        changed.size());
      if (size < 0)
        return failed("the letter case of a string of " + std::to_string(text.size()) +
                      " bytes cannot be changed");
      bool fits = static_cast<size_t>(size) <= changed.size();
      changed.resize(static_cast<size_t>(size));
      if (fits)
        return {};
    }
  }

private:
  const tenon_text_module *text_ = nullptr;
  tenon_case_map *map_ = nullptr;
};

class Normalize : public Function {
public:
  Status prepare(const Attributes &attributes) {
    std::string_view action = attributes.string("case_change_action", "NONE");
    if (action != "NONE" && action != "LOWER" && action != "UPPER")
      return failed("case_change_action is '" + std::string(action) +
                    "', expected LOWER, UPPER or NONE");
    changesCase_ = action != "NONE";
    letterCase_ = action == "UPPER" ? TENON_LETTER_UPPER : TENON_LETTER_LOWER;
    isSensitive_ = attributes.integer("is_case_sensitive", 0) != 0;
    std::vector<std::string_view> words = attributes.strings("stopwords");
    if (changesCase_ || (!words.empty() && !isSensitive_))
      TENON_RETURN_IF_ERROR(case_.open(attributes.string("locale", "en_US")));
    for (std::string_view word : words) {
      std::string kept(word);
      if (!isSensitive_)
        TENON_RETURN_IF_ERROR(case_.change(word, TENON_LETTER_FOLDED, kept));
      stopWords_.insert(std::move(kept));
    }
    return {};
  }

  Status call(Call &call) const override {
    Value input = call.input(0), made;
    if (input.rank() != 1 && !(input.rank() == 2 && input.shape()[0] == 1))
      return failed("strings of shape " + shapeText(input.shape()) + ", expected [C] or [1, C]");
    std::vector<std::string> kept;
    std::string folded;
    for (int64_t i = 0; i < input.count(); ++i) {
      std::string word(input.string(i));
      if (!stopWords_.empty() && !isSensitive_) {
        TENON_RETURN_IF_ERROR(case_.change(word, TENON_LETTER_FOLDED, folded));
        if (stopWords_.contains(folded))
          continue;
      } else if (stopWords_.contains(word)) {
        continue;
      }
      if (changesCase_)
        TENON_RETURN_IF_ERROR(case_.change(input.string(i), letterCase_, word));
      kept.push_back(std::move(word));
    }
    if (kept.empty())
      kept.emplace_back(); // So says the standard.
    Shape shape(input.shape().begin(), input.shape().end());
    shape.back() = static_cast<int64_t>(kept.size());
    TENON_RETURN_IF_ERROR(call.makeStrings(shape, kept, made));
    call.set(0, std::move(made));
    return {};
  }

private:
  bool changesCase_ = false, isSensitive_ = false;
  tenon_letter_case letterCase_ = TENON_LETTER_LOWER;
  CaseMap case_;
  std::unordered_set<std::string> stopWords_; ///< folded where case plays no part
};

} // namespace

std::vector<Entry> normalizationFunctions() {
  return {{"string.normalize", 1, {strings}, 1, 1, prepared<Normalize>}};
}

} // namespace tenon::host
