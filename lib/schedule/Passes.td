// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Passes.td - from dispatches to the runtime's program ----*- tablegen -*-===//

#ifndef TENON_LIB_SCHEDULE_PASSES
#define TENON_LIB_SCHEDULE_PASSES

include "mlir/Pass/PassBase.td"

def MarkInPlace : Pass<"mark-in-place", "::mlir::ModuleOp"> {
  let summary = "tell which outputs may take an input's memory";
  let description = [{
    Sets `plan.in_place` on results of the model, to the number of the input, where
    one kernel makes the output by altering elements of the input and nothing reads
    the input later:

    ```mlir
    plan.kernel @append(%cache: tensor<?x64xf32>, ...) -> tensor<?x64xf32> {
      %0 = scf.for ... iter_args(%c = %cache) -> (tensor<?x64xf32>) { ... tensor.insert %new into %c ... }
      plan.yield %0 : tensor<?x64xf32>
    }
    ```

    Precondition: dispatches only, as before `schedule-program`.
  }];
}

def ScheduleProgram : Pass<"schedule-program", "::mlir::ModuleOp"> {
  let summary = "turn the model's function into the runtime's program";
  let description = [{
    Values become buffers, sizes become index arithmetic, dispatches become
    launches, reshapes disappear. A dispatch whose result the model gives writes
    straight into the caller's tensor; what cannot (an input or a weight given
    back, one value given twice) is copied.

    Precondition: dispatches only, every `plan.kernel` has its `count`.
    The kernels stay for whoever asks what they are; the program refers to them.
  }];
  let dependentDialects = ["::tenon::rt::RtDialect", "::mlir::arith::ArithDialect"];
}

def PlanMemory : Pass<"plan-memory", "::tenon::rt::ProgramOp"> {
  let summary = "fix the place of every temporary in the arena";
  let description = [{
    Only for programs whose temporaries all have constant sizes; for the others
    the runtime plans when it knows the sizes, with the same planner.
  }];
}

#endif // TENON_LIB_SCHEDULE_PASSES
