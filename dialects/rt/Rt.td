// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Rt.td - the rt dialect ----------------------------------*- tablegen -*-===//
//
// The runtime's program, one operation per command. It knows buffers of bytes
// and 64-bit sizes, and no operation of any model: what a kernel does is the
// kernel's business. Sizes are computed with arith on index values.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECTS_RT_RT_TD
#define TENON_DIALECTS_RT_RT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Rt_Dialect : Dialect {
  let name = "rt";
  let cppNamespace = "::tenon::rt";
  let summary = "the program that the runtime runs";
  let description = [{
    A `rt.program` is one list of commands, with `scf.if` and `scf.while` around
    those that run sometimes or repeatedly; only scalars are operands and results
    of these, buffers are declared before them. Buffers are bytes, 64-byte aligned;
    their sizes and the operands of commands are index values, which depend on
    the inputs' sizes (then they are computed, and memory is planned, before the
    first command runs, and remembered) or on data that was read back.

    Objects are places for values of the host: each holds a reference to an
    immutable value, or nothing. What is in them is shared, never copied.
  }];
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def Rt_BufferType : TypeDef<Rt_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "bytes on a device, 64-byte aligned";
}

def Rt_ObjectType : TypeDef<Rt_Dialect, "Object"> {
  let mnemonic = "object";
  let summary = "a place for a value of the host";
}

class Rt_Op<string opMnemonic, list<Trait> traits = []> : Op<Rt_Dialect, opMnemonic, traits>;

def Rt_ProgramOp : Rt_Op<"program", [IsolatedFromAbove, NoTerminator, SingleBlock, Symbol, NoRegionArguments]> {
  let summary = "the commands of a model, in order";
  let description = [{
    `inputs` and `outputs` hold one dictionary per value of the signature:
    `type` (the value's type at the border), `plan.name`, `plan.dims`,
    `plan.element`, which mean what they mean on a model's function. `arena`,
    where present, is the size of the temporaries' arena in bytes.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, ArrayAttr:$inputs, ArrayAttr:$outputs,
                       OptionalAttr<I64Attr>:$arena);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `inputs` $inputs `outputs` $outputs (`arena` $arena^)? attr-dict-with-keyword $body";
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The type of a value of the signature: a ranked tensor or `!plan.object`.
    ::mlir::Type getInputType(int64_t position);
    ::mlir::Type getOutputType(int64_t position);
    /// The dimensions of a tensor of the signature, strings included; none where they are not known.
    int64_t getInputRank(int64_t position);
  }];
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

def Rt_InputOp : Rt_Op<"input", [Pure]> {
  let summary = "the caller's tensor for an input, read-only";
  let arguments = (ins I64Attr:$position);
  let results = (outs Rt_BufferType:$buffer);
  let assemblyFormat = "$position attr-dict";
  let hasVerifier = 1;
}

def Rt_OutputOp : Rt_Op<"output"> {
  let summary = "the caller's tensor for an output, of the given dynamic dimensions";
  let arguments = (ins I64Attr:$position, Variadic<Index>:$dims);
  let results = (outs Rt_BufferType:$buffer);
  let assemblyFormat = "$position (`dims` `(` $dims^ `)`)? attr-dict";
  let hasVerifier = 1;
}

def Rt_WeightOp : Rt_Op<"weight", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the bytes of a weight, read-only";
  let arguments = (ins FlatSymbolRefAttr:$weight);
  let results = (outs Rt_BufferType:$buffer);
  let assemblyFormat = "$weight attr-dict";
}

def Rt_ConstantOp : Rt_Op<"constant", [Pure]> {
  let summary = "the bytes of a small constant, read-only";
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Rt_BufferType:$buffer);
  let assemblyFormat = "$value attr-dict";
}

def Rt_TemporaryOp : Rt_Op<"temporary"> {
  let summary = "memory of the device's arena, from its first use to its last";
  let description = [{
    `offset`, where present, is the place in the arena that was planned ahead of
    time (static sizes), a multiple of 64. Without it the runtime plans when the
    sizes are known. In one program all temporaries have a place or none.
  }];
  let arguments = (ins Index:$bytes, OptionalAttr<I64Attr>:$offset);
  let results = (outs Rt_BufferType:$buffer);
  let assemblyFormat = "$bytes (`at` $offset^)? attr-dict";
  let hasVerifier = 1;
}

