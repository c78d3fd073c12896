// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each input has a generator of its own, seeded with its name: adding an input changes no other.
#include "tools/tenon/RandomInputs.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/xxhash.h"
#include <cmath>
#include <cstring>
#include <random>

using namespace llvm;

namespace tenon::cli {

namespace {
class Source {
public:
  Source(uint64_t seed, StringRef name) : generator(seed ^ xxh3_64bits(name)) {}

  double uniform() { return static_cast<double>(generator() >> 11) * 0x1.0p-53; }

  /// Sum of twelve uniforms: near enough to normal, and the same everywhere, unlike log and cos.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i)
      sum += uniform();
    return sum;
  }

  std::string word() {
    std::string text;
    for (size_t i = 0, length = 1 + generator() % 8; i < length; ++i)
      text += static_cast<char>('a' + generator() % 26);
    return text;
  }

private:
  std::mt19937_64 generator; // fixed by the standard, unlike the distributions
};
} // namespace

static const fltSemantics *floatSemantics(ElementType type) {
  switch (type) {
  case ElementType::f16:
    return &APFloat::IEEEhalf();
  case ElementType::bf16:
    return &APFloat::BFloat();
  case ElementType::f8e4m3fn:
    return &APFloat::Float8E4M3FN();
  case ElementType::f8e4m3fnuz:
    return &APFloat::Float8E4M3FNUZ();
  case ElementType::f8e5m2:
    return &APFloat::Float8E5M2();
  case ElementType::f8e5m2fnuz:
    return &APFloat::Float8E5M2FNUZ();
  case ElementType::f8e8m0:
    return &APFloat::Float8E8M0FNU();
  case ElementType::f4e2m1:
    return &APFloat::Float4E2M1FN();
  case ElementType::f64:
  case ElementType::c128:
    return &APFloat::IEEEdouble();
  default:
    return &APFloat::IEEEsingle();
  }
}

/// The bits of `value` in a floating-point format.
static uint64_t floatBits(ElementType type, double value) {
  APFloat number(value);
  bool losesInfo = false;
  number.convert(*floatSemantics(type), APFloat::rmNearestTiesToEven, &losesInfo);
  return number.bitcastToAPInt().getZExtValue();
}

static void fill(Tensor &tensor, Source &source, std::optional<std::pair<double, double>> range) {
  const ElementInfo &info = *elementInfo(tensor.type);
  int64_t count = tensor.elementCount();
  if (info.kind == ElementKind::string) {
    for (int64_t i = 0; i < count; ++i)
      tensor.strings.push_back(source.word());
    return;
  }
  bool complex = info.kind == ElementKind::complex,
       floating = complex || info.kind == ElementKind::floating;
  unsigned bits = complex ? info.bits / 2 : info.bits;
  if (complex)
    count *= 2;
  // Narrow types are drawn one to a byte, then packed.
  size_t size = std::max(1u, bits / 8);
  std::vector<uint8_t> bytes(count * size);
  for (int64_t i = 0; i < count; ++i) {
    uint64_t value;
    if (floating) {
      double number = range ? range->first + source.uniform() * (range->second - range->first)
                            : source.normal();
      // A scale format has no sign.
      value =
          floatBits(tensor.type, tensor.type == ElementType::f8e8m0 ? std::abs(number) : number);
    } else {
      double low = range ? range->first : 0, high = range ? range->second : 2;
      value = static_cast<uint64_t>(
          static_cast<int64_t>(std::floor(low + source.uniform() * (high - low))));
    }
    std::memcpy(bytes.data() + i * size, &value, size);
  }
  tensor.bytes = bits < 8 ? packNarrow(tensor.type, bytes) : std::move(bytes);
}

/// The size that a dimension has in random inputs.
static Expected<int64_t> sizeOf(const Dimension &dimension, const RandomOptions &options) {
  if (dimension.size)
    return *dimension.size;
  auto chosen = options.sizes.find(dimension.name);
  if (dimension.name.empty() || chosen == options.sizes.end())
    return std::max<int64_t>({dimension.min, dimension.multiple, 1});
  int64_t size = chosen->second;
  if (size < dimension.min || size > dimension.max || size % dimension.multiple)
    return createStringError(
        "dimension '%s' cannot be %lld: the model was compiled for sizes from %lld to %lld that "
        "are multiples of %lld",
        dimension.name.c_str(), static_cast<long long>(size), static_cast<long long>(dimension.min),
        static_cast<long long>(dimension.max), static_cast<long long>(dimension.multiple));
  return size;
}

static Error checkNames(ArrayRef<Port> inputs, const RandomOptions &options) {
  for (const auto &range : options.ranges) {
    if (!findPort(inputs, range.first()))
      return createStringError("the model has no input '%s' to give a range; its inputs are %s",
                               range.first().str().c_str(), portNames(inputs).c_str());
    if (!(range.second.first < range.second.second))
      return createStringError("the range of '%s' is empty", range.first().str().c_str());
  }
  for (const auto &size : options.sizes) {
    bool known = any_of(inputs, [&](const Port &port) {
      return any_of(port.dimensions, [&](const Dimension &d) { return d.name == size.first(); });
    });
    if (!known)
      return createStringError("the model has no dynamic dimension '%s'",
                               size.first().str().c_str());
  }
  return Error::success();
}

Expected<std::vector<NamedValue>> drawInputs(ArrayRef<Port> inputs, const RandomOptions &options) {
  if (Error error = checkNames(inputs, options))
    return error;
  std::vector<NamedValue> values;
  for (const Port &port : inputs) {
    // An optional is drawn as a tensor that is there.
    bool isTensor = port.containers.empty() ? port.ranked
                                            : port.containers == std::vector{OnnxMessage::optional};
    if (!isTensor)
      return createStringError("input '%s' (%s) cannot be drawn at random; give --inputs a file",
                               port.name.c_str(), describe(port).c_str());
    Tensor tensor;
    tensor.type = port.element;
    for (const Dimension &dimension : port.dimensions) {
      Expected<int64_t> size = sizeOf(dimension, options);
      if (!size)
        return size.takeError();
      tensor.shape.push_back(*size);
    }
    int64_t count = 0;
    if (Status status = checkedElementCount(tensor.shape, count); !status.ok())
      return createStringError(status.message());
    Source source(options.seed, port.name);
    auto range = options.ranges.find(port.name);
    fill(tensor, source,
         range == options.ranges.end() ? std::nullopt : std::optional(range->second));
    values.push_back({port.name, Value::ofTensor(std::move(tensor))});
  }
  return values;
}

} // namespace tenon::cli
