// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values survive every file format that the command reads and writes, and damaged files are
// refused.
#include "tools/tenon/Npz.h"
#include "tools/tenon/OnnxValues.h"
#include "tools/tenon/TemporaryFolder.h"
#include "tools/tensors/Npy.h"
#include <gtest/gtest.h>

using namespace llvm;
using namespace tenon::cli;
using tenon::Status;

namespace {

const ElementType numericTypes[] = {
    ElementType::f32,        ElementType::u8,     ElementType::i8,         ElementType::u16,
    ElementType::i16,        ElementType::i32,    ElementType::i64,        ElementType::boolean,
    ElementType::f16,        ElementType::f64,    ElementType::u32,        ElementType::u64,
    ElementType::c64,        ElementType::c128,   ElementType::bf16,       ElementType::f8e4m3fn,
    ElementType::f8e4m3fnuz, ElementType::f8e5m2, ElementType::f8e5m2fnuz, ElementType::u4,
    ElementType::i4,         ElementType::f4e2m1, ElementType::f8e8m0,     ElementType::u2,
    ElementType::i2,
};

Tensor sample(ElementType type, ArrayRef<int64_t> shape) {
  Tensor tensor;
  tensor.type = type;
  tensor.shape.assign(shape.begin(), shape.end());
  int64_t count = tensor.elementCount();
  if (type == ElementType::string) {
    for (int64_t i = 0; i < count; ++i)
      tensor.strings.push_back(i % 2 ? "" : "höhe " + std::to_string(i));
    return tensor;
  }
  tensor.bytes.resize(packedSize(type, count));
  for (size_t i = 0; i < tensor.bytes.size(); ++i)
    tensor.bytes[i] = type == ElementType::boolean ? i % 2 : static_cast<uint8_t>(37 * i + 5);
  // Bits beyond the last element of a packed type are zero.
  unsigned bits = elementInfo(type)->bits;
  if (bits < 8 && count * bits % 8)
    tensor.bytes.back() &= (1u << (count * bits % 8)) - 1;
  return tensor;
}

void expectSame(const Tensor &actual, const Tensor &expected) {
  EXPECT_EQ(actual.type, expected.type);
  EXPECT_EQ(actual.shape, expected.shape);
  EXPECT_EQ(actual.bytes, expected.bytes) << elementName(expected.type);
  EXPECT_EQ(actual.strings, expected.strings);
}

std::string reasonOf(Error error) { return toString(std::move(error)); }

std::string npyWith(StringRef dictionary, StringRef data) {
  std::string header = dictionary.str() + "\n";
  std::string file = "\x93NUMPY";
  file += std::string("\x01\x00", 2);
  file += static_cast<char>(header.size());
  file += '\0';
  return file + header + data.str();
}

/// What a file holds; it must be readable.
Tensor parsed(const std::string &file, std::optional<ElementType> expected = std::nullopt) {
  Tensor tensor;
  Status status = parseNpy(file, expected, tensor);
  EXPECT_TRUE(status.ok()) << status.message();
  return tensor;
}

TEST(Npy, EveryTypeSurvives) {
  for (ElementType type : numericTypes)
    for (const std::vector<int64_t> &shape :
         std::vector<std::vector<int64_t>>{{3, 5}, {7}, {}, {0, 4}}) {
      Tensor tensor = sample(type, shape);
      expectSame(parsed(formatNpy(tensor), type), tensor);
    }
}

TEST(Npy, StringsSurvive) {
  Tensor tensor = sample(ElementType::string, {2, 3});
  expectSame(parsed(formatNpy(tensor)), tensor);
}

TEST(Npy, StringsAreUnicode) {
  Tensor tensor;
  tensor.type = ElementType::string;
  tensor.shape = {3};
  tensor.strings = {"\u00fc\u20ac\U0001f600", "a\xff\xc0\x80z", "\xed\xa0\x80"};
  Tensor read = parsed(formatNpy(tensor));
  EXPECT_EQ(read.strings[0], tensor.strings[0]);
  // What is no UTF-8 (a lone byte, a long form, a surrogate) is replaced, byte by byte.
  EXPECT_EQ(read.strings[1], "a\ufffd\ufffd\ufffdz");
  EXPECT_EQ(read.strings[2], "\ufffd\ufffd\ufffd");
}

TEST(Npy, DataStartsAtAMultipleOf64) {
  std::string file = formatNpy(sample(ElementType::f32, {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ((file.size() - 720 * 4) % 64, 0u);
}

TEST(Npy, FortranOrderBecomesRowMajor) {
  std::string data("\1\4\2\5\3\6", 6);
  Tensor read = parsed(npyWith("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", data));
  EXPECT_EQ(read.bytes, (std::vector<uint8_t>{1, 2, 3, 4, 5, 6}));
}

TEST(Npy, WhatIsWrongIsNamed) {
  auto reason = [](StringRef file) {
    Tensor tensor;
    Status status = parseNpy(file, std::nullopt, tensor);
    return status.ok() ? std::string("accepted") : status.message();
  };
  EXPECT_EQ(reason("no array at all"), "not a numpy array (no .npy header)");
  EXPECT_EQ(reason(npyWith("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "1234")),
            "the array is cut short: expected 2 elements of 4 bytes, found 4 bytes");
  EXPECT_EQ(reason(npyWith("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "1234")),
            "the array is big-endian; save it with .astype('<f4')");
  EXPECT_EQ(reason(npyWith("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "1234")),
            "the array holds Python objects, which are not read; save strings as a numpy array of "
            "type str");
  EXPECT_EQ(
      reason(npyWith(
          "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "1234")),
      "impossible shape 4611686018427387904x4");
  EXPECT_EQ(reason(npyWith("{'descr': '<f4', 'shape': (1,), }", "1234")),
            "the header of the array lacks 'descr', 'fortran_order' or 'shape'");
  std::string whole = formatNpy(sample(ElementType::f32, {9}));
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(reason(StringRef(whole).take_front(length)), "accepted") << length;
}

TEST(Npz, NamesAndNestedValuesSurvive) {
  Expected<TemporaryFolder> folder = TemporaryFolder::create();
  ASSERT_TRUE(bool(folder));
  std::vector<NamedValue> values;
  values.push_back({"/encoder/x", Value::ofTensor(sample(ElementType::bf16, {2, 2}))});
  values.push_back({"nothing", Value()});
  values.push_back(
      {"parts", Value::ofSequence(
                    {Value::ofTensor(sample(ElementType::i64, {3})), Value(),
                     Value::ofSequence({Value::ofTensor(sample(ElementType::string, {1}))})})});
  values.push_back({"no parts", Value::ofSequence({})});
  std::string path = folder->file("values.npz");
  ASSERT_FALSE(bool(writeNpz(path, values)));
  Expected<std::vector<NamedValue>> read = readNpz(path, [](StringRef) { return std::nullopt; });
  ASSERT_TRUE(bool(read)) << reasonOf(read.takeError());
  ASSERT_EQ(read->size(), values.size());
  expectSame(findValue(*read, "/encoder/x")->tensor, values[0].value.tensor);
  EXPECT_EQ(findValue(*read, "nothing")->kind, Value::Kind::none);
  const Value *parts = findValue(*read, "parts");
  ASSERT_EQ(parts->elements.size(), 3u);
  expectSame(parts->elements[0].tensor, values[2].value.elements[0].tensor);
  EXPECT_EQ(parts->elements[1].kind, Value::Kind::none);
  EXPECT_EQ(parts->elements[2].elements.size(), 1u);
  EXPECT_EQ(findValue(*read, "no parts")->elements.size(), 0u);
}

TEST(Npz, NotAnArchive) {
  Expected<TemporaryFolder> folder = TemporaryFolder::create();
  ASSERT_TRUE(bool(folder)) << reasonOf(folder.takeError());
  std::string path = folder->file("values.npz");
  std::error_code failure;
  raw_fd_ostream(path, failure) << "a text, not an archive\n";
  ASSERT_FALSE(failure) << failure.message();
  Expected<std::vector<NamedValue>> read = readNpz(path, [](StringRef) { return std::nullopt; });
  ASSERT_FALSE(bool(read));
  EXPECT_NE(reasonOf(read.takeError()).find("Not a zip archive"), std::string::npos);
}

TEST(OnnxValues, EveryTypeSurvives) {
  std::vector<ElementType> types(std::begin(numericTypes), std::end(numericTypes));
  types.push_back(ElementType::string);
  for (ElementType type : types) {
    Tensor tensor = sample(type, {3, 3});
    Expected<Value> read = parseOnnxValue(
        formatOnnxValue("x", Value::ofTensor(tensor), OnnxMessage::tensor), OnnxMessage::tensor);
    ASSERT_TRUE(bool(read)) << reasonOf(read.takeError());
    expectSame(read->tensor, tensor);
  }
}

TEST(OnnxValues, SequencesAndOptionalsSurvive) {
  Value sequence = Value::ofSequence({Value::ofTensor(sample(ElementType::f32, {2})),
                                      Value::ofTensor(sample(ElementType::f32, {}))});
  Expected<Value> read =
      parseOnnxValue(formatOnnxValue("s", sequence, OnnxMessage::sequence), OnnxMessage::sequence);
  ASSERT_TRUE(bool(read)) << reasonOf(read.takeError());
  ASSERT_EQ(read->elements.size(), 2u);
  expectSame(read->elements[1].tensor, sequence.elements[1].tensor);
  read =
      parseOnnxValue(formatOnnxValue("o", sequence, OnnxMessage::optional), OnnxMessage::optional);
  ASSERT_TRUE(bool(read)) << reasonOf(read.takeError());
  EXPECT_EQ(read->kind, Value::Kind::sequence);
  read =
      parseOnnxValue(formatOnnxValue("o", Value(), OnnxMessage::optional), OnnxMessage::optional);
  ASSERT_TRUE(bool(read)) << reasonOf(read.takeError());
  EXPECT_EQ(read->kind, Value::Kind::none);
}

TEST(OnnxValues, DataThatDoesNotFitTheShapeIsRefused) {
  Tensor tensor = sample(ElementType::f32, {4});
  tensor.bytes.resize(12);
  Expected<Value> read = parseOnnxValue(
      formatOnnxValue("x", Value::ofTensor(tensor), OnnxMessage::tensor), OnnxMessage::tensor);
  ASSERT_FALSE(bool(read));
  EXPECT_EQ(reasonOf(read.takeError()), "a tensor 4xf32 whose data has 12 bytes; expected 16");
}

} // namespace