def Rt_DynamicOp : Rt_Op<"dynamic"> {
  let summary = "a buffer without memory until `rt.allocate` gives it some";
  let description = [{
    For what control flow hands on: declared before a branch or a loop, given
    memory inside, of a size that is known only there.
  }];
  let results = (outs Rt_BufferType:$buffer);
  let assemblyFormat = "attr-dict";
}

def Rt_AllocateOp : Rt_Op<"allocate"> {
  let summary = "gives an `rt.dynamic` buffer at least so many bytes";
  let description = [{
    What it held before is lost; with `keep` it stays, as much as there is room
    for, and the memory grows geometrically.
  }];
  let arguments = (ins Rt_BufferType:$buffer, Index:$bytes, UnitAttr:$keep);
  let assemblyFormat = "$buffer `bytes` $bytes (`keep` $keep^)? attr-dict";
  let hasVerifier = 1;
}

def Rt_SwapOp : Rt_Op<"swap", [AllTypesMatch<["first", "second"]>]> {
  let summary = "exchanges the memory of two buffers, not what it holds";
  let description = [{
    How a loop hands what it computed to its next iteration. Both are
    `rt.dynamic`, or both are `rt.temporary` of the same size; these then live as
    long as each other. Or both are `rt.object`.
  }];
  let arguments = (ins AnyTypeOf<[Rt_BufferType, Rt_ObjectType]>:$first,
                       AnyTypeOf<[Rt_BufferType, Rt_ObjectType]>:$second);
  let assemblyFormat = "$first `,` $second attr-dict `:` type($first)";
  let hasVerifier = 1;
}

