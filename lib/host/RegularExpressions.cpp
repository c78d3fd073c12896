// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RegexFullMatch. The standard names RE2 and its syntax; matching takes time linear in the text, so
// no pattern is a danger.

#include "lib/host/Families.h"
#include "lib/host/Module.h"

namespace tenon::host {

namespace {

class FullMatch : public Function {
public:
  ~FullMatch() override {
    if (pattern_)
      text_->release_pattern(pattern_);
  }

  Status prepare(const Attributes &attributes) {
    TENON_RETURN_IF_ERROR(openTextModule(text_));
    std::string_view pattern = attributes.string("pattern", "");
    char problem[256] = "";
    pattern_ = text_->compile(pattern.data(), pattern.size(), problem);
    if (!pattern_)
      return failed("the pattern '" + std::string(pattern) +
                    "' is no regular expression: " + problem);
    return {};
  }

  Status call(Call &call) const override {
    Value input = call.input(0), made;
    std::span<bool> elements;
    TENON_RETURN_IF_ERROR(
        call.makeTensor({input.shape().begin(), input.shape().end()}, made, elements));
    for (int64_t i = 0; i < input.count(); ++i) {
      std::string_view string = input.string(i);
      elements[static_cast<size_t>(i)] =
          text_->matches(pattern_, string.data(), string.size()) != 0;
    }
    call.set(0, std::move(made));
    return {};
  }

private:
  const tenon_text_module *text_ = nullptr;
  tenon_pattern *pattern_ = nullptr;
};

} // namespace

std::vector<Entry> regexFunctions() {
  return {{"regex.full_match", 1, {strings}, 1, 1, prepared<FullMatch>}};
}

} // namespace tenon::host
