// RUN: tenon-opt %s --lower-onnx --canonicalize --cse --verify-each | FileCheck %s

// CHECK-LABEL: @simple
// CHECK: linalg.transpose {{.*}} permutation = [1, 0]
// CHECK: tensor.concat dim(0) %{{.*}}, %{{.*}} : (tensor<6x4xf32>, tensor<2x4xf32>) -> tensor<8x4xf32>
func.func @simple(%x: tensor<4x6xf32>, %y: tensor<2x4xf32>) -> tensor<8x4xf32> {
  %0 = onnx.Transpose %x : (tensor<4x6xf32>) -> tensor<6x4xf32>
  %1 = onnx.Concat %0, %y {axis = -2 : i64} : (tensor<6x4xf32>, tensor<2x4xf32>) -> tensor<8x4xf32>
  return %1 : tensor<8x4xf32>
}

// Positions count from the end and are limited.
// CHECK-LABEL: @slice
// CHECK: tensor.extract_slice %{{.*}}[2, 0] [2, 3] [1, 2] : tensor<4x6xf32> to tensor<2x3xf32>
func.func @slice(%x: tensor<4x6xf32>) -> tensor<2x3xf32> {
  %starts = onnx.Constant {value = dense<[-2, 0]> : tensor<2xi64>}
  %ends = onnx.Constant {value = dense<[9223372036854775807, 6]> : tensor<2xi64>}
  %axes = onnx.Constant {value = dense<[0, 1]> : tensor<2xi64>}
  %steps = onnx.Constant {value = dense<[1, 2]> : tensor<2xi64>}
  %0 = onnx.Slice %x, %starts, %ends, %axes, %steps : (tensor<4x6xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: @reverse
// CHECK-NOT: tensor.extract_slice
// CHECK: linalg.index 0
// CHECK: %[[I:.*]] = arith.subi %c3, %{{.*}}
// CHECK: tensor.extract %arg0[%[[I]]]
func.func @reverse(%x: tensor<4xf32>) -> tensor<4xf32> {
  %none = onnx.NoValue
  %start = onnx.Constant {value = dense<-1> : tensor<1xi64>}
  %end = onnx.Constant {value = dense<-9223372036854775808> : tensor<1xi64>}
  %axis = onnx.Constant {value = dense<0> : tensor<1xi64>}
  %0 = onnx.Slice %x, %start, %end, %axis, %start : (tensor<4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// A table cut to the length of a sequence meets the sequence: in a valid run the cut has its length.
plan.dimension @sequence min 1
// CHECK-LABEL: @table
// CHECK: %[[S:.*]] = plan.dim @sequence
// CHECK: %[[N:.*]] = arith.minsi %[[S]], %c512
// CHECK: tensor.extract_slice %{{.*}}[0, 0] [%[[N]], 8] [1, 1]
// CHECK: tensor.empty(%[[S]])
// CHECK: tensor.extract
// CHECK: arith.addf
func.func @table(%x: tensor<?x8xf32> {plan.dims = [@sequence, 8]}, %t: tensor<512x8xf32>) -> tensor<?x8xf32> {
  %none = onnx.NoValue
  %zero = onnx.Constant {value = dense<0> : tensor<1xi64>}
  %s = plan.dim @sequence : index
  %i = arith.index_cast %s : index to i64
  %end = tensor.from_elements %i : tensor<1xi64>
  %0 = onnx.Slice %t, %zero, %end, %zero, %none : (tensor<512x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x8xf32>
  %1 = onnx.Add %x, %0 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// The last of unequal parts is the shorter.
// CHECK-LABEL: @split
// CHECK: tensor.extract_slice %{{.*}}[0] [3] [1]
// CHECK: tensor.extract_slice %{{.*}}[3] [3] [1]
// CHECK: tensor.extract_slice %{{.*}}[6] [1] [1]
func.func @split(%x: tensor<7xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<1xf32>) {
  %none = onnx.NoValue
  %0:3 = onnx.Split %x, %none {num_outputs = 3 : i64} : (tensor<7xf32>, none) -> (tensor<3xf32>, tensor<3xf32>, tensor<1xf32>)
  return %0#0, %0#1, %0#2 : tensor<3xf32>, tensor<3xf32>, tensor<1xf32>
}

// CHECK-LABEL: @repeat
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<4xf32>) outs(%{{.*}} : tensor<3x4xf32>)
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x4xf32>)
// CHECK: tensor.collapse_shape %{{.*}} : tensor<2x4xf32> into tensor<8xf32>
func.func @repeat(%x: tensor<4xf32>) -> (tensor<3x4xf32>, tensor<8xf32>) {
  %shape = onnx.Constant {value = dense<[3, 1]> : tensor<2xi64>}
  %two = onnx.Constant {value = dense<2> : tensor<1xi64>}
  %0 = onnx.Expand %x, %shape : (tensor<4xf32>, tensor<2xi64>) -> tensor<3x4xf32>
  %1 = onnx.Tile %x, %two : (tensor<4xf32>, tensor<1xi64>) -> tensor<8xf32>
  return %0, %1 : tensor<3x4xf32>, tensor<8xf32>
}

// CHECK-LABEL: @pad
// CHECK: tensor.pad %{{.*}} low[1] high[2]
// CHECK: linalg.generic
// CHECK: arith.maxsi
// CHECK: tensor.extract
func.func @pad(%x: tensor<4xf32>) -> (tensor<7xf32>, tensor<7xf32>) {
  %none = onnx.NoValue
  %pads = onnx.Constant {value = dense<[1, 2]> : tensor<2xi64>}
  %0 = onnx.Pad %x, %pads, %none, %none : (tensor<4xf32>, tensor<2xi64>, none, none) -> tensor<7xf32>
  %1 = onnx.Pad %x, %pads, %none, %none {mode = "edge"} : (tensor<4xf32>, tensor<2xi64>, none, none) -> tensor<7xf32>
  return %0, %1 : tensor<7xf32>, tensor<7xf32>
}

// CHECK-LABEL: @depth
// CHECK: plan.reshape %{{.*}} : tensor<1x8x2x3xf32> to tensor<1x2x2x2x2x3xf32>
// CHECK: linalg.transpose {{.*}} permutation = [0, 3, 4, 1, 5, 2]
// CHECK: plan.reshape %{{.*}} to tensor<1x2x4x6xf32>
func.func @depth(%x: tensor<1x8x2x3xf32>) -> tensor<1x2x4x6xf32> {
  %0 = onnx.DepthToSpace %x {blocksize = 2 : i64} : (tensor<1x8x2x3xf32>) -> tensor<1x2x4x6xf32>
  return %0 : tensor<1x2x4x6xf32>
}

// Many pieces are put together in steps.
// CHECK-LABEL: @concat_many
// CHECK: %[[FIRST:.*]] = tensor.concat dim(1) %arg0,
// CHECK-SAME: -> tensor<?x64xf32>
// CHECK: tensor.concat dim(1) %[[FIRST]], %arg32
func.func @concat_many(%a0: tensor<?x2xf32>, %a1: tensor<?x2xf32>, %a2: tensor<?x2xf32>, %a3: tensor<?x2xf32>, %a4: tensor<?x2xf32>, %a5: tensor<?x2xf32>, %a6: tensor<?x2xf32>, %a7: tensor<?x2xf32>, %a8: tensor<?x2xf32>, %a9: tensor<?x2xf32>, %a10: tensor<?x2xf32>, %a11: tensor<?x2xf32>, %a12: tensor<?x2xf32>, %a13: tensor<?x2xf32>, %a14: tensor<?x2xf32>, %a15: tensor<?x2xf32>, %a16: tensor<?x2xf32>, %a17: tensor<?x2xf32>, %a18: tensor<?x2xf32>, %a19: tensor<?x2xf32>, %a20: tensor<?x2xf32>, %a21: tensor<?x2xf32>, %a22: tensor<?x2xf32>, %a23: tensor<?x2xf32>, %a24: tensor<?x2xf32>, %a25: tensor<?x2xf32>, %a26: tensor<?x2xf32>, %a27: tensor<?x2xf32>, %a28: tensor<?x2xf32>, %a29: tensor<?x2xf32>, %a30: tensor<?x2xf32>, %a31: tensor<?x2xf32>, %a32: tensor<?x2xf32>) -> tensor<?x66xf32> {
  %y = onnx.Concat %a0, %a1, %a2, %a3, %a4, %a5, %a6, %a7, %a8, %a9, %a10, %a11, %a12, %a13, %a14, %a15, %a16, %a17, %a18, %a19, %a20, %a21, %a22, %a23, %a24, %a25, %a26, %a27, %a28, %a29, %a30, %a31, %a32 {axis = 1 : i64} : (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x66xf32>
  return %y : tensor<?x66xf32>
}
