// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bodies for operators that the standard gives none for, and that are compositions of others all
// the same. One function per operator, one file per family; each gives nothing where it does not
// apply to a node (which then stays whole).

#ifndef TENON_LIB_IMPORT_FUNCTIONBODIES_H
#define TENON_LIB_IMPORT_FUNCTIONBODIES_H

#include "lib/import/BodyBuilder.h"

namespace tenon::import {

using BodyFunction = std::optional<proto::FunctionProto> (*)(BodyBuilder &body);

/// The function that writes the body of an operator, or null.
BodyFunction findSpatialBody(llvm::StringRef domain, llvm::StringRef name);
BodyFunction findTrainingBody(llvm::StringRef domain, llvm::StringRef name);
BodyFunction findSignalBody(llvm::StringRef domain, llvm::StringRef name);
BodyFunction findRecurrentBody(llvm::StringRef domain, llvm::StringRef name);
BodyFunction findDeterminantBody(llvm::StringRef domain, llvm::StringRef name);
BodyFunction findFeatureBody(llvm::StringRef domain, llvm::StringRef name);
BodyFunction findCategoryBody(llvm::StringRef domain, llvm::StringRef name);
BodyFunction findTreeBody(llvm::StringRef domain, llvm::StringRef name);
BodyFunction findVectorMachineBody(llvm::StringRef domain, llvm::StringRef name);

/// Scores [samples, classes], of floats, as the attribute post_transform wants them; empty where it
/// is not known.
BodyBuilder::Value transformScores(BodyBuilder &body, BodyBuilder::Value scores);

} // namespace tenon::import

#endif // TENON_LIB_IMPORT_FUNCTIONBODIES_H
