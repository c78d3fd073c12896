// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Nn.td - the nn dialect ----------------------------------*- tablegen -*-===//
//
// Whole operations of neural networks that deserve a kernel of their own, between
// the operators of a model format above and loops over tensors below.
//
// All are pure functions of tensors. Each implements linalg's
// AggregatedOpInterface: `decomposeOperation` rewrites it into linalg, tensor,
// arith and math. That is its meaning (the -O0 reference) and what a target that
// declines the operation gets.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECTS_NN_NN_TD
#define TENON_DIALECTS_NN_NN_TD

include "mlir/Dialect/Linalg/IR/LinalgInterfaces.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Dialect
//===----------------------------------------------------------------------===//

def Nn_Dialect : Dialect {
  let name = "nn";
  let cppNamespace = "::tenon::nn";
  let summary = "whole operations of neural networks: convolution, pooling, normalisation, attention";
  let description = [{
    Operations on tensors of signless elements, without side effects, that stay whole until a target claims them or
    they are decomposed into `linalg`.

    Sums are accumulated in f32 where the elements are narrower floats, and in the element type otherwise; the order of
    summation is not specified. A bias or an activation is an elementwise `linalg.generic` that follows the operation, so
    that there is one way to fuse an epilogue. (Softmax is `linalg.softmax`, matrix products are `linalg` contractions.)
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

def Nn_Layout : I32EnumAttr<"Layout", "where a tensor's channels stand", [
    I32EnumAttrCase<"ChannelsFirst", 0, "channels_first">,
    I32EnumAttrCase<"ChannelsLast", 1, "channels_last">]> {
  let cppNamespace = "::tenon::nn";
  let genSpecializedAttr = 0;
}
def Nn_LayoutAttr : EnumAttr<Nn_Dialect, Nn_Layout, "layout"> {
  let description = [{
    `channels_first` is `[N, C, spatial...]`, `channels_last` is `[N, spatial..., C]`.
  }];
}

def Nn_PoolKind : I32EnumAttr<"PoolKind", "how a window becomes one element", [
    I32EnumAttrCase<"Max", 0, "max">,
    I32EnumAttrCase<"Average", 1, "average">]> {
  let cppNamespace = "::tenon::nn";
  let genSpecializedAttr = 0;
}
def Nn_PoolKindAttr : EnumAttr<Nn_Dialect, Nn_PoolKind, "pool_kind">;

def Nn_NormalizeKind : I32EnumAttr<"NormalizeKind", "what a row is divided by", [
    I32EnumAttrCase<"Layer", 0, "layer">,
    I32EnumAttrCase<"Rms", 1, "rms">]> {
  let cppNamespace = "::tenon::nn";
  let genSpecializedAttr = 0;
}
def Nn_NormalizeKindAttr : EnumAttr<Nn_Dialect, Nn_NormalizeKind, "normalize_kind">;

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

def Nn_Element : AnyTypeOf<[AnyFloat, AnySignlessInteger]>;
def Nn_Tensor : RankedTensorOf<[Nn_Element]>;
def Nn_FloatTensor : RankedTensorOf<[AnyFloat]>;
def Nn_MaskTensor : RankedTensorOf<[I1, AnyFloat]>;

class Nn_Op<string opMnemonic, list<Trait> traits = []> : Op<Nn_Dialect, opMnemonic, !listconcat([
    Pure, AggregatedOpInterface,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>], traits)> {
  let hasVerifier = 1;
  // Upstream's declaration of the interface's method names its types as one can only inside of namespace mlir.
  code decomposition = [{
    /// What the operation means, in linalg, tensor, arith and math: one value for the result.
    ::mlir::FailureOr<::llvm::SmallVector<::mlir::Value>> decomposeOperation(::mlir::OpBuilder &builder);
  }];
  let extraClassDeclaration = decomposition;
}

// An operation that slides a window over 1 to 3 spatial dimensions. The arrays have one entry per spatial dimension;
// `pads` has the beginnings of all of them and then the ends.
class Nn_WindowOp<string opMnemonic> : Nn_Op<opMnemonic> {
  code windowDeclarations = decomposition # [{
    /// The number of spatial dimensions: 1, 2 or 3.
    int64_t getSpatialRank() { return getInput().getType().getRank() - 2; }
    /// Where spatial dimension `dim` stands in the input and in the result.
    int64_t getSpatialPosition(int64_t dim) { return dim + (isChannelsLast() ? 1 : 2); }
    /// Where the channels stand in the input and in the result.
    int64_t getChannelPosition() { return isChannelsLast() ? getInput().getType().getRank() - 1 : 1; }
    bool isChannelsLast() { return getLayout() == ::tenon::nn::Layout::ChannelsLast; }
    ::llvm::ArrayRef<int64_t> getPadsBegin() { return getPads().take_front(getSpatialRank()); }
    ::llvm::ArrayRef<int64_t> getPadsEnd() { return getPads().drop_front(getSpatialRank()); }
    bool hasPads() { return ::llvm::any_of(getPads(), [](int64_t pad) { return pad != 0; }); }
  }];
  let extraClassDeclaration = windowDeclarations;
}

def Nn_ConvOp : Nn_WindowOp<"conv"> {
  let summary = "convolution over 1 to 3 spatial dimensions, with groups";
  let description = [{
    The input is `[N, C, spatial...]` or `[N, spatial..., C]` as `layout` says, and so is the result with O channels. The
    filter is `[O, C / groups, kernel...]` in both layouts: how it is stored is decided when weights are packed. Each
    spatial dimension of the result is

        (in + begin + end - (dilation * (kernel - 1) + 1)) floordiv stride + 1

    where positions outside the input read as zero. Output channel `o` reads the input channels of group
    `o floordiv (O / groups)`. The kernel's spatial sizes are static, and with more than one group so are the channels.
    Elements are floats of one type, or integers, which are sign-extended to the result's type.

    ```mlir
    %y = nn.conv channels_first %x, %w strides = [2, 2] dilations = [1, 1] pads = [3, 3, 3, 3] groups = 1
        : (tensor<?x3x224x224xf32>, tensor<64x3x7x7xf32>) -> tensor<?x64x112x112xf32>
    ```
  }];
  let arguments = (ins Nn_LayoutAttr:$layout, Nn_Tensor:$input, Nn_Tensor:$filter, DenseI64ArrayAttr:$strides,
                       DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads, I64Attr:$groups);
  let results = (outs Nn_Tensor:$result);
  let assemblyFormat = [{
    $layout $input `,` $filter `strides` `=` $strides `dilations` `=` $dilations `pads` `=` $pads `groups` `=` $groups
    attr-dict `:` functional-type(operands, results)
  }];
  // Infers the result's type; the element type is the input's.
  let builders = [OpBuilder<(ins "::tenon::nn::Layout":$layout, "::mlir::Value":$input, "::mlir::Value":$filter,
      "::llvm::ArrayRef<int64_t>":$strides, "::llvm::ArrayRef<int64_t>":$dilations, "::llvm::ArrayRef<int64_t>":$pads,
      "int64_t":$groups)>];
  let extraClassDeclaration = windowDeclarations # [{
    /// The kernel's size along spatial dimension `dim`.
    int64_t getKernel(int64_t dim) { return getFilter().getType().getDimSize(dim + 2); }
    /// One input channel and one output channel per group: nothing is summed over channels.
    bool isDepthwise();
    /// The result's shape, with dynamic sizes where the operands' are.
    static ::llvm::SmallVector<int64_t> inferResultShape(::tenon::nn::Layout layout,
        ::mlir::RankedTensorType input, ::mlir::RankedTensorType filter, ::llvm::ArrayRef<int64_t> strides,
        ::llvm::ArrayRef<int64_t> dilations, ::llvm::ArrayRef<int64_t> pads);
  }];
}

