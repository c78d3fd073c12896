// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A run whose inputs and outputs are values of any type: tensors of numbers are lent to the run
// where they lie, and those that come out become values without a copy.

#ifndef TENON_LIB_RUNTIME_VALUERUN_H
#define TENON_LIB_RUNTIME_VALUERUN_H

#include "lib/runtime/Model.h"

namespace tenon::runtime {

class ValueRun {
public:
  /// Shares the inputs; null ones are empty optionals. Fails where their kinds do not fit.
  Status prepare(const Model &model, std::span<const tenon_value *const> inputs,
                 size_t outputCount);
  /// To be called once. Gives one reference per output, or none after a failure.
  Status run(Model &model, std::span<tenon_value *> outputs, const std::atomic<bool> *cancelled);

private:
  Status takeOutputs(const Model &model, std::span<tenon_value *> outputs);

  std::vector<tenon_tensor> inputs_, outputs_;
  std::vector<ValueReference> objectInputs_, objectOutputs_;
};

} // namespace tenon::runtime

#endif // TENON_LIB_RUNTIME_VALUERUN_H
