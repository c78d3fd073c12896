// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Rt.cpp - the rt dialect --------------------------------------------===//
//
// Its verifiers hold what the emitter and the runtime rely upon: positions exist,
// a launch fits its kernel, nothing writes what is read-only.
//
//===----------------------------------------------------------------------===//

#include "dialects/rt/Rt.h"

#include "dialects/plan/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon::rt;

#include "dialects/rt/RtDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/rt/RtTypes.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/rt/RtOps.cpp.inc"

void RtDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/rt/RtTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/rt/RtOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Program
//===----------------------------------------------------------------------===//

static Type typeOf(ArrayAttr values, int64_t position) {
  return cast<DictionaryAttr>(values[position]).getAs<TypeAttr>("type").getValue();
}

Type ProgramOp::getInputType(int64_t position) { return typeOf(getInputs(), position); }
Type ProgramOp::getOutputType(int64_t position) { return typeOf(getOutputs(), position); }

int64_t ProgramOp::getInputRank(int64_t position) {
  auto dims =
      cast<DictionaryAttr>(getInputs()[position]).getAs<ArrayAttr>(tenon::plan::dimsAttribute);
  return dims ? dims.size() : 0;
}

static LogicalResult verifySignature(ProgramOp program, StringRef what, ArrayAttr values) {
  for (auto [i, entry] : llvm::enumerate(values)) {
    auto fields = dyn_cast<DictionaryAttr>(entry);
    auto type = fields ? fields.getAs<TypeAttr>("type") : TypeAttr();
    auto tensor = type ? dyn_cast<RankedTensorType>(type.getValue()) : RankedTensorType();
    bool isObject = type && isa<tenon::plan::ObjectType>(type.getValue());
    if (!tensor && !isObject)
      return program.emitOpError()
             << what << " " << i << " has no type of a ranked tensor or an object";
    if (!fields.getAs<StringAttr>(tenon::plan::nameAttribute) ||
        !fields.getAs<TypeAttr>(tenon::plan::elementAttribute))
      return program.emitOpError() << what << " " << i << " needs plan.name and plan.element";
    if (isObject)
      continue;
    auto dims = fields.getAs<ArrayAttr>(tenon::plan::dimsAttribute);
    if (!dims || static_cast<int64_t>(dims.size()) != tensor.getRank())
      return program.emitOpError()
             << what << " " << i << " needs plan.dims for each dimension of " << tensor;
  }
  return success();
}

LogicalResult ProgramOp::verify() {
  if (failed(verifySignature(*this, "input", getInputs())) ||
      failed(verifySignature(*this, "output", getOutputs())))
    return failure();
  if (getArena() && static_cast<int64_t>(*getArena()) < 0)
    return emitOpError("has an arena of a negative size");
  return success();
}