def Nn_ConvTransposeOp : Nn_WindowOp<"conv_transpose"> {
  let summary = "transposed convolution (the gradient of a convolution with respect to its input)";
  let description = [{
    Input and result as for `nn.conv`. The filter is `[C, O / groups, kernel...]` in both layouts. Each element of the
    input adds the filter, scaled, to a window of the result that moves by `strides`; `pads` cuts the result at its
    borders and `output_pads` extends its ends. Each spatial dimension of the result is

        stride * (in - 1) + output_pad + (dilation * (kernel - 1) + 1) - begin - end

    ```mlir
    %y = nn.conv_transpose channels_last %x, %w strides = [2, 2] dilations = [1, 1] pads = [0, 0, 0, 0]
        output_pads = [0, 0] groups = 1 : (tensor<1x16x16x64xf32>, tensor<64x32x2x2xf32>) -> tensor<1x32x32x32xf32>
    ```
  }];
  let arguments = (ins Nn_LayoutAttr:$layout, Nn_FloatTensor:$input, Nn_FloatTensor:$filter, DenseI64ArrayAttr:$strides,
                       DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$output_pads,
                       I64Attr:$groups);
  let results = (outs Nn_FloatTensor:$result);
  let assemblyFormat = [{
    $layout $input `,` $filter `strides` `=` $strides `dilations` `=` $dilations `pads` `=` $pads
    `output_pads` `=` $output_pads `groups` `=` $groups attr-dict `:` functional-type(operands, results)
  }];
  let builders = [OpBuilder<(ins "::tenon::nn::Layout":$layout, "::mlir::Value":$input, "::mlir::Value":$filter,
      "::llvm::ArrayRef<int64_t>":$strides, "::llvm::ArrayRef<int64_t>":$dilations, "::llvm::ArrayRef<int64_t>":$pads,
      "::llvm::ArrayRef<int64_t>":$outputPads, "int64_t":$groups)>];
  let extraClassDeclaration = windowDeclarations # [{
    /// The kernel's size along spatial dimension `dim`.
    int64_t getKernel(int64_t dim) { return getFilter().getType().getDimSize(dim + 2); }
    /// The result's shape, with dynamic sizes where the operands' are.
    static ::llvm::SmallVector<int64_t> inferResultShape(::tenon::nn::Layout layout,
        ::mlir::RankedTensorType input, ::mlir::RankedTensorType filter, ::llvm::ArrayRef<int64_t> strides,
        ::llvm::ArrayRef<int64_t> dilations, ::llvm::ArrayRef<int64_t> pads, ::llvm::ArrayRef<int64_t> outputPads,
        int64_t groups);
  }];
}

