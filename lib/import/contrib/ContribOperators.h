// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operators of ONNX Runtime's domain com.microsoft ("contrib operators"), which its optimizer
// and the exporters for generative models write. Each has a row in a table (ContribTable.cpp): what
// the ONNX library must know to check it, and the function that writes its body in ai.onnx
// operators. Nothing below the importer knows them: Attention becomes ai.onnx Attention, and so on,
// so that the kernels of the standard's operators serve them.
//
// The types of a node's results are those of its body's, so that no operator needs inference of its
// own. What the schemas leave open is as ONNX Runtime's CPU kernels do it, which the tests compare
// with (test/contrib).

#ifndef TENON_LIB_IMPORT_CONTRIB_CONTRIBOPERATORS_H
#define TENON_LIB_IMPORT_CONTRIB_CONTRIBOPERATORS_H

#include "lib/import/FunctionBodies.h"

namespace tenon::import {

inline constexpr const char *kContribDomain = "com.microsoft";

/// One operator. The texts have words separated by blanks:
///   inputs, outputs  "name:T", "name:T?" if optional, "name:T*" if variadic (of one type each)
///   attributes       "name:int", "name:float=1.0" with a default, "name:string!" if required
///   types            "T=float,float16": what a type parameter may be; other types are element
///   types
struct ContribOperator {
  const char *name, *inputs, *outputs, *attributes, *types;
  BodyFunction writeBody;
};

/// All that have a body.
llvm::ArrayRef<ContribOperator> getContribOperators();

/// The operator of that name, or null.
const ContribOperator *findContribOperator(llvm::StringRef name);

/// Why a contrib operator has no body; empty where ONNX Runtime has none of that name either.
llvm::StringRef explainMissingContribOperator(llvm::StringRef name);

/// Makes the operators known to the ONNX library. Cheap when done before; from any thread.
void registerContribOperators();

} // namespace tenon::import

#endif // TENON_LIB_IMPORT_CONTRIB_CONTRIBOPERATORS_H
