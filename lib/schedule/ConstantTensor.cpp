// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ConstantTensor.cpp -------------------------------------------------===//

#include "lib/schedule/ConstantTensor.h"

#include "lib/schedule/ArtifactTypes.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include <cstring>

using namespace mlir;

namespace tenon {

using artifact::ConstantTensor;
using artifact::ElementType;

template <typename T>
static ConstantTensor makeNumbers(ElementType element, std::vector<int64_t> axes,
                                  ArrayRef<T> values) {
  ConstantTensor constant;
  constant.element = element;
  constant.axes = std::move(axes);
  constant.data.resize(values.size() * sizeof(T));
  if (!values.empty())
    std::memcpy(constant.data.data(), values.data(), constant.data.size());
  return constant;
}

static ConstantTensor makeStrings(std::vector<int64_t> axes) {
  ConstantTensor constant;
  constant.element = ElementType::String;
  constant.axes = std::move(axes);
  return constant;
}

/// Elements as they lie in memory: of 8 bits or more, truth values as bytes.
static std::optional<ConstantTensor> makeElements(DenseElementsAttr elements) {
  ArrayRef<int64_t> shape = elements.getType().getShape();
  ConstantTensor constant;
  constant.element = artifactElementType(elements.getElementType());
  constant.axes.assign(shape.begin(), shape.end());
  unsigned bits = artifact::elementBits(constant.element);
  if (bits < 8 || isa<ComplexType>(elements.getElementType()))
    return std::nullopt;
  auto store = [&](auto range) {
    for (const APInt &element : range) {
      const auto *bytes = reinterpret_cast<const uint8_t *>(element.getRawData());
      constant.data.insert(constant.data.end(), bytes, bytes + bits / 8);
    }
  };
  if (isa<FloatType>(elements.getElementType()))
    store(llvm::map_range(elements.getValues<APFloat>(),
                          [](const APFloat &value) { return value.bitcastToAPInt(); }));
  else
    store(elements.getValues<APInt>());
  return constant;
}

std::optional<ConstantTensor> makeConstantTensor(Attribute value) {
  if (auto integer = dyn_cast<IntegerAttr>(value)) {
    int64_t number = integer.getValue().getSExtValue();
    return makeNumbers<int64_t>(ElementType::Int64, {}, number);
  }
  if (auto real = dyn_cast<FloatAttr>(value)) {
    float number = real.getValue().convertToFloat();
    return makeNumbers<float>(ElementType::Float32, {}, number);
  }
  if (auto integers = dyn_cast<DenseI64ArrayAttr>(value))
    return makeNumbers<int64_t>(ElementType::Int64, {integers.size()}, integers);
  if (auto reals = dyn_cast<DenseF32ArrayAttr>(value))
    return makeNumbers<float>(ElementType::Float32, {reals.size()}, reals);
  if (auto string = dyn_cast<StringAttr>(value)) {
    ConstantTensor constant = makeStrings({});
    constant.strings.push_back(string.str());
    return constant;
  }
  if (auto list = dyn_cast<ArrayAttr>(value)) {
    ConstantTensor constant = makeStrings({static_cast<int64_t>(list.size())});
    for (Attribute element : list) {
      auto string = dyn_cast<StringAttr>(element);
      if (!string)
        return std::nullopt;
      constant.strings.push_back(string.str());
    }
    return constant;
  }
  if (auto strings = dyn_cast<DenseStringElementsAttr>(value)) {
    ArrayRef<int64_t> shape = strings.getType().getShape();
    ConstantTensor constant = makeStrings({shape.begin(), shape.end()});
    for (StringRef string : strings.getValues<StringRef>())
      constant.strings.push_back(string.str());
    return constant;
  }
  if (auto elements = dyn_cast<DenseElementsAttr>(value))
    return makeElements(elements);
  return std::nullopt;
}

} // namespace tenon