def Nn_PoolOp : Nn_WindowOp<"pool"> {
  let summary = "maximum or average over a sliding window, per channel";
  let description = [{
    Spatial dimensions of the result as for `nn.conv`. Positions outside the input take no part, save that with
    `count_include_pad` an average divides by the window's full size. A maximum over a window that holds a NaN is NaN;
    integers (maximum only) are signed.

    ```mlir
    %y = nn.pool max channels_last %x kernel = [3, 3] strides = [2, 2] dilations = [1, 1] pads = [1, 1, 1, 1]
        : (tensor<1x112x112x64xf32>) -> tensor<1x56x56x64xf32>
    ```
  }];
  let arguments = (ins Nn_PoolKindAttr:$kind, Nn_LayoutAttr:$layout, Nn_Tensor:$input, DenseI64ArrayAttr:$kernel,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads,
                       UnitAttr:$count_include_pad);
  let results = (outs Nn_Tensor:$result);
  let assemblyFormat = [{
    $kind $layout $input `kernel` `=` $kernel `strides` `=` $strides `dilations` `=` $dilations `pads` `=` $pads
    (`count_include_pad` $count_include_pad^)? attr-dict `:` functional-type(operands, results)
  }];
  let builders = [OpBuilder<(ins "::tenon::nn::PoolKind":$kind, "::tenon::nn::Layout":$layout, "::mlir::Value":$input,
      "::llvm::ArrayRef<int64_t>":$kernel, "::llvm::ArrayRef<int64_t>":$strides, "::llvm::ArrayRef<int64_t>":$dilations,
      "::llvm::ArrayRef<int64_t>":$pads, CArg<"bool", "false">:$countIncludePad)>];
  let extraClassDeclaration = windowDeclarations # [{
    /// The result's shape, with dynamic sizes where the input's are.
    static ::llvm::SmallVector<int64_t> inferResultShape(::tenon::nn::Layout layout,
        ::mlir::RankedTensorType input, ::llvm::ArrayRef<int64_t> kernel, ::llvm::ArrayRef<int64_t> strides,
        ::llvm::ArrayRef<int64_t> dilations, ::llvm::ArrayRef<int64_t> pads);
  }];
}

