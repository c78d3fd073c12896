// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything about a run that follows from its inputs' shapes: checking them, the program's
// prologue, and where temporaries lie.

#ifndef TENON_LIB_RUNTIME_SHAPEPLAN_H
#define TENON_LIB_RUNTIME_SHAPEPLAN_H

#include "lib/artifact/Program.h"
#include "lib/artifact/Status.h"
#include "tenon/runtime.h"

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace tenon::runtime {

using Shape = std::vector<int64_t>;

/// "[2, 3, 4]"
std::string shapeText(std::span<const int64_t> sizes);
/// "[batch, 3, ?]"
std::string shapeText(const artifact::Module &module, const artifact::Value &value);

/// What inputs bind. Reused from run to run, so that binding allocates nothing.
struct ShapeBinding {
  std::vector<int64_t> dimensions; ///< per Module::dimensions; -1: no input has it
  std::vector<int64_t> key;        ///< the inputs' dynamic sizes in order: what a plan depends on

  /// Makes room for `module`'s inputs.
  explicit ShapeBinding(const artifact::Module &module);
};

/// Compares inputs with the signature: number, element types, ranks, sizes, named dimensions that
/// must agree, and their bounds. Does not look at data. The message of a failure names the input,
/// what was expected and what was found.
Status bindInputs(const artifact::Module &module, std::span<const tenon_tensor> inputs,
                  ShapeBinding &binding);

/// Immutable once computed, so runs share it.
struct ShapePlan {
  std::vector<int64_t> key;
  std::vector<int64_t> registers;            ///< as the prologue leaves them
  std::vector<std::optional<Shape>> outputs; ///< those whose shape is known before the body
  std::vector<int64_t> sizes;                ///< per slot: bytes of a temporary, otherwise 0
  std::vector<int64_t> offsets;              ///< per slot: a temporary's place in its arena
  std::vector<int64_t> arenaSizes;           ///< per device
};

/// Runs the prologue and places the temporaries.
Status computeShapePlan(const artifact::Module &module, const artifact::Program &program,
                        std::span<const tenon_tensor> inputs, const ShapeBinding &binding,
                        ShapePlan &plan);

/// Whether `sizes` is a shape that output `index` may have, given the inputs' dimensions. What has
/// no elements may have other sizes than the dimensions' names say: a loop without iterations
/// cannot know how large what it would have collected is.
Status checkOutputShape(const artifact::Module &module, uint32_t index,
                        std::span<const int64_t> sizes, const ShapeBinding &binding);

/// The bytes of a dense tensor, or an error when they overflow or a size is negative.
Status tensorBytes(const artifact::Value &value, std::span<const int64_t> sizes, int64_t &bytes);

/// The plans used last. Thread safe.
class ShapePlanCache {
public:
  explicit ShapePlanCache(size_t capacity) : capacity_(capacity) {}

  /// The plan for `key`, or null.
  std::shared_ptr<const ShapePlan> find(const std::vector<int64_t> &key);
  void insert(std::shared_ptr<const ShapePlan> plan);
  void clear();

private:
  size_t capacity_;
  std::mutex mutex_;
  std::list<std::shared_ptr<const ShapePlan>> plans_; ///< last used first
};

} // namespace tenon::runtime

#endif // TENON_LIB_RUNTIME_SHAPEPLAN_H
