// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The onnx dialect: registration, type constraints, the shared assembly format of the generated
// operators, and the verifiers of the operators that have subgraphs.

#include "dialects/onnx/Onnx.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include "dialects/onnx/OnnxDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/onnx/OnnxTypes.cpp.inc"

using namespace mlir;

namespace tenon::onnx {

//===----------------------------------------------------------------------===//
// Dialect
//===----------------------------------------------------------------------===//

void OnnxDialect::initialize() {
  registerOnnxDialectOperations(this);
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/onnx/OnnxTypes.cpp.inc"
      >();
}

Operation *OnnxDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                            Location loc) {
  if (isa<NoneType>(type) && isa<UnitAttr>(value))
    return NoValueOp::create(builder, loc);
  if (auto elements = dyn_cast<ElementsAttr>(value); elements && elements.getType() == type)
    return ConstantOp::create(builder, loc, elements);
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Identity
//===----------------------------------------------------------------------===//

ArrayRef<OpIdentity> getStandardOps() {
  static constexpr OpIdentity table[] = {
#define TENON_ONNX_OP(OPERATION, DOMAIN, NAME, VERSION) {OPERATION, DOMAIN, NAME, VERSION},
#include "dialects/onnx/OnnxOpTable.inc"
#undef TENON_ONNX_OP
  };
  return table;
}

const OpIdentity *getIdentity(OperationName op) {
  ArrayRef<OpIdentity> table = getStandardOps();
  const OpIdentity *found =
      llvm::lower_bound(table, op.getStringRef(), [](const OpIdentity &entry, StringRef name) {
        return entry.operationName < name;
      });
  return found != table.end() && found->operationName == op.getStringRef() ? found : nullptr;
}

std::string getDisplayName(Operation *op) {
  StringRef domain, name;
  if (auto custom = dyn_cast<CustomOp>(op)) {
    domain = custom.getDomainName();
    name = custom.getOpName();
  } else if (const OpIdentity *identity = getIdentity(op)) {
    domain = identity->domain;
    name = identity->name;
  } else {
    // Constant, NoValue and Return are not in the table.
    name = op->getName().stripDialect();
  }
  return domain.empty() ? name.str() : (domain + "." + name).str();
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

ElementKind getElementKind(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool isUnsigned = integer.isUnsigned();
    if (integer.isSigned())
      return ElementKind::Undefined;
    switch (integer.getWidth()) {
    case 1:
      return isUnsigned ? ElementKind::Undefined : ElementKind::Bool;
    case 2:
      return isUnsigned ? ElementKind::UInt2 : ElementKind::Int2;
    case 4:
      return isUnsigned ? ElementKind::UInt4 : ElementKind::Int4;
    case 8:
      return isUnsigned ? ElementKind::UInt8 : ElementKind::Int8;
    case 16:
      return isUnsigned ? ElementKind::UInt16 : ElementKind::Int16;
    case 32:
      return isUnsigned ? ElementKind::UInt32 : ElementKind::Int32;
    case 64:
      return isUnsigned ? ElementKind::UInt64 : ElementKind::Int64;
    default:
      return ElementKind::Undefined;
    }
  }
  if (auto complex = dyn_cast<ComplexType>(type)) {
    if (complex.getElementType().isF32())
      return ElementKind::Complex64;
    return complex.getElementType().isF64() ? ElementKind::Complex128 : ElementKind::Undefined;
  }
  return TypeSwitch<Type, ElementKind>(type)
      .Case<Float32Type>([](auto) { return ElementKind::Float; })
      .Case<Float64Type>([](auto) { return ElementKind::Double; })
      .Case<Float16Type>([](auto) { return ElementKind::Float16; })
      .Case<BFloat16Type>([](auto) { return ElementKind::BFloat16; })
      .Case<Float8E4M3FNType>([](auto) { return ElementKind::Float8E4M3FN; })
      .Case<Float8E4M3FNUZType>([](auto) { return ElementKind::Float8E4M3FNUZ; })
      .Case<Float8E5M2Type>([](auto) { return ElementKind::Float8E5M2; })
      .Case<Float8E5M2FNUZType>([](auto) { return ElementKind::Float8E5M2FNUZ; })
      .Case<Float8E8M0FNUType>([](auto) { return ElementKind::Float8E8M0; })
      .Case<Float6E2M3FNType>([](auto) { return ElementKind::Float6E2M3; })
      .Case<Float6E3M2FNType>([](auto) { return ElementKind::Float6E3M2; })
      .Case<Float4E2M1FNType>([](auto) { return ElementKind::Float4E2M1; })
      .Case<StringType>([](auto) { return ElementKind::String; })
      .Default([](Type) { return ElementKind::Undefined; });
}

Type getElementType(MLIRContext *context, ElementKind kind) {
  auto signless = [&](unsigned width) { return IntegerType::get(context, width); };
  auto isUnsigned = [&](unsigned width) {
    return IntegerType::get(context, width, IntegerType::Unsigned);
  };
  switch (kind) {
  case ElementKind::Undefined:
    return {};
  case ElementKind::Float:
    return Float32Type::get(context);
  case ElementKind::UInt8:
    return isUnsigned(8);
  case ElementKind::Int8:
    return signless(8);
  case ElementKind::UInt16:
    return isUnsigned(16);
  case ElementKind::Int16:
    return signless(16);
  case ElementKind::Int32:
    return signless(32);
  case ElementKind::Int64:
    return signless(64);
  case ElementKind::String:
    return StringType::get(context);
  case ElementKind::Bool:
    return signless(1);
  case ElementKind::Float16:
    return Float16Type::get(context);
  case ElementKind::Double:
    return Float64Type::get(context);
  case ElementKind::UInt32:
    return isUnsigned(32);
  case ElementKind::UInt64:
    return isUnsigned(64);
  case ElementKind::Complex64:
    return ComplexType::get(Float32Type::get(context));
  case ElementKind::Complex128:
    return ComplexType::get(Float64Type::get(context));
  case ElementKind::BFloat16:
    return BFloat16Type::get(context);
  case ElementKind::Float8E4M3FN:
    return Float8E4M3FNType::get(context);
  case ElementKind::Float8E4M3FNUZ:
    return Float8E4M3FNUZType::get(context);
  case ElementKind::Float8E5M2:
    return Float8E5M2Type::get(context);
  case ElementKind::Float8E5M2FNUZ:
    return Float8E5M2FNUZType::get(context);
  case ElementKind::UInt4:
    return isUnsigned(4);
  case ElementKind::Int4:
    return signless(4);
  case ElementKind::Float4E2M1:
    return Float4E2M1FNType::get(context);
  case ElementKind::Float8E8M0:
    return Float8E8M0FNUType::get(context);
  case ElementKind::UInt2:
    return isUnsigned(2);
  case ElementKind::Int2:
    return signless(2);
  case ElementKind::Float6E2M3:
    return Float6E2M3FNType::get(context);
  case ElementKind::Float6E3M2:
    return Float6E3M2FNType::get(context);
  }
  return {};
}

namespace detail {

static bool hasElementKind(Type type, unsigned kinds) {
  auto tensor = dyn_cast<TensorType>(type);
  return tensor &&
         (kinds & ~1u) >> static_cast<unsigned>(getElementKind(tensor.getElementType())) & 1;
}

bool isValue(Type type, const ValueTypes &types) {
  if (isa<TensorType>(type))
    return hasElementKind(type, types.tensors);
  if (auto sequence = dyn_cast<SequenceType>(type)) {
    if (auto map = dyn_cast<MapType>(sequence.getElementType()))
      return types.mapSequences >> static_cast<unsigned>(getElementKind(map.getKeyType())) & 1;
    return hasElementKind(sequence.getElementType(), types.sequences);
  }
  if (auto optional = dyn_cast<OptionalType>(type)) {
    if (auto sequence = dyn_cast<SequenceType>(optional.getElementType()))
      return hasElementKind(sequence.getElementType(), types.optionalSequences);
    return hasElementKind(optional.getElementType(), types.optionals);
  }
  if (auto map = dyn_cast<MapType>(type))
    return types.maps >> static_cast<unsigned>(getElementKind(map.getKeyType())) & 1;
  return isa<UnknownType>(type);
}

bool isAnyTensor(Type type) { return hasElementKind(type, ~0u); }

bool isAnyValue(Type type) {
  return isAnyTensor(type) || isa<SequenceType, OptionalType, MapType, UnknownType, NoneType>(type);
}

/// `type` without its shapes, so that equality means "the same ONNX type string".
static Type stripShapes(Type type) {
  return TypeSwitch<Type, Type>(type)
      .Case<TensorType>(
          [](TensorType tensor) { return UnrankedTensorType::get(tensor.getElementType()); })
      .Case<SequenceType>([](SequenceType sequence) {
        return SequenceType::get(sequence.getContext(), stripShapes(sequence.getElementType()));
      })
      .Case<OptionalType>([](OptionalType optional) {
        return OptionalType::get(optional.getContext(), stripShapes(optional.getElementType()));
      })
      .Case<MapType>([](MapType map) {
        return MapType::get(map.getContext(), map.getKeyType(), stripShapes(map.getValueType()));
      })
      .Default([](Type other) { return other; });
}

bool haveSameElementType(std::initializer_list<ValueRange> values) {
  Type expected;
  for (ValueRange range : values) {
    for (Type type : range.getTypes()) {
      if (isa<NoneType, UnknownType>(type))
        continue;
      Type stripped = stripShapes(type);
      if (expected && stripped != expected)
        return false;
      expected = stripped;
    }
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Shared assembly format and builder
//===----------------------------------------------------------------------===//

ParseResult parse(OpAsmParser &parser, OperationState &state, unsigned regionCount) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  FunctionType type;
  SMLoc operandsLoc = parser.getCurrentLocation();
  if (parser.parseOperandList(operands) || parser.parseOptionalAttrDict(state.attributes) ||
      parser.parseColonType(type) ||
      parser.resolveOperands(operands, type.getInputs(), operandsLoc, state.operands))
    return failure();
  // An inherent attribute of the wrong kind would otherwise be dropped without a word.
  if (failed(state.name.verifyInherentAttrs(state.attributes, [&] {
        return parser.emitError(operandsLoc) << "'" << state.name.getStringRef() << "' op ";
      })))
    return failure();
  state.addTypes(type.getResults());
  for (unsigned i = 0; i < regionCount; ++i)
    if ((i && parser.parseComma()) || parser.parseRegion(*state.addRegion()))
      return failure();
  return success();
}

void print(OpAsmPrinter &printer, Operation *op) {
  if (op->getNumOperands())
    printer << ' ';
  printer.printOperands(op->getOperands());
  printer.printOptionalAttrDict(op->getAttrs());
  printer << " : ";
  printer.printFunctionalType(op->getOperandTypes(), op->getResultTypes());
  for (Region &region : op->getRegions()) {
    printer << (region.getRegionNumber() ? ", " : " ");
    printer.printRegion(region);
  }
}

void build(OperationState &state, TypeRange resultTypes, ValueRange operands,
           ArrayRef<NamedAttribute> attributes, unsigned regionCount) {
  state.addTypes(resultTypes);
  state.addOperands(operands);
  state.addAttributes(attributes);
  for (unsigned i = 0; i < regionCount; ++i)
    state.addRegion();
}

} // namespace detail

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

ParseResult ConstantOp::parse(OpAsmParser &parser, OperationState &state) {
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseOptionalAttrDict(state.attributes))
    return failure();
  auto value = dyn_cast_or_null<ElementsAttr>(state.attributes.get("value"));
  if (!value)
    return parser.emitError(loc, "expected {value = <elements>}");
  state.addTypes(value.getType());
  return success();
}

void ConstantOp::print(OpAsmPrinter &printer) {
  printer.printOptionalAttrDict((*this)->getAttrs());
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValueAttr(); }

OpFoldResult NoValueOp::fold(FoldAdaptor) { return UnitAttr::get(getContext()); }

//===----------------------------------------------------------------------===//
// Operators with subgraphs
//===----------------------------------------------------------------------===//

/// Checks that a subgraph has `argumentCount` arguments and ends in an onnx.Return of `resultCount`
/// values.
static LogicalResult verifySubgraph(Operation *op, Region &region, StringRef name,
                                    size_t argumentCount, size_t resultCount) {
  if (region.empty())
    return op->emitOpError() << "needs the subgraph '" << name << "'";
  if (region.getNumArguments() != argumentCount)
    return op->emitOpError() << "expects " << argumentCount << " inputs in the subgraph '" << name
                             << "', found " << region.getNumArguments();
  auto terminator = region.front().empty() ? ReturnOp() : dyn_cast<ReturnOp>(region.front().back());
  if (!terminator)
    return op->emitOpError() << "expects the subgraph '" << name << "' to end in onnx.Return";
  if (terminator.getNumOperands() != resultCount)
    return op->emitOpError() << "expects " << resultCount << " outputs of the subgraph '" << name
                             << "', found " << terminator.getNumOperands();
  return success();
}

LogicalResult IfOp::verifyRegions() {
  if (failed(verifySubgraph(*this, getThenBranch(), "then_branch", 0, getNumResults())))
    return failure();
  return verifySubgraph(*this, getElseBranch(), "else_branch", 0, getNumResults());
}

LogicalResult LoopOp::verifyRegions() {
  // The body takes (iteration, condition, carried…) and gives (condition, carried…, scanned…).
  size_t carried = getVInitial().size();
  if (getNumResults() < carried)
    return emitOpError() << "expects a result for each of the " << carried << " values it carries";
  return verifySubgraph(*this, getBody(), "body", carried + 2, getNumResults() + 1);
}

LogicalResult ScanOp::verifyRegions() {
  if (getNumScanInputs() < 1 || static_cast<size_t>(getNumScanInputs()) > getNumOperands())
    return emitOpError() << "expects num_scan_inputs between 1 and its " << getNumOperands()
                         << " operands, found " << getNumScanInputs();
  if (getNumResults() < getNumOperands() - getNumScanInputs())
    return emitOpError() << "expects a result for each of its state variables";
  return verifySubgraph(*this, getBody(), "body", getNumOperands(), getNumResults());
}

LogicalResult CustomOp::verify() {
  size_t names = getBodyNames() ? getBodyNames()->size() : 0;
  if (names != getBodies().size())
    return emitOpError() << "has " << getBodies().size() << " subgraphs but " << names
                         << " names for them";
  return success();
}

} // namespace tenon::onnx