def Nn_NormalizeOp : Nn_Op<"normalize", [AttrSizedOperandSegments]> {
  let summary = "layer or root-mean-square normalisation over trailing dimensions";
  let description = [{
    Over the dimensions from `axis` on (a row):

        layer:  (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * scale + bias
        rms:    x / sqrt(mean(x^2) + epsilon) * scale + bias

    computed in f32, or in f64 where the input is. `scale` and `bias` are aligned with the input's trailing dimensions,
    where each of their sizes equals the input's or is 1; they have the result's element type. (Instance and group
    normalisation are this with a scale of shape `[C, 1, 1]`.)

    ```mlir
    %y = nn.normalize layer %x axis = 2 epsilon = 1.0e-12 scale(%s : tensor<384xf32>) bias(%b : tensor<384xf32>)
        : tensor<?x?x384xf32> -> tensor<?x?x384xf32>
    ```
  }];
  let arguments = (ins Nn_NormalizeKindAttr:$kind, Nn_FloatTensor:$input, Optional<Nn_FloatTensor>:$scale,
                       Optional<Nn_FloatTensor>:$bias, I64Attr:$axis, F32Attr:$epsilon);
  let results = (outs Nn_FloatTensor:$result);
  let assemblyFormat = [{
    $kind $input `axis` `=` $axis `epsilon` `=` $epsilon (`scale` `(` $scale^ `:` type($scale) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)? attr-dict `:` type($input) `->` type($result)
  }];
}

def Nn_AttentionOp : Nn_Op<"attention", [AttrSizedOperandSegments]> {
  let summary = "softmax(query * key^T * scale + mask) * value, per head";
  let description = [{
    Query is `[B, H, S, D]`, key `[B, K, T, D]`, value `[B, K, T, E]`, the result `[B, H, S, E]`. H is a multiple of K:
    query head `h` uses key and value head `h floordiv (H / K)`; where they differ both are static. The score of query
    `i` and key `j` is

        s = scale * dot(query[i], key[j])
        s = softcap * tanh(s / softcap)               where softcap is not 0
        s = s + mask[i, j], or -inf where a boolean mask is false
        s = -inf where j > i + causal_offset          where `causal`; the offset is 0 when absent

    and scores and their softmax are computed in f32 (f64 where the query is). The mask is aligned with the trailing
    dimensions of `[B, H, S, T]`, each of its sizes being equal or 1. A query whose keys are all hidden yields zeros.

    ```mlir
    %y = nn.attention %q, %k, %v scale = 0.125 mask(%m : tensor<?x1x1x?xf32>) causal offset(%past)
        : (tensor<?x12x?x64xf32>, tensor<?x12x?x64xf32>, tensor<?x12x?x64xf32>) -> tensor<?x12x?x64xf32>
    ```
  }];
  let arguments = (ins Nn_FloatTensor:$query, Nn_FloatTensor:$key, Nn_FloatTensor:$value, Optional<Nn_MaskTensor>:$mask,
                       Optional<Index>:$causal_offset, F32Attr:$scale, DefaultValuedAttr<F32Attr, "0.0f">:$softcap,
                       UnitAttr:$causal);
  let results = (outs Nn_FloatTensor:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value `scale` `=` $scale (`softcap` `=` $softcap^)? (`mask` `(` $mask^ `:` type($mask) `)`)?
    (`causal` $causal^)? (`offset` `(` $causal_offset^ `)`)?
    attr-dict `:` `(` type($query) `,` type($key) `,` type($value) `)` `->` type($result)
  }];
}

#endif // TENON_DIALECTS_NN_NN_TD
