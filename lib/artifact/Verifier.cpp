// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules of a module as a whole: signature, sections, weights. ProgramVerifier.cpp has those of
// its programs.

#include "lib/artifact/Verifier.h"

#include "lib/artifact/Format.h"

#include <set>
#include <string_view>

namespace tenon::artifact {

namespace {

Status invalid(std::string message) { return {StatusCode::InvalidArtifact, std::move(message)}; }

std::string number(uint64_t value) { return std::to_string(value); }
std::string number(uint32_t value) { return std::to_string(value); }

Status verifyValue(const Module &module, const Value &value) {
  if (value.element == ElementType::Undefined || value.element > ElementType::Float6E3M2)
    return invalid("'" + value.name + "' has an unknown element type");
  if (value.axes.size() > maxRank)
    return invalid("'" + value.name + "' has " + number(value.axes.size()) + " axes, at most " +
                   number(maxRank) + " are possible");
  for (const Axis &axis : value.axes) {
    bool good =
        axis.kind == Axis::Kind::Static ? axis.value >= 0
        : axis.kind == Axis::Kind::Dimension
            ? axis.value >= 0 && static_cast<uint64_t>(axis.value) < module.dimensions.size()
            : axis.kind == Axis::Kind::Unnamed;
    if (!good)
      return invalid("'" + value.name + "' has an impossible axis");
  }
  if (!value.hasShape() && !value.axes.empty())
    return invalid("'" + value.name + "' has axes, but no shape");
  if (value.containers.size() > maxContainers)
    return invalid("'" + value.name + "' nests deeper than " + number(maxContainers) + " times");
  for (size_t i = 0; i < value.containers.size(); ++i) {
    if (value.containers[i] > Container::Map ||
        (value.containers[i] == Container::Map && i + 1 != value.containers.size()))
      return invalid("'" + value.name + "' is of an impossible kind");
    if (value.containers[i] == Container::Map &&
        (value.key == ElementType::Undefined || value.key > ElementType::Float6E3M2))
      return invalid("'" + value.name + "' has keys of an unknown type");
  }
  int64_t bytes = 0;
  return staticBytes(value, bytes);
}

Status verifySignature(const Module &module) {
  std::set<std::string_view> names;
  for (const Dimension &dimension : module.dimensions) {
    if (dimension.name.empty() || !names.insert(dimension.name).second)
      return invalid("dimension '" + dimension.name + "' has no name or appears twice");
    if (dimension.min < 0 || dimension.max < dimension.min || dimension.multiple < 1)
      return invalid("dimension '" + dimension.name + "' has impossible bounds");
  }
  for (const std::vector<Value> *values : {&module.inputs, &module.outputs}) {
    names.clear();
    for (const Value &value : *values) {
      TENON_RETURN_IF_ERROR(verifyValue(module, value));
      if (!names.insert(value.name).second)
        return invalid("'" + value.name + "' appears twice among the inputs or outputs");
    }
  }
  for (const Value &input : module.inputs)
    if (input.inPlaceInput != none)
      return invalid("input '" + input.name + "' cannot be in place of an input");
  for (const Value &output : module.outputs)
    if (output.inPlaceInput != none &&
        (output.inPlaceInput >= module.inputs.size() ||
         module.inputs[output.inPlaceInput].element != output.element || output.isObject() ||
         module.inputs[output.inPlaceInput].isObject()))
      return invalid("output '" + output.name + "' cannot be in place of that input");
  return {};
}

/// What a tensor of a shape needs, its bytes, is what it has.
Status verifyConstants(const Module &module) {
  for (const ConstantTensor &constant : module.constants) {
    int64_t count = 1, bytes = 0;
    bool fits = constant.axes.size() <= maxRank;
    for (int64_t axis : constant.axes)
      fits = fits && axis >= 0 && !__builtin_mul_overflow(count, axis, &count);
    if (constant.element == ElementType::String)
      fits =
          fits && constant.data.empty() && constant.strings.size() == static_cast<uint64_t>(count);
    else
      fits = fits && constant.strings.empty() && elementBytes(constant.element, count, bytes) &&
             constant.data.size() == static_cast<uint64_t>(bytes);
    if (!fits)
      return invalid("a constant tensor has not the elements that its shape asks for");
  }
  return {};
}

Status verifySections(const Module &module) {
  uint64_t weightSectionSize = 0;
  unsigned weightSections = 0, constantSections = 0;
  for (const Section &section : module.sections) {
    if (section.kind > SectionKind::Weights)
      return invalid("a section is of an unknown kind");
    if (section.offset % sectionAlignment != 0)
      return invalid("a section does not start at a page");
    if (section.external && section.kind != SectionKind::Weights)
      return invalid("only weights may be in another file");
    constantSections += section.kind == SectionKind::Constants;
    if (section.kind == SectionKind::Weights) {
      ++weightSections;
      weightSectionSize = section.size;
      if (section.external &&
          (module.weightFile.empty() || module.weightFile.find('/') != std::string::npos ||
           module.weightFile.find('\0') != std::string::npos))
        return invalid("the weight file's name is not a plain file name");
    }
  }
  if (weightSections > 1 || constantSections > 1)
    return invalid("there is more than one section of weights or of constants");
  for (const Weight &weight : module.weights)
    if (weight.offset % dataAlignment != 0 ||
        !rangeFits(weight.offset, weight.size, weightSectionSize))
      return invalid("weight '" + weight.name + "' does not lie in the weight section");
  uint64_t chunks =
      weightSectionSize / weightChunkSize + (weightSectionSize % weightChunkSize != 0);
  if (module.weightChunkHashes.size() != chunks)
    return invalid("the weight section has " + number(chunks) + " chunks, but there are " +
                   number(module.weightChunkHashes.size()) + " hashes");
  return {};
}

} // namespace

Status staticBytes(const Value &value, int64_t &bytes) {
  int64_t count = 1;
  bool dynamic = false;
  for (const Axis &axis : value.axes) {
    if (axis.kind != Axis::Kind::Static)
      dynamic = true;
    else if (__builtin_mul_overflow(count, axis.value, &count))
      return invalid("'" + value.name + "' is too large");
  }
  bytes = -1;
  if (!dynamic && elementBits(value.element) != 0 && !elementBytes(value.element, count, bytes))
    return invalid("'" + value.name + "' is too large");
  return {};
}

Status verifyModule(const Module &module) {
  TENON_RETURN_IF_ERROR(verifySignature(module));
  TENON_RETURN_IF_ERROR(verifySections(module));
  TENON_RETURN_IF_ERROR(verifyConstants(module));
  if (module.programs.empty())
    return invalid("there is no program");
  for (uint32_t i = 0; i < module.programs.size(); ++i)
    TENON_RETURN_IF_ERROR(
        verifyProgram(module, module.programs[i]).withContext("program " + number(i)));
  return {};
}

} // namespace tenon::artifact
