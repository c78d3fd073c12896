// tenon 0.1.0, a bug in the phase 'schedule'
// model: /work/wt/cross/build/conformance/test_identity_sequence/model.onnx
// options: --target cpu:aarch64 -O2
// /work/wt/cross/build/conformance/test_identity_sequence/model.onnx: input 0 is not a tensor
// What the phase was given:
#loc = loc("/work/wt/cross/build/conformance/test_identity_sequence/model.onnx":0:0)
#loc1 = loc("x"(#loc))
"builtin.module"() ({
  "plan.device"() <{sym_name = "device", target = "cpu:aarch64"}> : () -> () loc(#loc)
  "func.func"() <{arg_attrs = [{plan.element = !onnx.seq<tensor<*xf32>>, plan.name = "x"}], function_type = (!onnx.seq<tensor<*xf32>>) -> !onnx.seq<tensor<*xf32>>, res_attrs = [{plan.element = !onnx.seq<tensor<*xf32>>, plan.name = "y"}], sym_name = "main"}> ({
  ^bb0(%arg0: !onnx.seq<tensor<*xf32>> loc("x"(#loc))):
    "func.return"(%arg0) : (!onnx.seq<tensor<*xf32>>) -> () loc(#loc)
  }) : () -> () loc(#loc)
}) : () -> () loc(#loc)
