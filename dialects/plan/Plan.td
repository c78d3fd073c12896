// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Plan.td - the plan dialect ------------------------------*- tablegen -*-===//
//
// The frame around a model's operations: its dimension symbols, its weights (as
// symbols, never as bytes), its kernels and the dispatches that call them. The
// first three are there from import on; kernels appear when operations are fused.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECTS_PLAN_PLAN_TD
#define TENON_DIALECTS_PLAN_PLAN_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Plan_Dialect : Dialect {
  let name = "plan";
  let cppNamespace = "::tenon::plan";
  let summary = "dimension symbols, weights, kernels and their dispatches";
  let description = [{
    A model is a `func.func` whose arguments and results carry `plan.name` (the
    ONNX name), `plan.dims` (one entry per dimension: a `plan.dimension` symbol,
    an integer, or unit for a dynamic dimension without a name) and
    `plan.element` (the ONNX element type, with its signedness). A result may
    have `plan.in_place`: the number of the argument whose memory it may take.
    What is no tensor of numbers with a known rank is a `!plan.object`; then
    `plan.element` is the ONNX type (`!onnx.seq<tensor<?xf32>>`), and a tensor
    of strings has `plan.dims`, too.

    After fusion, its body consists of `plan.dispatch`, `plan.reshape`,
    `plan.reinterpret`, `plan.get_weight`, `plan.dim`, `tensor.dim` of arguments and scalar
    arithmetic alone, and of control flow over these, as `verify-plan` checks:
    `scf.if` and `scf.while`, whose tensors are `plan.sized` where they have
    dynamic dimensions, `plan.append`, and `arith.select` between tensors. All
    tensors between dispatches are dense and row-major. Objects are made and
    read by `plan.host` and by the operations around it; control flow hands them
    on as it does tensors; no kernel sees one.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 0;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

class Plan_Attr<string name, string attrMnemonic> : AttrDef<Plan_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def Plan_PackingAttr : Plan_Attr<"Packing", "packing"> {
  let summary = "how a weight is laid out for a kernel: the recipe of a linalg.pack";
  let description = [{
    Exactly the semantics of `linalg.pack` with a zero padding value: dimension
    `inner_dims_pos[i]` of the logical tensor is cut into tiles of
    `inner_tiles[i]` elements (the last one padded with zeros), the tile loops
    are permuted by `outer_dims_perm`, and the tiles become the innermost
    dimensions. No dimension is cut twice. An empty `outer_dims_perm` is the
    identity.
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t">:$inner_dims_pos,
    ArrayRefParameter<"int64_t">:$inner_tiles,
    OptionalArrayRefParameter<"int64_t">:$outer_dims_perm);
  let assemblyFormat = [{
    `<` `inner_dims_pos` `=` `[` $inner_dims_pos `]` `inner_tiles` `=` `[` $inner_tiles `]`
    (`outer_dims_perm` `=` `[` $outer_dims_perm^ `]`)? `>`
  }];
  let extraClassDeclaration = [{
    /// The type of `logical` after packing, or null where the recipe does not fit it.
    ::mlir::RankedTensorType packedType(::mlir::RankedTensorType logical) const;
  }];
}

class Plan_Op<string opMnemonic, list<Trait> traits = []> : Op<Plan_Dialect, opMnemonic, traits>;

//===----------------------------------------------------------------------===//
// Symbols
//===----------------------------------------------------------------------===//

def Plan_DimensionOp : Plan_Op<"dimension", [Symbol]> {
  let summary = "a named dynamic dimension of the model";
  let description = [{
    Every occurrence of one name in a signature is the same size in one run;
    the runtime checks that. `min`, `max` and `multiple` bound it and may be
    relied upon by every level below.

    An input with the dimension binds it. A name that only outputs have is a
    label: its size is known when the output is, so no `plan.dim` can ask for it.

    ```mlir
    plan.dimension @batch min 1 max 64
    plan.dimension @sequence min 1 multiple 8
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, DefaultValuedAttr<I64Attr, "0">:$min,
                       OptionalAttr<I64Attr>:$max, DefaultValuedAttr<I64Attr, "1">:$multiple);
  let assemblyFormat = "$sym_name (`min` $min^)? (`max` $max^)? (`multiple` $multiple^)? attr-dict";
  let hasVerifier = 1;
}

def Plan_DimOp : Plan_Op<"dim", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the size of a named dimension in the current run";
  let description = [{
    An argument of the enclosing function has the dimension in its `plan.dims`.
    Kernels take sizes as index arguments instead.

    ```mlir
    %n = plan.dim @batch : index
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$dimension);
  let results = (outs Index:$result);
  let assemblyFormat = "$dimension attr-dict `:` type($result)";
}

def Plan_WeightOp : Plan_Op<"weight", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a constant tensor whose bytes live in the weight table";
  let description = [{
    The bytes are found in the `WeightTable` of the compilation under the
    symbol's name. A packed weight names the logical weight it is made from and
    the recipe; its bytes come to be when the artifact is written.

    ```mlir
    plan.weight @w : tensor<768x768xf32>
    plan.weight @w.0 : tensor<24x768x32xf32> from @w
        #plan.packing<inner_dims_pos = [1] inner_tiles = [32] outer_dims_perm = [1, 0]>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyRankedTensor>:$type,
                       OptionalAttr<FlatSymbolRefAttr>:$source, OptionalAttr<Plan_PackingAttr>:$packing);
  let assemblyFormat = "$sym_name `:` $type (`from` $source^ $packing)? attr-dict";
  let hasVerifier = 1;
}

def Plan_GetWeightOp : Plan_Op<"get_weight", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the value of a weight";
  let description = [{
    ```mlir
    %w = plan.get_weight @w : tensor<768x768xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$weight);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$weight attr-dict `:` type($result)";
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

def Plan_KernelOp : Plan_Op<"kernel", [IsolatedFromAbove, FunctionOpInterface, Symbol]> {
  let summary = "one unit of work of a device: tensors in, tensors out";
  let description = [{
    Arguments are the tensors read, then the index values the body needs beyond
    the tensors' own sizes; the body yields the tensors written. A kernel has no
    other effect: what it uses of the model (weights, dimensions, other kernels'
    results) it is given. The machine calls it as

    ```c
    void kernel(void *const *buffers, const int64_t *sizes, int64_t group);
    ```

    with the tensor arguments and then the results in `buffers`; in `sizes`, for
    each of those tensors in order, each of its dynamic dimensions, then the
    index arguments; and `group` in [0, count). `count`, set when code is
    generated, is an affine map from `sizes` (as symbols) to one result.

    `strategy` pins how code is generated (tile sizes, instructions), so that
    the tuner and tests can choose it. Empty: the target chooses. `target` is
    that of the devices on which it is dispatched. An argument's `plan.packing`
    is how the target wants it laid out where it is a weight.

    ```mlir
    plan.kernel @double(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
      ...
      plan.yield %y : tensor<?x8xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs,
                       OptionalAttr<DictionaryAttr>:$strategy, OptionalAttr<AffineMapAttr>:$count,
                       OptionalAttr<StrAttr>:$target);
  let regions = (region MinSizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    /// The number of leading arguments that are tensors; the rest are indices.
    unsigned getNumTensorArguments();
    /// Number of entries in `sizes`: dynamic dimensions of arguments and results, then index arguments.
    unsigned getNumSizes();
    /// Position in `sizes` of dynamic dimension `dim` of tensor `tensor` (arguments first, then results).
    unsigned getSizePosition(unsigned tensor, unsigned dim);
  }];
}

def Plan_YieldOp : Plan_Op<"yield", [Pure, Terminator, ReturnLike, ParentOneOf<["KernelOp"]>]> {
  let summary = "the tensors that a kernel writes";
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def Plan_DispatchOp : Plan_Op<"dispatch", [Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "runs a kernel";
  let description = [{
    The operands fit the kernel's arguments: tensors in parentheses, indices in
    brackets. `result_dims` are the dynamic dimensions of the results, in order.
    After `on` stands the device, whose target is the kernel's.

    ```mlir
    %y = plan.dispatch @k(%x, %w)[%n] dims(%b, %s)
        : (tensor<?x?x384xf32>, tensor<384x384xf32>) -> tensor<?x?x384xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<AnyRankedTensor>:$inputs,
                       Variadic<Index>:$indices, Variadic<Index>:$result_dims,
                       OptionalAttr<FlatSymbolRefAttr>:$device);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let assemblyFormat = [{
    $kernel `(` $inputs `)` (`[` $indices^ `]`)? (`dims` `(` $result_dims^ `)`)? (`on` $device^)?
    attr-dict `:` functional-type($inputs, $outputs)
  }];
}

def Plan_ReshapeOp : Plan_Op<"reshape", [Pure, DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "the same bytes with another shape";
  let description = [{
    Costs nothing: between dispatches all tensors are dense and row-major.
    `dims` are the dynamic dimensions of the result. That both shapes hold the
    same number of elements is checked here where it is static, and by the
    program that is run where it depends on the data.
  }];
  let arguments = (ins AnyRankedTensor:$source, Variadic<Index>:$dims);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$source (`dims` `(` $dims^ `)`)? attr-dict `:` type($source) `to` type($result)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
  let hasVerifier = 1;
}

def Plan_ReinterpretOp : Plan_Op<"reinterpret", [Pure, DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "the same bytes as elements of another type";
  let description = [{
    Costs nothing, as `plan.reshape`. Elements of fewer than 8 bits lie packed,
    as ONNX packs them: without gaps, the first in the low bits, the last byte
    filled up with zeros. Such tensors are only the model's inputs, outputs and
    weights; everything else works on the bytes that this operation makes of
    them. `dims` are the dynamic dimensions of the result.

    ```mlir
    %bytes = plan.reinterpret %w : tensor<64x128xi4> to tensor<64x64xi8>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, Variadic<Index>:$dims);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$source (`dims` `(` $dims^ `)`)? attr-dict `:` type($source) `to` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Values that control flow carries
//===----------------------------------------------------------------------===//

def Plan_SizedOp : Plan_Op<"sized", [Pure, AllTypesMatch<["source", "result"]>,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "a tensor whose dynamic dimensions are these";
  let description = [{
    Branches and loops hand on tensors together with their sizes, as index
    values beside them; this says which belong together. Costs nothing, checks
    nothing.

    ```mlir
    %r:2 = scf.if %c -> (tensor<?xf32>, index) { ... }
    %y = plan.sized %r#0 dims(%r#1) : tensor<?xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, Variadic<Index>:$dims);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$source `dims` `(` $dims `)` attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Plan_AppendOp : Plan_Op<"append", [Pure,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "a tensor with one more row";
  let description = [{
    How a loop collects a value of each iteration. The result has the rows of
    `source` and then `row`; it takes over the memory of `source`, which nothing
    else may read any more, and grows it. That `row` has the sizes of the rows
    before it, where there are any, is checked when the program runs.
  }];
  let arguments = (ins AnyRankedTensor:$row, AnyRankedTensor:$source);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$row `to` $source attr-dict `:` type($row) `to` type($source) `->` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Values of the host
//===----------------------------------------------------------------------===//

def Plan_ObjectType : TypeDef<Plan_Dialect, "Object"> {
  let mnemonic = "object";
  let summary = "an immutable value of the host: strings, a sequence, an optional, a map, or a tensor of any rank";
}

def Plan_AbsentOp : Plan_Op<"absent", [Pure]> {
  let summary = "the input of a host function that the model leaves out";
  let results = (outs Plan_ObjectType:$result);
  let assemblyFormat = "attr-dict";
}

def Plan_StringsOp : Plan_Op<"strings", [Pure]> {
  let summary = "a constant tensor of strings";
  let description = [{
    ```mlir
    %names = plan.strings dense<["a", "b"]> : tensor<2x!onnx.string>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Plan_ObjectType:$result);
  let assemblyFormat = "$value attr-dict";
  let hasVerifier = 1;
}

def Plan_HostOp : Plan_Op<"host", [NoMemoryEffect]> {
  let summary = "a call of a host function";
  let description = [{
    The function gives the same results for the same inputs and attributes, and
    may end the run with an error: calls that nobody needs may be left out, but
    none is made where the model makes none. Attributes are integers, floats,
    strings, lists of these and tensors. lib/host has the functions.

    ```mlir
    %x = plan.host "sequence.at"(%list, %position) : (!plan.object, !plan.object) -> !plan.object
    ```
  }];
  let arguments = (ins StrAttr:$function, DefaultValuedAttr<I64Attr, "1">:$version,
                       Variadic<Plan_ObjectType>:$inputs, OptionalAttr<DictionaryAttr>:$parameters);
  let results = (outs Variadic<Plan_ObjectType>:$outputs);
  let assemblyFormat = [{
    $function (`version` $version^)? `(` $inputs `)` ($parameters^)? attr-dict-with-keyword
    `:` functional-type($inputs, $outputs)
  }];
  let hasVerifier = 1;
}

def Plan_WrapOp : Plan_Op<"wrap", [Pure]> {
  let summary = "a tensor as an object";
  let description = [{
    Copies it. `element` is the ONNX element type, with its signedness.

    ```mlir
    %o = plan.wrap %x as ui8 : tensor<?x4xi8>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, TypeAttr:$element);
  let results = (outs Plan_ObjectType:$result);
  let assemblyFormat = "$source `as` $element attr-dict `:` type($source)";
  let hasVerifier = 1;
}

def Plan_UnwrapOp : Plan_Op<"unwrap", [NoMemoryEffect,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "an object that is a tensor, as one";
  let description = [{
    That it is a tensor of `element`, of the rank and the static sizes of the
    result is checked when the program runs. Besides the tensor it gives its
    dynamic dimensions. Copies nothing.

    ```mlir
    %x, %n = plan.unwrap %o as ui8 : tensor<?x4xi8>, index
    ```
  }];
  let arguments = (ins Plan_ObjectType:$source, TypeAttr:$element);
  let results = (outs AnyRankedTensor:$tensor, Variadic<Index>:$dims);
  let assemblyFormat = "$source `as` $element attr-dict `:` type(results)";
  let hasVerifier = 1;
}

def Plan_ObjectDimOp : Plan_Op<"object_dim", [NoMemoryEffect]> {
  let summary = "a dimension of an object that is a tensor of `rank` axes";
  let arguments = (ins Plan_ObjectType:$source, TypeAttr:$element, I64Attr:$rank, I64Attr:$axis);
  let results = (outs Index:$result);
  let assemblyFormat = "$source `as` $element `axis` $axis `of` $rank attr-dict";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

def Plan_DeviceOp : Plan_Op<"device", [Symbol]> {
  let summary = "a device that the program uses";
  let description = [{
    `target` is a target's name with its chip, as users write it: `cpu:x86-64-v3`.
    The first device of a module holds the model's inputs and outputs.

    ```mlir
    plan.device @cpu "cpu:x86-64-v3"
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$target);
  let assemblyFormat = "$sym_name $target attr-dict";
}

def Plan_TransferOp : Plan_Op<"transfer", [Pure, SameOperandsAndResultType,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a copy of a tensor on another device";
  let description = [{
    ```mlir
    %y = plan.transfer %x to @gpu : tensor<?x8xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, FlatSymbolRefAttr:$device);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$source `to` $device attr-dict `:` type($source)";
}

#endif // TENON_DIALECTS_PLAN_PLAN_TD