def Rt_ViewOp : Rt_Op<"view", [Pure]> {
  let summary = "a buffer that begins inside another";
  let arguments = (ins Rt_BufferType:$source, Index:$offset);
  let results = (outs Rt_BufferType:$buffer);
  let assemblyFormat = "$source `[` $offset `]` attr-dict";
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

def Rt_SizeOp : Rt_Op<"size", [Pure]> {
  let summary = "a dimension of an input in the current run";
  let arguments = (ins I64Attr:$input, I64Attr:$axis);
  let results = (outs Index:$result);
  let assemblyFormat = "`input` $input `axis` $axis attr-dict";
  let hasVerifier = 1;
}

def Rt_ReadOp : Rt_Op<"read"> {
  let summary = "an element of a buffer, read back: a size that depends on data";
  let description = "`width` is the bytes of one element (1, 2, 4 or 8), signed, little-endian.";
  let arguments = (ins Rt_BufferType:$buffer, Index:$position, I64Attr:$width);
  let results = (outs Index:$result);
  let assemblyFormat = "$buffer `[` $position `]` `width` $width attr-dict";
  let hasVerifier = 1;
}

def Rt_CheckOp : Rt_Op<"check"> {
  let summary = "stops the run with a message unless the condition holds";
  let description = "In the message, `{0}`, `{1}`, ... stand for `values`.";
  let arguments = (ins I1:$condition, StrAttr:$message, Variadic<Index>:$values);
  let assemblyFormat = "$condition `,` $message (`(` $values^ `)`)? attr-dict";
  let hasCanonicalizeMethod = 1;
}

//===----------------------------------------------------------------------===//
// Commands
//===----------------------------------------------------------------------===//

def Rt_LaunchOp : Rt_Op<"launch", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "runs `groups` groups of a kernel";
  let description = [{
    The kernel is a `plan.kernel`: it reads `reads` and writes `writes`, in the
    order of its arguments and results, and `sizes` are what it documents.
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Rt_BufferType>:$reads,
                       Variadic<Rt_BufferType>:$writes, Variadic<Index>:$sizes, Index:$groups);
  let assemblyFormat = [{
    $kernel `(` $reads `)` `to` ` ` `(` $writes `)` (`sizes` `(` $sizes^ `)`)? `groups` $groups attr-dict
  }];
  let hasVerifier = 1;
}

def Rt_CopyOp : Rt_Op<"copy"> {
  let summary = "copies bytes between buffers that do not overlap";
  let arguments = (ins Rt_BufferType:$source, Rt_BufferType:$target, Index:$bytes);
  let assemblyFormat = "$source `to` $target `bytes` $bytes attr-dict";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Objects
//===----------------------------------------------------------------------===//

def Rt_ObjectInputOp : Rt_Op<"object_input", [Pure]> {
  let summary = "the caller's value for an input, read-only";
  let arguments = (ins I64Attr:$position);
  let results = (outs Rt_ObjectType:$object);
  let assemblyFormat = "$position attr-dict";
  let hasVerifier = 1;
}

def Rt_ObjectOutputOp : Rt_Op<"object_output"> {
  let summary = "the place for the value of an output";
  let arguments = (ins I64Attr:$position);
  let results = (outs Rt_ObjectType:$object);
  let assemblyFormat = "$position attr-dict";
  let hasVerifier = 1;
}

def Rt_ObjectOp : Rt_Op<"object"> {
  let summary = "a place that holds nothing yet";
  let results = (outs Rt_ObjectType:$object);
  let assemblyFormat = "attr-dict";
}

def Rt_StringsOp : Rt_Op<"strings", [Pure]> {
  let summary = "a constant tensor of strings";
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Rt_ObjectType:$object);
  let assemblyFormat = "$value attr-dict";
}

def Rt_AbsentOp : Rt_Op<"absent", [Pure]> {
  let summary = "an input of a host function that is not given";
  let results = (outs Rt_ObjectType:$object);
  let assemblyFormat = "attr-dict";
}

def Rt_ShareOp : Rt_Op<"share"> {
  let summary = "puts the value of one place into another, too";
  let description = "With `move`, the first place holds nothing afterwards.";
  let arguments = (ins Rt_ObjectType:$source, Rt_ObjectType:$target, UnitAttr:$move);
  let assemblyFormat = "(`move` $move^)? $source `to` $target attr-dict";
  let hasVerifier = 1;
}

def Rt_WrapOp : Rt_Op<"wrap"> {
  let summary = "puts a copy of a tensor's bytes into an object, with its element type and all its sizes";
  let arguments = (ins Rt_BufferType:$source, TypeAttr:$element, Variadic<Index>:$sizes,
                       Rt_ObjectType:$target);
  let assemblyFormat = "$source `as` $element (`sizes` `(` $sizes^ `)`)? `to` $target attr-dict";
  let hasVerifier = 1;
}

def Rt_UnwrapOp : Rt_Op<"unwrap"> {
  let summary = "the bytes of the tensor that an object holds, read-only, and its sizes";
  let description = [{
    Stops the run unless it is a tensor of `element` with as many axes as there
    are sizes. The buffer is what the object holds when it is read.
  }];
  let arguments = (ins Rt_ObjectType:$source, TypeAttr:$element);
  let results = (outs Rt_BufferType:$buffer, Variadic<Index>:$sizes);
  let assemblyFormat = "$source `as` $element attr-dict `:` type(results)";
}

def Rt_HostCallOp : Rt_Op<"host_call", [AttrSizedOperandSegments]> {
  let summary = "calls a host function, which reads `reads` and fills `writes`";
  let description = [{
    `moves` are the positions of reads that hold nothing afterwards: the function
    may change these values where nobody else has them.
  }];
  let arguments = (ins StrAttr:$function, I64Attr:$version, Variadic<Rt_ObjectType>:$reads,
                       Variadic<Rt_ObjectType>:$writes, OptionalAttr<DictionaryAttr>:$parameters,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$moves);
  let assemblyFormat = [{
    $function `version` $version `(` $reads `)` `to` ` ` `(` $writes `)` ($parameters^)?
    (`moves` $moves^)? attr-dict
  }];
  let hasVerifier = 1;
}

#endif // TENON_DIALECTS_RT_RT_TD
