// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of host functions as a whole.

#include "test/host/TestCall.h"

#include <set>

namespace tenon::host::test {
namespace {

// What may be a host function is closed: everything else is a kernel, so that it runs wherever a
// model does. This list grows by a decision about the design, not by an operator that was easier to
// write this way.
const std::set<std::string> families = {"image",    "map",   "non_max_suppression",
                                        "optional", "regex", "sequence",
                                        "string",   "tfidf", "unique"};

TEST(HostFunctions, areOfTheClosedList) {
  const tenon_host_interface &library = *tenon_host_get_interface();
  ASSERT_GT(library.function_count(), 0u);
  std::set<std::pair<std::string, uint32_t>> seen;
  for (size_t i = 0; i < library.function_count(); ++i) {
    std::string name = library.function_name(i);
    EXPECT_TRUE(families.contains(name.substr(0, name.find('.')))) << name;
    EXPECT_TRUE(seen.emplace(name, library.function_version(i)).second) << name << " twice";
  }
}

TEST(HostFunctions, whatIsNotThereIsAnError) {
  EXPECT_EQ(TestCall("sequence.shuffle").problem(),
            "there is no host function 'sequence.shuffle' version 1 in this release");
  EXPECT_EQ(TestCall("sequence.at", {}, 7).problem(),
            "there is no host function 'sequence.at' version 7 in this release");
}

TEST(HostFunctions, inputsAreChecked) {
  TestCall at("sequence.at");
  Value list = sequenceOf({scalar<float>(1)});
  EXPECT_EQ(at.error({scalar<float>(1), scalar<int64_t>(0)}),
            "input 0 is a tensor of float of rank 0, which the operator does not take");
  EXPECT_EQ(at.error({list, stringTensor({}, {"0"})}),
            "input 1 is a tensor of string of rank 0, which the operator does not take");
  EXPECT_EQ(at.error({list}), "input 1 is absent");
  EXPECT_EQ(at.error({list, scalar<int64_t>(0), list}), "has 3 inputs, at most 2 are possible");
  EXPECT_EQ(at.error({list, scalar<int64_t>(0)}, 2), "gives 2 results");
}

} // namespace
} // namespace tenon::host::test
