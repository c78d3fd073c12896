// tenon 0.1.0, a bug in the phase 'codegen'
// model: /tmp/cf2/chosen.onnx
// options: --target cpu -O2
// /tmp/cf2/chosen.onnx: node 'NonZero_9': internal error: kernel kernel_generic_3 could not be compiled for host: 'memref.alloc' op needs scratch: a temporary of type 'memref<1x?xi64>' has no bound
// What the phase was given:
#loc = loc("/tmp/cf2/chosen.onnx":0:0)
#loc1 = loc(unknown)
#map = affine_map<(d0) -> (d0)>
#map1 = affine_map<(d0) -> ()>
#map2 = affine_map<(d0, d1) -> (d0, d1)>
#map3 = affine_map<(d0, d1) -> (d0)>
#loc2 = loc("Sub_6"(#loc))
#loc3 = loc("Loop_4"(#loc))
#loc4 = loc("Greater_7"(#loc))
#loc5 = loc("Compress_8"(#loc))
#loc6 = loc("NonZero_9"(#loc))
#loc7 = loc("ReduceMax_10"(#loc))
#loc9 = loc("NonZero_5"(#loc))
#loc10 = loc("n"(#loc))
#loc11 = loc("x0"(#loc))
"builtin.module"() ({
  "plan.device"() <{sym_name = "device", target = "cpu:host"}> : () -> () loc(#loc)
  "plan.dimension"() <{min = 0 : i64, multiple = 1 : i64, sym_name = "k"}> : () -> () loc(#loc)
  "plan.kernel"() <{function_type = (tensor<?xf32>, index) -> tensor<?xf32>, sym_name = "kernel_generic", target = "cpu:host"}> ({
  ^bb0(%arg60: tensor<?xf32> loc("Loop_4"(#loc)), %arg61: index loc("Loop_4"(#loc))):
    %110 = "arith.constant"() <{value = 1.000000e+00 : f32}> : () -> f32 loc(#loc1)
    %111 = "tensor.empty"(%arg61) : (index) -> tensor<?xf32> loc(#loc2)
    %112 = "linalg.generic"(%arg60, %111) <{indexing_maps = [#map, #map], iterator_types = [#linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg62: f32 loc("Loop_4"(#loc)), %arg63: f32 loc("Sub_6"(#loc))):
      %113 = "arith.subf"(%arg62, %110) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32 loc(#loc2)
      "linalg.yield"(%113) : (f32) -> () loc(#loc2)
    }) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32> loc(#loc2)
    "plan.yield"(%112) : (tensor<?xf32>) -> () loc(#loc2)
  }) : () -> () loc(#loc2)
  "plan.kernel"() <{function_type = (tensor<?xf32>, index) -> tensor<?xi1>, sym_name = "kernel_generic_0", target = "cpu:host"}> ({
  ^bb0(%arg56: tensor<?xf32> loc("Loop_4"(#loc)), %arg57: index loc("Loop_4"(#loc))):
    %104 = "arith.constant"() <{value = 0.000000e+00 : f32}> : () -> f32 loc(#loc1)
    %105 = "arith.constant"() <{value = 1.000000e+00 : f32}> : () -> f32 loc(#loc1)
    %106 = "tensor.empty"(%arg57) : (index) -> tensor<?xi1> loc(#loc4)
    %107 = "linalg.generic"(%arg56, %106) <{indexing_maps = [#map, #map], iterator_types = [#linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg58: f32 loc("Loop_4"(#loc)), %arg59: i1 loc("Greater_7"(#loc))):
      %108 = "arith.subf"(%arg58, %105) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32 loc(#loc2)
      %109 = "arith.cmpf"(%104, %108) <{fastmath = #arith.fastmath<none>, predicate = 4 : i64}> : (f32, f32) -> i1 loc(#loc4)
      "linalg.yield"(%109) : (i1) -> () loc(#loc4)
    }) : (tensor<?xf32>, tensor<?xi1>) -> tensor<?xi1> loc(#loc4)
    "plan.yield"(%107) : (tensor<?xi1>) -> () loc(#loc4)
  }) : () -> () loc(#loc4)
  "plan.kernel"() <{function_type = (tensor<?xi1>) -> tensor<i64>, sym_name = "kernel_generic_1", target = "cpu:host"}> ({
  ^bb0(%arg51: tensor<?xi1> loc("Greater_7"(#loc))):
    %98 = "arith.constant"() <{value = 0 : i64}> : () -> i64 loc(#loc1)
    %99 = "tensor.empty"() : () -> tensor<i64> loc(#loc5)
    %100 = "linalg.fill"(%98, %99) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg54: i64 loc(unknown), %arg55: i64 loc(unknown)):
      "linalg.yield"(%arg54) : (i64) -> () loc(#loc1)
    }) : (i64, tensor<i64>) -> tensor<i64> loc(#loc5)
    %101 = "linalg.generic"(%arg51, %100) <{indexing_maps = [#map, #map1], iterator_types = [#linalg.iterator_type<reduction>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg52: i1 loc("Greater_7"(#loc)), %arg53: i64 loc("Compress_8"(#loc))):
      %102 = "arith.extui"(%arg52) : (i1) -> i64 loc(#loc5)
      %103 = "arith.addi"(%arg53, %102) <{overflowFlags = #arith.overflow<none>}> : (i64, i64) -> i64 loc(#loc5)
      "linalg.yield"(%103) : (i64) -> () loc(#loc5)
    }) : (tensor<?xi1>, tensor<i64>) -> tensor<i64> loc(#loc5)
    "plan.yield"(%101) : (tensor<i64>) -> () loc(#loc5)
  }) : () -> () loc(#loc5)
  "plan.kernel"() <{function_type = (tensor<?xi1>, index, index) -> tensor<?xi64>, sym_name = "kernel_for", target = "cpu:host"}> ({
  ^bb0(%arg45: tensor<?xi1> loc("Greater_7"(#loc)), %arg46: index loc("Loop_4"(#loc)), %arg47: index loc("Compress_8"(#loc))):
    %88 = "arith.constant"() <{value = 1 : index}> : () -> index loc(#loc1)
    %89 = "arith.constant"() <{value = 0 : index}> : () -> index loc(#loc1)
    %90 = "tensor.empty"(%arg47) : (index) -> tensor<?xi64> loc(#loc5)
    %91:2 = "scf.for"(%89, %arg46, %88, %89, %90) ({
    ^bb0(%arg48: index loc("Compress_8"(#loc)), %arg49: index loc("Compress_8"(#loc)), %arg50: tensor<?xi64> loc("Compress_8"(#loc))):
      %92 = "tensor.extract"(%arg45, %arg48) : (tensor<?xi1>, index) -> i1 loc(#loc5)
      %93 = "scf.if"(%92) ({
        %96 = "arith.index_cast"(%arg48) : (index) -> i64 loc(#loc5)
        %97 = "tensor.insert"(%96, %arg50, %arg49) : (i64, tensor<?xi64>, index) -> tensor<?xi64> loc(#loc5)
        "scf.yield"(%97) : (tensor<?xi64>) -> () loc(#loc5)
      }, {
        "scf.yield"(%arg50) : (tensor<?xi64>) -> () loc(#loc5)
      }) : (i1) -> tensor<?xi64> loc(#loc5)
      %94 = "arith.index_castui"(%92) : (i1) -> index loc(#loc5)
      %95 = "arith.addi"(%arg49, %94) <{overflowFlags = #arith.overflow<none>}> : (index, index) -> index loc(#loc5)
      "scf.yield"(%95, %93) : (index, tensor<?xi64>) -> () loc(#loc5)
    }) : (index, index, index, index, tensor<?xi64>) -> (index, tensor<?xi64>) loc(#loc5)
    "plan.yield"(%91#1) : (tensor<?xi64>) -> () loc(#loc5)
  }) : () -> () loc(#loc5)
  "plan.kernel"() <{function_type = (tensor<?xi64>, tensor<?xf32>, index) -> tensor<?xf32>, sym_name = "kernel_generic_2", target = "cpu:host"}> ({
  ^bb0(%arg41: tensor<?xi64> loc("Compress_8"(#loc)), %arg42: tensor<?xf32> loc("Sub_6"(#loc)), %arg43: index loc("Compress_8"(#loc))):
    %82 = "tensor.empty"(%arg43) : (index) -> tensor<?xf32> loc(#loc5)
    %83 = "linalg.generic"(%82) <{indexing_maps = [#map], iterator_types = [#linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 0, 1>}> ({
    ^bb0(%arg44: f32 loc("Compress_8"(#loc))):
      %84 = "linalg.index"() <{dim = 0 : i64}> : () -> index loc(#loc5)
      %85 = "tensor.extract"(%arg41, %84) : (tensor<?xi64>, index) -> i64 loc(#loc5)
      %86 = "arith.index_cast"(%85) : (i64) -> index loc(#loc5)
      %87 = "tensor.extract"(%arg42, %86) : (tensor<?xf32>, index) -> f32 loc(#loc5)
      "linalg.yield"(%87) : (f32) -> () loc(#loc5)
    }) : (tensor<?xf32>) -> tensor<?xf32> loc(#loc5)
    "plan.yield"(%83) : (tensor<?xf32>) -> () loc(#loc5)
  }) : () -> () loc(#loc5)
  "plan.kernel"() <{function_type = (tensor<?xi64>, index, index) -> tensor<1xi64>, sym_name = "kernel_generic_3", target = "cpu:host"}> ({
  ^bb0(%arg33: tensor<?xi64> loc("Compress_8"(#loc)), %arg34: index loc("Loop_4"(#loc)), %arg35: index loc("Compress_8"(#loc))):
    %70 = "arith.constant"() <{value = -9223372036854775808 : i64}> : () -> i64 loc(#loc1)
    %71 = "tensor.empty"(%arg35) : (index) -> tensor<1x?xi64> loc(#loc6)
    %72 = "linalg.generic"(%71) <{indexing_maps = [#map2], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 0, 1>}> ({
    ^bb0(%arg40: i64 loc("NonZero_9"(#loc))):
      %77 = "linalg.index"() <{dim = 1 : i64}> : () -> index loc(#loc6)
      %78 = "tensor.extract"(%arg33, %77) : (tensor<?xi64>, index) -> i64 loc(#loc6)
      %79 = "arith.index_cast"(%78) : (i64) -> index loc(#loc6)
      %80 = "arith.remui"(%79, %arg34) : (index, index) -> index loc(#loc6)
      %81 = "arith.index_cast"(%80) : (index) -> i64 loc(#loc6)
      "linalg.yield"(%81) : (i64) -> () loc(#loc6)
    }) : (tensor<1x?xi64>) -> tensor<1x?xi64> loc(#loc6)
    %73 = "tensor.empty"() : () -> tensor<1xi64> loc(#loc7)
    %74 = "linalg.fill"(%70, %73) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg38: i64 loc(unknown), %arg39: i64 loc(unknown)):
      "linalg.yield"(%arg38) : (i64) -> () loc(#loc1)
    }) : (i64, tensor<1xi64>) -> tensor<1xi64> loc(#loc7)
    %75 = "linalg.generic"(%72, %74) <{indexing_maps = [#map2, #map3], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<reduction>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg36: i64 loc("NonZero_9"(#loc)), %arg37: i64 loc("ReduceMax_10"(#loc))):
      %76 = "arith.maxsi"(%arg37, %arg36) : (i64, i64) -> i64 loc(#loc7)
      "linalg.yield"(%76) : (i64) -> () loc(#loc7)
    }) : (tensor<1x?xi64>, tensor<1xi64>) -> tensor<1xi64> loc(#loc7)
    "plan.yield"(%75) : (tensor<1xi64>) -> () loc(#loc6)
  }) : () -> () loc(#loc6)
  "plan.kernel"() <{function_type = (index) -> tensor<i64>, sym_name = "kernel_from_elements", target = "cpu:host"}> ({
  ^bb0(%arg32: index loc("Compress_8"(#loc))):
    %68 = "arith.index_castui"(%arg32) : (index) -> i64 loc(#loc5)
    %69 = "tensor.from_elements"(%68) : (i64) -> tensor<i64> loc(#loc8)
    "plan.yield"(%69) : (tensor<i64>) -> () loc(#loc8)
  }) : () -> () loc(#loc8)
  "plan.kernel"() <{function_type = (tensor<?xf32>) -> tensor<i64>, sym_name = "kernel_generic_4", target = "cpu:host"}> ({
  ^bb0(%arg27: tensor<?xf32> loc("Loop_4"(#loc))):
    %60 = "arith.constant"() <{value = 0 : i64}> : () -> i64 loc(#loc1)
    %61 = "arith.constant"() <{value = 0.000000e+00 : f32}> : () -> f32 loc(#loc1)
    %62 = "tensor.empty"() : () -> tensor<i64> loc(#loc9)
    %63 = "linalg.fill"(%60, %62) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg30: i64 loc(unknown), %arg31: i64 loc(unknown)):
      "linalg.yield"(%arg30) : (i64) -> () loc(#loc1)
    }) : (i64, tensor<i64>) -> tensor<i64> loc(#loc9)
    %64 = "linalg.generic"(%arg27, %63) <{indexing_maps = [#map, #map1], iterator_types = [#linalg.iterator_type<reduction>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg28: f32 loc("Loop_4"(#loc)), %arg29: i64 loc("NonZero_5"(#loc))):
      %65 = "arith.cmpf"(%arg28, %61) <{fastmath = #arith.fastmath<none>, predicate = 13 : i64}> : (f32, f32) -> i1 loc(#loc9)
      %66 = "arith.extui"(%65) : (i1) -> i64 loc(#loc9)
      %67 = "arith.addi"(%arg29, %66) <{overflowFlags = #arith.overflow<none>}> : (i64, i64) -> i64 loc(#loc9)
      "linalg.yield"(%67) : (i64) -> () loc(#loc9)
    }) : (tensor<?xf32>, tensor<i64>) -> tensor<i64> loc(#loc9)
    "plan.yield"(%64) : (tensor<i64>) -> () loc(#loc9)
  }) : () -> () loc(#loc9)
  "plan.kernel"() <{function_type = (tensor<?xf32>, index, index) -> tensor<?xi64>, sym_name = "kernel_for_5", target = "cpu:host"}> ({
  ^bb0(%arg21: tensor<?xf32> loc("Loop_4"(#loc)), %arg22: index loc("Loop_4"(#loc)), %arg23: index loc("NonZero_5"(#loc))):
    %48 = "arith.constant"() <{value = 0.000000e+00 : f32}> : () -> f32 loc(#loc1)
    %49 = "arith.constant"() <{value = 1 : index}> : () -> index loc(#loc1)
    %50 = "arith.constant"() <{value = 0 : index}> : () -> index loc(#loc1)
    %51 = "tensor.empty"(%arg23) : (index) -> tensor<?xi64> loc(#loc9)
    %52:2 = "scf.for"(%50, %arg22, %49, %50, %51) ({
    ^bb0(%arg24: index loc("NonZero_5"(#loc)), %arg25: index loc("NonZero_5"(#loc)), %arg26: tensor<?xi64> loc("NonZero_5"(#loc))):
      %53 = "tensor.extract"(%arg21, %arg24) : (tensor<?xf32>, index) -> f32 loc(#loc9)
      %54 = "arith.cmpf"(%53, %48) <{fastmath = #arith.fastmath<none>, predicate = 13 : i64}> : (f32, f32) -> i1 loc(#loc9)
      %55 = "scf.if"(%54) ({
        %58 = "arith.index_cast"(%arg24) : (index) -> i64 loc(#loc9)
        %59 = "tensor.insert"(%58, %arg26, %arg25) : (i64, tensor<?xi64>, index) -> tensor<?xi64> loc(#loc9)
        "scf.yield"(%59) : (tensor<?xi64>) -> () loc(#loc9)
      }, {
        "scf.yield"(%arg26) : (tensor<?xi64>) -> () loc(#loc9)
      }) : (i1) -> tensor<?xi64> loc(#loc9)
      %56 = "arith.index_castui"(%54) : (i1) -> index loc(#loc9)
      %57 = "arith.addi"(%arg25, %56) <{overflowFlags = #arith.overflow<none>}> : (index, index) -> index loc(#loc9)
      "scf.yield"(%57, %55) : (index, tensor<?xi64>) -> () loc(#loc9)
    }) : (index, index, index, index, tensor<?xi64>) -> (index, tensor<?xi64>) loc(#loc9)
    "plan.yield"(%52#1) : (tensor<?xi64>) -> () loc(#loc9)
  }) : () -> () loc(#loc9)
  "plan.kernel"() <{function_type = (tensor<?xi64>, index, index) -> tensor<1x?xi64>, sym_name = "kernel_generic_6", target = "cpu:host"}> ({
  ^bb0(%arg17: tensor<?xi64> loc("NonZero_5"(#loc)), %arg18: index loc("Loop_4"(#loc)), %arg19: index loc("NonZero_5"(#loc))):
    %41 = "tensor.empty"(%arg19) : (index) -> tensor<1x?xi64> loc(#loc9)
    %42 = "linalg.generic"(%41) <{indexing_maps = [#map2], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 0, 1>}> ({
    ^bb0(%arg20: i64 loc("NonZero_5"(#loc))):
      %43 = "linalg.index"() <{dim = 1 : i64}> : () -> index loc(#loc9)
      %44 = "tensor.extract"(%arg17, %43) : (tensor<?xi64>, index) -> i64 loc(#loc9)
      %45 = "arith.index_cast"(%44) : (i64) -> index loc(#loc9)
      %46 = "arith.remui"(%45, %arg18) : (index, index) -> index loc(#loc9)
      %47 = "arith.index_cast"(%46) : (index) -> i64 loc(#loc9)
      "linalg.yield"(%47) : (i64) -> () loc(#loc9)
    }) : (tensor<1x?xi64>) -> tensor<1x?xi64> loc(#loc9)
    "plan.yield"(%42) : (tensor<1x?xi64>) -> () loc(#loc9)
  }) : () -> () loc(#loc9)
  "func.func"() <{arg_attrs = [{plan.dims = [], plan.element = i64, plan.name = "n"}, {plan.dims = [@k], plan.element = f32, plan.name = "x0"}], function_type = (tensor<i64>, tensor<?xf32>) -> (tensor<?xf32>, tensor<?xi64>, tensor<?x1xi64>, tensor<1x?xi64>), res_attrs = [{plan.dims = [unit], plan.element = f32, plan.name = "last"}, {plan.dims = [unit], plan.element = i64, plan.name = "counts"}, {plan.dims = [unit, 1], plan.element = i64, plan.name = "farthests"}, {plan.dims = [1, unit], plan.element = i64, plan.name = "positions"}], sym_name = "main"}> ({
  ^bb0(%arg0: tensor<i64> loc("n"(#loc)), %arg1: tensor<?xf32> loc("x0"(#loc))):
    %0 = "arith.constant"() <{value = 0 : index}> : () -> index loc(#loc1)
    %1 = "arith.constant"() <{value = 1 : index}> : () -> index loc(#loc1)
    %2 = "arith.constant"() <{value = dense<> : tensor<0x1xi64>}> : () -> tensor<0x1xi64> loc(#loc3)
    %3 = "arith.constant"() <{value = dense<> : tensor<0xi64>}> : () -> tensor<0xi64> loc(#loc3)
    %4 = "arith.constant"() <{value = true}> : () -> i1 loc(#loc3)
    %5 = "arith.constant"() <{value = 2 : index}> : () -> index loc(#loc12)
    %6 = "tensor.extract"(%arg0) : (tensor<i64>) -> i64 loc(#loc3)
    %7 = "arith.index_cast"(%6) : (i64) -> index loc(#loc3)
    %8 = "plan.reshape"(%3, %0) : (tensor<0xi64>, index) -> tensor<?xi64> loc(#loc3)
    %9 = "plan.reshape"(%2, %0) : (tensor<0x1xi64>, index) -> tensor<?x1xi64> loc(#loc3)
    %10 = "plan.dim"() <{dimension = @k}> : () -> index loc(#loc3)
    %11:7 = "scf.while"(%0, %4, %arg1, %8, %9, %10, %0, %0) ({
    ^bb0(%arg9: index loc("Loop_4"(#loc)), %arg10: i1 loc("Loop_4"(#loc)), %arg11: tensor<?xf32> loc("x0"(#loc)), %arg12: tensor<?xi64> loc("Loop_4"(#loc)), %arg13: tensor<?x1xi64> loc("Loop_4"(#loc)), %arg14: index loc("Loop_4"(#loc)), %arg15: index loc("Loop_4"(#loc)), %arg16: index loc("Loop_4"(#loc))):
      %39 = "arith.cmpi"(%arg9, %7) <{predicate = 2 : i64}> : (index, index) -> i1 loc(#loc3)
      %40 = "arith.andi"(%39, %arg10) : (i1, i1) -> i1 loc(#loc3)
      "scf.condition"(%40, %arg9, %arg11, %arg12, %arg13, %arg14, %arg15, %arg16) : (i1, index, tensor<?xf32>, tensor<?xi64>, tensor<?x1xi64>, index, index, index) -> () loc(#loc3)
    }, {
    ^bb0(%arg2: index loc("Loop_4"(#loc)), %arg3: tensor<?xf32> loc("Loop_4"(#loc)), %arg4: tensor<?xi64> loc("Loop_4"(#loc)), %arg5: tensor<?x1xi64> loc("Loop_4"(#loc)), %arg6: index loc("Loop_4"(#loc)), %arg7: index loc("Loop_4"(#loc)), %arg8: index loc("Loop_4"(#loc))):
      %20 = "plan.sized"(%arg3, %arg6) : (tensor<?xf32>, index) -> tensor<?xf32> loc(#loc3)
      %21 = "plan.sized"(%arg4, %arg7) : (tensor<?xi64>, index) -> tensor<?xi64> loc(#loc3)
      %22 = "plan.sized"(%arg5, %arg8) : (tensor<?x1xi64>, index) -> tensor<?x1xi64> loc(#loc3)
      %23 = "plan.dispatch"(%20, %arg6, %arg6) <{device = @device, kernel = @kernel_generic, operandSegmentSizes = array<i32: 1, 1, 1>}> : (tensor<?xf32>, index, index) -> tensor<?xf32> loc(#loc2)
      %24 = "plan.dispatch"(%20, %arg6, %arg6) <{device = @device, kernel = @kernel_generic_0, operandSegmentSizes = array<i32: 1, 1, 1>}> : (tensor<?xf32>, index, index) -> tensor<?xi1> loc(#loc4)
      %25 = "plan.dispatch"(%24) <{device = @device, kernel = @kernel_generic_1, operandSegmentSizes = array<i32: 1, 0, 0>}> : (tensor<?xi1>) -> tensor<i64> loc(#loc5)
      %26 = "tensor.extract"(%25) : (tensor<i64>) -> i64 loc(#loc5)
      %27 = "arith.index_cast"(%26) : (i64) -> index loc(#loc5)
      %28 = "plan.dispatch"(%24, %arg6, %27, %27) <{device = @device, kernel = @kernel_for, operandSegmentSizes = array<i32: 1, 2, 1>}> : (tensor<?xi1>, index, index, index) -> tensor<?xi64> loc(#loc5)
      %29 = "plan.dispatch"(%28, %23, %27, %27) <{device = @device, kernel = @kernel_generic_2, operandSegmentSizes = array<i32: 2, 1, 1>}> : (tensor<?xi64>, tensor<?xf32>, index, index) -> tensor<?xf32> loc(#loc5)
      %30 = "plan.dispatch"(%28, %arg6, %27) <{device = @device, kernel = @kernel_generic_3, operandSegmentSizes = array<i32: 1, 2, 0>}> : (tensor<?xi64>, index, index) -> tensor<1xi64> loc(#loc6)
      %31 = "arith.index_castui"(%26) : (i64) -> index loc(#loc5)
      %32 = "plan.dispatch"(%31) <{device = @device, kernel = @kernel_from_elements, operandSegmentSizes = array<i32: 0, 1, 0>}> : (index) -> tensor<i64> loc(#loc8)
      %33 = "arith.cmpi"(%27, %5) <{predicate = 4 : i64}> : (index, index) -> i1 loc(#loc13)
      %34 = "arith.addi"(%arg2, %1) <{overflowFlags = #arith.overflow<none>}> : (index, index) -> index loc(#loc3)
      %35 = "plan.append"(%32, %21) : (tensor<i64>, tensor<?xi64>) -> tensor<?xi64> loc(#loc3)
      %36 = "plan.append"(%30, %22) : (tensor<1xi64>, tensor<?x1xi64>) -> tensor<?x1xi64> loc(#loc3)
      %37 = "arith.addi"(%arg7, %1) <{overflowFlags = #arith.overflow<none>}> : (index, index) -> index loc(#loc3)
      %38 = "arith.addi"(%arg8, %1) <{overflowFlags = #arith.overflow<none>}> : (index, index) -> index loc(#loc3)
      "scf.yield"(%34, %33, %29, %35, %36, %27, %37, %38) : (index, i1, tensor<?xf32>, tensor<?xi64>, tensor<?x1xi64>, index, index, index) -> () loc(#loc3)
    }) : (index, i1, tensor<?xf32>, tensor<?xi64>, tensor<?x1xi64>, index, index, index) -> (index, tensor<?xf32>, tensor<?xi64>, tensor<?x1xi64>, index, index, index) loc(#loc3)
    %12 = "plan.sized"(%11#1, %11#4) : (tensor<?xf32>, index) -> tensor<?xf32> loc(#loc3)
    %13 = "plan.sized"(%11#2, %11#5) : (tensor<?xi64>, index) -> tensor<?xi64> loc(#loc3)
    %14 = "plan.sized"(%11#3, %11#6) : (tensor<?x1xi64>, index) -> tensor<?x1xi64> loc(#loc3)
    %15 = "plan.dispatch"(%12) <{device = @device, kernel = @kernel_generic_4, operandSegmentSizes = array<i32: 1, 0, 0>}> : (tensor<?xf32>) -> tensor<i64> loc(#loc9)
    %16 = "tensor.extract"(%15) : (tensor<i64>) -> i64 loc(#loc9)
    %17 = "arith.index_cast"(%16) : (i64) -> index loc(#loc9)
    %18 = "plan.dispatch"(%12, %11#4, %17, %17) <{device = @device, kernel = @kernel_for_5, operandSegmentSizes = array<i32: 1, 2, 1>}> : (tensor<?xf32>, index, index, index) -> tensor<?xi64> loc(#loc9)
    %19 = "plan.dispatch"(%18, %11#4, %17, %17) <{device = @device, kernel = @kernel_generic_6, operandSegmentSizes = array<i32: 1, 2, 1>}> : (tensor<?xi64>, index, index, index) -> tensor<1x?xi64> loc(#loc9)
    "func.return"(%12, %13, %14, %19) : (tensor<?xf32>, tensor<?xi64>, tensor<?x1xi64>, tensor<1x?xi64>) -> () loc(#loc)
  }) : () -> () loc(#loc)
}) : () -> () loc(#loc)
#loc8 = loc("Size_11"(#loc))
#loc12 = loc("Constant_2"(#loc))
#loc13 = loc("Greater_12"(#loc))
