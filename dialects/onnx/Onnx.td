// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The onnx dialect: what an imported model is made of. Everything that is not an operator of the ONNX standard stands
// here by hand; the operators themselves are in OnnxGenerated.td, which generate_ops.cpp prints at build time from the
// ONNX library's schema registry (newest version of each operator, keyed by domain and name).
//
// The one convention to know: an op always has *all* formal operands and results of its schema. An absent optional
// operand is the `none` value of onnx.NoValue, an unused optional result has type `none`. So accessors never shift
// (`conv.getB()` always exists) and no operand segments are needed.

#ifndef TENON_DIALECTS_ONNX
#define TENON_DIALECTS_ONNX

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/CommonAttrConstraints.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Dialect
//===----------------------------------------------------------------------===//

def Onnx_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::tenon::onnx";
  let summary = "the operators of ONNX, newest version only";
  let description = [{
    One operation per operator of the ONNX standard: `onnx.Conv` for the default domain, `onnx.ml.TreeEnsemble` for
    `ai.onnx.ml`, `onnx.preview.FlexAttention` and `onnx.preview.training.Adam` for the preview domains. Operators of
    any other domain are `onnx.Custom`.

    Element types: signed integers are signless `iN`, unsigned ones `uiN`, `bool` is `i1`, floats and complex numbers
    are MLIR's, strings are `!onnx.string`. Values are ranked or unranked tensors of these, `!onnx.seq<T>`,
    `!onnx.opt<T>`, `!onnx.map<K, V>`, `none` (absent) or `!onnx.unknown` (the importer could not infer the type, which
    happens only downstream of an `onnx.Custom`).

    Attributes with a default in the schema need not be present; the accessor returns the default. Subgraphs are
    regions of one block that ends in `onnx.Return`; values of the enclosing graph may be used inside.

    The operators are generated from the ONNX library's schemas when Tenon is built, and so is their page:
    `build/tenon/dialects/onnx/operators.md`.
  }];
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 1;
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

class Onnx_Type<string name, string typeMnemonic> : TypeDef<Onnx_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def Onnx_StringType : Onnx_Type<"String", "string"> {
  let summary = "a string, as the element of a tensor: tensor<4x!onnx.string>";
}

