// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Executes a program's body once. The verifier has checked all that can be known beforehand; what
// remains is what registers hold: sizes, indices and offsets against the slots' memory.

#ifndef TENON_LIB_RUNTIME_INTERPRETER_H
#define TENON_LIB_RUNTIME_INTERPRETER_H

#include "lib/runtime/Model.h"

namespace tenon::runtime {

/// One run. Lives on the stack of the thread that runs.
class Interpreter {
public:
  /// `context` must have been prepared for the plan that run() gets.
  Interpreter(const Model &model, RunContext &context, const RunArguments &arguments,
              const std::atomic<bool> *cancelled)
      : model_(model), context_(context), inputs_(arguments.inputs), outputs_(arguments.outputs),
        objectInputs_(arguments.objectInputs), objectOutputs_(arguments.objectOutputs),
        cancelled_(cancelled) {}

  /// After a failure, outputs that this run allocated are freed.
  Status run(const ShapePlan &plan);

private:
  Status bindInputData();
  /// Gives output `index` its shape and memory, the caller's or new.
  Status bindOutput(uint32_t index, std::span<const int64_t> shape);
  /// Hands out what the objects of outputs hold.
  Status giveObjects();
  Status checkOverlap(uint32_t index, const Region &region);
  Status body();

  /// The memory of a slot; through views, whose offsets may be in registers.
  Status resolve(uint32_t slot, Region &region) const;
  /// The memory of a slot if it has at least `bytes`.
  Status resolve(uint32_t slot, int64_t bytes, Region &region) const;
  /// The address of an element of a slot.
  Status resolveElement(uint32_t slot, int64_t index, artifact::ElementType type,
                        std::byte *&address) const;
  /// The value that an object holds.
  Status resolveObject(uint32_t slot, const tenon_value *&value) const;
  tenon_device_queue *queueOf(uint32_t slot) const;
  const OpenDevice &deviceOf(uint32_t slot) const;

  // One per opcode; each may set next_ to go elsewhere.
  Status execute(const artifact::Constant &op);
  Status execute(const artifact::ReadDimension &op);
  Status execute(const artifact::Arithmetic &op);
  Status execute(const artifact::LoadElement &op);
  Status execute(const artifact::StoreElement &op);
  Status execute(const artifact::Launch &op);
  Status execute(const artifact::Copy &op);
  Status execute(const artifact::Fill &op);
  Status execute(const artifact::Allocate &op);
  Status execute(const artifact::SetShape &op);
  Status execute(const artifact::Check &op);
  Status execute(const artifact::Branch &op);
  Status execute(const artifact::Jump &op);
  Status execute(const artifact::Loop &op);
  Status execute(const artifact::Repeat &op);
  Status execute(const artifact::HostCall &op);
  Status execute(const artifact::Wait &op);
  Status execute(const artifact::Swap &op);
  Status execute(const artifact::Wrap &op);
  Status execute(const artifact::Unwrap &op);
  Status execute(const artifact::Share &op);

  const Model &model_;
  RunContext &context_;
  std::span<const tenon_tensor> inputs_;
  std::span<tenon_tensor> outputs_;
  std::span<const ValueReference> objectInputs_;
  std::span<ValueReference> objectOutputs_;
  const std::atomic<bool> *cancelled_;
  size_t current_ = 0; ///< of the body's instructions
  size_t next_ = 0;
};

} // namespace tenon::runtime

#endif // TENON_LIB_RUNTIME_INTERPRETER_H