LogicalResult ProgramOp::verifyRegions() {
  SmallVector<bool> given(getOutputs().size());
  WalkResult result = getBody().walk([&](Operation *op) {
    bool isControlFlow = isa<scf::IfOp, scf::WhileOp, scf::YieldOp, scf::ConditionOp>(op);
    if (!isControlFlow && !isa<RtDialect, arith::ArithDialect>(op->getDialect())) {
      op->emitOpError("is neither a command nor arithmetic of sizes nor control flow");
      return WalkResult::interrupt();
    }
    auto isPlace = llvm::IsaPred<BufferType, ObjectType>;
    if (isControlFlow && (llvm::any_of(op->getOperandTypes(), isPlace) ||
                          llvm::any_of(op->getResultTypes(), isPlace))) {
      op->emitOpError("hands on a buffer or object; these are declared before control flow");
      return WalkResult::interrupt();
    }
    if (auto output = dyn_cast<OutputOp>(op))
      given[output.getPosition()] = true;
    if (auto output = dyn_cast<ObjectOutputOp>(op))
      given[output.getPosition()] = true;
    if (auto temporary = dyn_cast<TemporaryOp>(op);
        temporary && temporary.getOffset().has_value() != getArena().has_value()) {
      temporary.emitOpError(getArena() ? "has no place in the program's arena"
                                       : "has a place in an arena without a size");
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  for (auto [i, isGiven] : llvm::enumerate(given))
    if (!isGiven)
      return emitOpError() << "does not give output " << i;
  return success();
}

//===----------------------------------------------------------------------===//
// Positions in the signature
//===----------------------------------------------------------------------===//

/// The program around `op`, if it has a tensor at `position` on that side of its signature; null
/// after an error.
static ProgramOp programWith(Operation *op, StringRef what, int64_t position,
                             ArrayAttr (ProgramOp::*side)()) {
  auto program = op->getParentOfType<ProgramOp>();
  if (!program) {
    op->emitOpError("belongs in a rt.program");
    return {};
  }
  int64_t count = (program.*side)().size();
  if (position >= 0 && position < count)
    return program;
  op->emitOpError() << "asks for " << what << " " << position << " of " << count;
  return {};
}

/// That a value of the signature is an object where one is asked for, and else a tensor.
static LogicalResult verifyKind(Operation *op, Type type, bool isObject) {
  if (isa<tenon::plan::ObjectType>(type) == isObject)
    return success();
  return op->emitOpError() << "takes " << type << " for " << (isObject ? "an object" : "a tensor");
}

static LogicalResult verifyInput(Operation *op, int64_t position, bool isObject) {
  ProgramOp program = programWith(op, "input", position, &ProgramOp::getInputs);
  return program ? verifyKind(op, program.getInputType(position), isObject) : failure();
}

static LogicalResult verifyOutput(Operation *op, int64_t position, bool isObject) {
  ProgramOp program = programWith(op, "output", position, &ProgramOp::getOutputs);
  return program ? verifyKind(op, program.getOutputType(position), isObject) : failure();
}

LogicalResult InputOp::verify() { return verifyInput(*this, getPosition(), /*isObject=*/false); }

LogicalResult ObjectInputOp::verify() {
  return verifyInput(*this, getPosition(), /*isObject=*/true);
}

LogicalResult ObjectOutputOp::verify() {
  return verifyOutput(*this, getPosition(), /*isObject=*/true);
}

LogicalResult OutputOp::verify() {
  if (failed(verifyOutput(*this, getPosition(), /*isObject=*/false)))
    return failure();
  auto program = (*this)->getParentOfType<ProgramOp>();
  auto type = cast<RankedTensorType>(program.getOutputType(getPosition()));
  if (getDims().size() != static_cast<size_t>(type.getNumDynamicDims()))
    return emitOpError("gives ") << getDims().size() << " dynamic dimensions for " << type;
  return success();
}

LogicalResult SizeOp::verify() {
  ProgramOp program = programWith(*this, "input", getInput(), &ProgramOp::getInputs);
  if (!program)
    return failure();
  int64_t rank = program.getInputRank(getInput()), axis = getAxis();
  if (axis < 0 || axis >= rank)
    return emitOpError("asks for axis ") << axis << " of an input of rank " << rank;
  return success();
}

//===----------------------------------------------------------------------===//
// Buffers and commands
//===----------------------------------------------------------------------===//

LogicalResult WeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (symbols.lookupNearestSymbolFrom<tenon::plan::WeightOp>(*this, getWeightAttr()))
    return success();
  return emitOpError() << getWeightAttr() << " is not a plan.weight";
}

LogicalResult TemporaryOp::verify() {
  if (getOffset() && (static_cast<int64_t>(*getOffset()) < 0 || *getOffset() % 64 != 0))
    return emitOpError("has a place that is no multiple of 64: ")
           << static_cast<int64_t>(*getOffset());
  return success();
}

LogicalResult ReadOp::verify() {
  if (!llvm::is_contained({1, 2, 4, 8}, static_cast<int64_t>(getWidth())))
    return emitOpError("reads 1, 2, 4 or 8 bytes, not ") << static_cast<int64_t>(getWidth());
  return success();
}

LogicalResult CheckOp::canonicalize(CheckOp op, PatternRewriter &rewriter) {
  if (!matchPattern(op.getCondition(), m_NonZero()))
    return failure();
  rewriter.eraseOp(op);
  return success();
}

/// Inputs, weights and constants are not the program's to change, nor is what lies in them.
static LogicalResult verifyWritable(Operation *op, Value buffer) {
  Value root = buffer;
  while (auto view = root.getDefiningOp<ViewOp>())
    root = view.getSource();
  if (root.getDefiningOp() && isa<InputOp, WeightOp, ConstantOp, UnwrapOp>(root.getDefiningOp()))
    return op->emitOpError("writes to a ")
           << root.getDefiningOp()->getName() << ", which is read-only";
  return success();
}

LogicalResult LaunchOp::verify() {
  for (Value buffer : getWrites())
    if (failed(verifyWritable(*this, buffer)))
      return failure();
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<tenon::plan::KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError() << getKernelAttr() << " is not a plan.kernel";
  unsigned reads = kernel.getNumTensorArguments(), writes = kernel.getResultTypes().size();
  if (getReads().size() != reads || getWrites().size() != writes ||
      getSizes().size() != kernel.getNumSizes())
    return emitOpError() << "has " << getReads().size() << " buffers to read, "
                         << getWrites().size() << " to write and " << getSizes().size()
                         << " sizes, but " << getKernelAttr() << " takes " << reads << ", "
                         << writes << " and " << kernel.getNumSizes();
  return success();
}

LogicalResult CopyOp::verify() { return verifyWritable(*this, getTarget()); }

LogicalResult AllocateOp::verify() {
  if (getBuffer().getDefiningOp<DynamicOp>())
    return success();
  return emitOpError("gives memory to something else than an rt.dynamic");
}

LogicalResult SwapOp::verify() {
  auto first = getFirst().getDefiningOp(), second = getSecond().getDefiningOp();
  if (isa_and_nonnull<ObjectOp>(first) && isa_and_nonnull<ObjectOp>(second))
    return success();
  if (isa_and_nonnull<DynamicOp>(first) && isa_and_nonnull<DynamicOp>(second))
    return success();
  auto a = dyn_cast_if_present<TemporaryOp>(first), b = dyn_cast_if_present<TemporaryOp>(second);
  if (!a || !b || a.getBytes() != b.getBytes())
    return emitOpError(
        "exchanges two rt.dynamic, two rt.object, or two rt.temporary of the same size");
  return success();
}

//===----------------------------------------------------------------------===//
// Objects
//===----------------------------------------------------------------------===//

static LogicalResult verifyFillable(Operation *op, Value object) {
  if (object.getDefiningOp<ObjectOp>() || object.getDefiningOp<ObjectOutputOp>())
    return success();
  return op->emitOpError("puts a value into something else than an rt.object or an output");
}

/// A place that is emptied is one of the program's own.
static LogicalResult verifyEmptiable(Operation *op, Value object) {
  if (object.getDefiningOp<ObjectOp>())
    return success();
  return op->emitOpError("empties something else than an rt.object");
}

LogicalResult ShareOp::verify() {
  if (getMove() && failed(verifyEmptiable(*this, getSource())))
    return failure();
  return verifyFillable(*this, getTarget());
}

LogicalResult WrapOp::verify() { return verifyFillable(*this, getTarget()); }

LogicalResult HostCallOp::verify() {
  for (Value object : getWrites())
    if (failed(verifyFillable(*this, object)))
      return failure();
  for (int64_t position : getMoves()) {
    if (position < 0 || position >= static_cast<int64_t>(getReads().size()))
      return emitOpError("moves read ") << position << " of " << getReads().size();
    if (failed(verifyEmptiable(*this, getReads()[position])))
      return failure();
  }
  return success();
}