def Onnx_SequenceType : Onnx_Type<"Sequence", "seq"> {
  let summary = "a sequence of values of one type: !onnx.seq<tensor<?xf32>>";
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

def Onnx_OptionalType : Onnx_Type<"Optional", "opt"> {
  let summary = "a tensor or a sequence that may be missing at run time: !onnx.opt<tensor<?xf32>>";
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

def Onnx_MapType : Onnx_Type<"Map", "map"> {
  let summary = "a map from an integer or string to a tensor: !onnx.map<i64, tensor<f32>>";
  let parameters = (ins "::mlir::Type":$keyType, "::mlir::Type":$valueType);
  let assemblyFormat = "`<` $keyType `,` $valueType `>`";
}

def Onnx_UnknownType : Onnx_Type<"Unknown", "unknown"> {
  let summary = "the type of a value whose producer the importer does not know";
}

//===----------------------------------------------------------------------===//
// Constraints
//===----------------------------------------------------------------------===//

// A formal parameter's type set. Each mask has one bit per element type, numbered as onnx::ElementKind in Onnx.h:
// for tensors, sequences of tensors, optional tensors and optional sequences of tensors; `maps` has one bit per key type.
class Onnx_Value<int tensors, int sequences, int optionals, int optionalSequences, int maps, int mapSequences, string text>
    : Type<CPred<"::tenon::onnx::detail::isValue($_self, {" # tensors # "u, " # sequences # "u, " # optionals # "u, "
                 # optionalSequences # "u, " # maps # "u, " # mapSequences # "u})">, text>;

// The value of an optional parameter: `none` when absent.
class Onnx_OrNone<Type value>
    : Type<Or<[CPred<"::llvm::isa<::mlir::NoneType>($_self)">, value.predicate]>, value.summary # " or none">;

def Onnx_AnyValue : Type<CPred<"::tenon::onnx::detail::isAnyValue($_self)">, "a tensor, sequence, optional, map or none">;
def Onnx_AnyTensor : Type<CPred<"::tenon::onnx::detail::isAnyTensor($_self)">, "a tensor of any ONNX element type">;

// Parameters that the schema binds to one type variable have one type, up to shapes.
class Onnx_SameType<string variable, list<string> names>
    : PredOpTrait<"operands and results of type " # variable # " (" # !interleave(names, ", ") # ") have the same element type",
                  CPred<"::tenon::onnx::detail::haveSameElementType({" #
                        !interleave(!foreach(name, names, "::mlir::ValueRange($" # name # ")"), ", ") # "})">>;

// Attributes as the kinds of AttributeProto. Unlike MLIR's own I64Attr these read as int64_t and float.
def Onnx_IntAttr : TypedSignlessIntegerAttrBase<I64, "int64_t", "64-bit signless integer attribute"> {
  let convertFromStorage = "$_self.getValue().getSExtValue()";
}
def Onnx_FloatAttr : FloatAttrBase<F32, "32-bit float attribute"> {
  let returnType = "float";
  let convertFromStorage = "$_self.getValue().convertToFloat()";
}
def Onnx_GraphRegion : Region<CPred<"::llvm::hasNItemsOrLess($_self, 1)">, "a subgraph of at most one block">;

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

// The base of the generated operators. Printing, parsing and building are the same for all of them and shared:
//   %y = onnx.Conv %x, %w, %b {group = 2 : i64} : (tensor<..>, tensor<..>, none) -> tensor<..> <regions, comma separated>
class Onnx_Op<string mnemonic, list<Trait> traits = [], int regionCount = 0> : Op<Onnx_Dialect, mnemonic, traits> {
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<
      (ins "::mlir::TypeRange":$resultTypes, "::mlir::ValueRange":$operands,
           CArg<"::llvm::ArrayRef<::mlir::NamedAttribute>", "{}">:$attributes),
      "::tenon::onnx::detail::build($_state, resultTypes, operands, attributes, " # regionCount # ");">];
  let hasCustomAssemblyFormat = 1;
  let extraClassDefinition = [{
    ::mlir::ParseResult $cppClass::parse(::mlir::OpAsmParser &parser, ::mlir::OperationState &state) {
      return ::tenon::onnx::detail::parse(parser, state, }] # regionCount # [{);
    }
    void $cppClass::print(::mlir::OpAsmPrinter &printer) { ::tenon::onnx::detail::print(printer, *this); }
  }];
}

def Onnx_ConstantOp : Op<Onnx_Dialect, "Constant", [Pure, ConstantLike, AllTypesMatch<["value", "output"]>]> {
  let summary = "a small or splat tensor (ai.onnx Constant)";
  let description = [{
    All forms of ONNX's Constant (`value_float`, `value_ints`, `sparse_value`, …) and all initializers that are at most
    1 KiB or a splat. Larger ones are a `plan.weight`.
    ```mlir
    %c = onnx.Constant {value = dense<[1, -1]> : tensor<2xi64>}
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Onnx_AnyTensor:$output);
  let hasCustomAssemblyFormat = 1;
  let hasFolder = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::mlir::ElementsAttr":$value), [{
    $_state.addTypes(value.getType());
    $_state.getOrAddProperties<Properties>().value = value;
  }]>];
}

def Onnx_NoValueOp : Op<Onnx_Dialect, "NoValue", [Pure, ConstantLike]> {
  let summary = "an absent optional operand";
  let results = (outs NoneType:$none);
  let assemblyFormat = "attr-dict";
  let hasFolder = 1;
  let builders = [OpBuilder<(ins), "$_state.addTypes($_builder.getNoneType());">];
}

def Onnx_ReturnOp : Op<Onnx_Dialect, "Return", [Pure, Terminator]> {
  let summary = "ends a subgraph and yields its outputs";
  let arguments = (ins Variadic<Onnx_AnyValue>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), "// Yields nothing.">];
}

def Onnx_CustomOp : Op<Onnx_Dialect, "Custom"> {
  let summary = "an operator outside the ONNX standard";
  let description = [{
    Carries an operator of a domain that the ONNX library does not know (such as `com.microsoft`), so that a later phase
    can map it or report all unsupported operators of a model at once. `node_attributes` holds the node's attributes under
    their ONNX names (its subgraphs are `bodies`, in the order of `body_names`).
  }];
  let arguments = (ins StrAttr:$domain_name, StrAttr:$op_name, Onnx_IntAttr:$version, DictionaryAttr:$node_attributes,
                   OptionalAttr<StrArrayAttr>:$body_names, Variadic<Onnx_AnyValue>:$inputs);
  let results = (outs Variadic<Onnx_AnyValue>:$outputs);
  let regions = (region VariadicRegion<Onnx_GraphRegion>:$bodies);
  let assemblyFormat = [{
    $domain_name $op_name ` ` `version` $version `(` $inputs `)` $node_attributes attr-dict `:` functional-type($inputs, $outputs)
    $bodies
  }];
  let hasVerifier = 1;
}

include "OnnxGenerated.td"

#endif // TENON_DIALECTS_ONNX
