// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls host functions as the runtime does, through the library's table.
//
//   TestCall call("sequence.at");
//   Value result = call({sequence({tensor<float>({2}, {1, 2})}), scalar<int64_t>(0)});
//   EXPECT_THAT(result.elements<float>(), ElementsAre(1, 2));

#ifndef TENON_TEST_HOST_TESTCALL_H
#define TENON_TEST_HOST_TESTCALL_H

#include "lib/host/Function.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tenon::host::test {

/// The runtime that all values of the tests are of.
tenon_runtime *testRuntime();

Value makeTensor(tenon_element_type element, const Shape &shape, const void *data, int64_t bytes);

template <typename T>
Value tensor(const Shape &shape, const std::vector<T> &elements) {
  return makeTensor(elementTypeOf<T>(), shape, elements.data(),
                    static_cast<int64_t>(elements.size() * sizeof(T)));
}
template <typename T>
Value scalar(T element) {
  return tensor<T>({}, {element});
}
Value stringTensor(const Shape &shape, const std::vector<std::string> &strings);
Value sequenceOf(const std::vector<Value> &elements);
Value optionalOf(const Value &content);
Value mapOf(const Value &keys, const Value &values);

/// The strings of a tensor of strings.
std::vector<std::string> stringsOf(const Value &value);

/// One function of one call site.
class TestCall {
public:
  explicit TestCall(const char *name, std::vector<std::pair<const char *, Value>> attributes = {},
                    uint32_t version = 1);
  ~TestCall();

  /// The only result; the test fails if the call does.
  Value operator()(std::vector<Value> inputs) { return run(std::move(inputs), 1)[0]; }
  /// The first `count` results.
  std::vector<Value> run(std::vector<Value> inputs, size_t count);
  /// The message of a call that fails; "" if it does not.
  std::string error(std::vector<Value> inputs, size_t count = 1);
  /// Why there is no such function with these attributes; "" where there is one.
  const std::string &problem() const { return problem_; }

private:
  std::string call(std::vector<Value> inputs, std::vector<Value> &results);

  std::vector<std::pair<const char *, Value>> attributes_;
  tenon_host_function *function_ = nullptr;
  std::string problem_;
};

} // namespace tenon::host::test

#endif // TENON_TEST_HOST_TESTCALL_H
