// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass --lower-onnx: one dialect conversion over the patterns of all families.
//
// The conversion is partial although the onnx dialect must be gone after it: operations without a
// lowering are left in place, together with the reasons that patterns gave, so that a user learns
// of all of them at once.

#include "lib/lower/ControlFlow.h"
#include "lib/lower/ElementTypes.h"
#include "lib/lower/HostFunctions.h"
#include "lib/lower/PackedBorders.h"
#include "lib/lower/Passes.h"
#include "lib/lower/Patterns.h"

#include "dialects/nn/Nn.h"
#include "dialects/onnx/Onnx.h"
#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

namespace tenon {
#define GEN_PASS_DEF_LOWERONNX
#include "lib/lower/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

namespace {

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

class SignlessTypeConverter : public TypeConverter {
public:
  SignlessTypeConverter() {
    // The last that applies is asked first, and its refusal is final.
    // Scalars are computed with; only tensors hold what is packed as bytes.
    addConversion([](Type type) -> Type {
      if (auto integer = dyn_cast<IntegerType>(type))
        return IntegerType::get(type.getContext(), integer.getWidth());
      return type.isIndex() || isa<FloatType>(type) ? type : Type();
    });
    addConversion([](NoneType type) { return type; });
    addConversion([](Type type) -> std::optional<Type> {
      if (isa<plan::ObjectType>(type))
        return type;
      if (lower::isObject(type))
        return plan::ObjectType::get(type.getContext());
      return std::nullopt;
    });
    addConversion([](RankedTensorType type) -> std::optional<Type> {
      if (lower::isObject(type))
        return std::nullopt;
      Type element = lower::getStorageType(type.getElementType());
      return element ? type.clone(element) : Type();
    });
    auto materialize = [](OpBuilder &builder, Type type, ValueRange inputs, Location loc) -> Value {
      return UnrealizedConversionCastOp::create(builder, loc, type, inputs).getResult(0);
    };
    addSourceMaterialization(materialize);
    addTargetMaterialization(materialize);
  }
};

/// Why a value of this type cannot be lowered, or nothing.
std::optional<std::string> explainType(Type type, const TypeConverter &converter,
                                       bool takesObjects) {
  if (converter.convertType(type) && (takesObjects || !lower::isObject(type)))
    return std::nullopt;
  std::string text;
  llvm::raw_string_ostream os(text);
  auto tensor = dyn_cast<TensorType>(type);
  if (tensor && isa<onnx::StringType>(tensor.getElementType())) {
    os << "element type string is not supported by this operator yet";
  } else if (isa<RankedTensorType>(type)) {
    os << "element type " << tensor.getElementType() << " is not supported yet";
  } else if (tensor) {
    os << "a tensor whose rank is not known is not supported by this operator; give the model's "
          "inputs a shape";
  } else if (isa<onnx::UnknownType>(type)) {
    os << "the type of an operand or result is not known";
  } else {
    os << "a value of type " << type << " is not supported yet";
  }
  return text;
}

//===----------------------------------------------------------------------===//
// Reasons
//===----------------------------------------------------------------------===//

/// Collects why patterns refused, by the location of the operation.
class ReasonListener : public RewriterBase::Listener {
public:
  void notifyMatchFailure(Location loc, function_ref<void(Diagnostic &)> explain) override {
    Diagnostic diagnostic(loc, DiagnosticSeverity::Remark);
    explain(diagnostic);
    reasons[loc] = diagnostic.str();
  }
  std::string get(Location loc) const { return reasons.lookup(loc); }

private:
  llvm::DenseMap<Location, std::string> reasons;
};

/// Names the operator; the node is the diagnostic's location.
void reportUnsupported(Operation *op, StringRef reason) {
  std::string domain = "ai.onnx", operatorName = onnx::getDisplayName(op);
  if (auto custom = dyn_cast<onnx::CustomOp>(op)) {
    domain = custom.getDomainName().str();
    operatorName = custom.getOpName().str();
  } else if (const onnx::OpIdentity *identity = onnx::getIdentity(op)) {
    if (!identity->domain.empty())
      domain = identity->domain.str();
    operatorName = identity->name.str();
  }
  emitError(op->getLoc()) << domain << " " << operatorName << ": "
                          << (reason.empty() ? "this operator is not supported yet" : reason);
}

//===----------------------------------------------------------------------===//
// Patterns that are about no family
//===----------------------------------------------------------------------===//

struct ConstantLowering : OpConversionPattern<onnx::ConstantOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(onnx::ConstantOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = getTypeConverter()->convertType<RankedTensorType>(op.getOutput().getType());
    auto elements = dyn_cast<DenseElementsAttr>(op.getValue());
    if (!elements)
      return rewriter.notifyMatchFailure(op, "a constant that is not dense is not supported yet");
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, type, lower::getStorageElements(elements));
    return success();
  }
};

/// Operations of other dialects keep their meaning on signless types.
struct RetypeLowering : ConversionPattern {
  RetypeLowering(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), /*benefit=*/1, context) {}
  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    if (isa<onnx::OnnxDialect>(op->getDialect()) || op->getNumRegions() != 0)
      return failure();
    FailureOr<Operation *> retyped =
        convertOpResultTypes(op, operands, *getTypeConverter(), rewriter);
    if (failed(retyped))
      return failure();
    rewriter.replaceOp(op, *retyped);
    return success();
  }
};

/// Sizes in the shape arithmetic that is there already are found where they come from, too.
struct DimLowering : OpConversionPattern<tensor::DimOp> {
  using OpConversionPattern::OpConversionPattern;
  /// The way to a size may ask for other sizes, each nearer to an argument.
  void initialize() { setHasBoundedRewriteRecursion(true); }
  LogicalResult matchAndRewrite(tensor::DimOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    OpFoldResult size =
        lower::getDim(rewriter, op.getLoc(), adaptor.getSource(), *op.getConstantIndex());
    rewriter.replaceOp(op, lower::IndexBuilder(rewriter, op.getLoc()).value(size));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

struct LowerOnnx : tenon::impl::LowerOnnxBase<LowerOnnx> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet owning(context);
    lower::populateActivationPatterns(converter, owning);
    lower::populateArithmeticPatterns(converter, owning);
    lower::populateAttentionPatterns(converter, owning);
    lower::populateCastPatterns(converter, owning);
    lower::populateContractionPatterns(converter, owning);
    lower::populateConvolutionPatterns(converter, owning);
    lower::populateCumulativePatterns(converter, owning);
    lower::populateDataMovementPatterns(converter, owning);
    lower::populateDeformableConvolutionPatterns(converter, owning);
    lower::populateEinsumPatterns(converter, owning);
    lower::populateFoldingPatterns(converter, owning);
    lower::populateGenerationPatterns(converter, owning);
    lower::populateHostFunctionPatterns(converter, owning);
    lower::populateIndexingPatterns(converter, owning);
    lower::populateNormalizationPatterns(converter, owning);
    lower::populatePaddingPatterns(converter, owning);
    lower::populatePoolingPatterns(converter, owning);
    lower::populateQuantizationPatterns(converter, owning);
    lower::populateRandomPatterns(converter, owning);
    lower::populateReductionPatterns(converter, owning);
    lower::populateRegionAlignPatterns(converter, owning);
    lower::populateReshapingPatterns(converter, owning);
    lower::populateResizePatterns(converter, owning);
    lower::populateSamplingPatterns(converter, owning);
    lower::populateSelectionPatterns(converter, owning);
    lower::populateSlicingPatterns(converter, owning);
    lower::populateSoftmaxPatterns(converter, owning);
    lower::populateSortingPatterns(converter, owning);
    lower::populateStringPatterns(converter, owning);
    owning.add<ConstantLowering, DimLowering, RetypeLowering>(converter, context);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(owning, converter);
    populateReturnOpTypeConversionPattern(owning, converter);
    scf::populateSCFStructuralTypeConversions(converter, owning);
    patterns = std::move(owning);
    return success();
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    lower::PackedBorders borders(module);
    for (auto weight : module.getOps<plan::WeightOp>())
      if (auto type = converter.convertType<RankedTensorType>(weight.getType()))
        weight.setType(type);

    // Why an operation cannot be lowered; nothing where that only follows from an operation before
    // it, which is the one to tell about.
    llvm::MapVector<Operation *, std::optional<std::string>> unsupported;
    lower::structureControlFlow(
        module, [&](Operation *op, StringRef reason) { unsupported.insert({op, reason.str()}); });
    module.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isa<onnx::OnnxDialect>(op->getDialect()) || isa<onnx::NoValueOp, onnx::ReturnOp>(op))
        return;
      if (isa<onnx::CustomOp>(op)) {
        unsupported.insert({op, "there is no such operator in what Tenon knows of this domain"});
        return;
      }
      bool follows = llvm::any_of(op->getOperands(), [&](Value operand) {
        return unsupported.contains(operand.getDefiningOp());
      });
      if (lower::computesWithComplex(op)) {
        unsupported[op] = "complex numbers are moved, but not computed with yet";
        return;
      }
      for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes()))
        if (std::optional<std::string> reason =
                explainType(type, converter, lower::takesObjects(op))) {
          unsupported[op] = follows ? std::nullopt : reason;
          return;
        }
    });

    ConversionTarget target(getContext());
    target.addDynamicallyLegalDialect<onnx::OnnxDialect>([&](Operation *op) -> std::optional<bool> {
      if (unsupported.contains(op) || isa<onnx::NoValueOp, onnx::ReturnOp>(op))
        return true;
      return std::nullopt;
    });
    // What lies in objects is packed, as outside of the model.
    target.addLegalOp<plan::ReinterpretOp, plan::WrapOp, plan::UnwrapOp>();
    target.addDynamicallyLegalOp<tensor::DimOp>([](tensor::DimOp op) {
      std::optional<int64_t> position = op.getConstantIndex();
      if (lower::isObject(op.getSource().getType()))
        return false;
      return !position || !lower::canResolveDim(op.getSource(), *position);
    });
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return !mayConvert(op.getFunctionType()) || converter.isSignatureLegal(op.getFunctionType());
    });
    target.markUnknownOpDynamicallyLegal([&](Operation *op) -> std::optional<bool> {
      auto mayStay = [&](Type type) {
        return converter.isLegal(type) || !converter.convertType(type);
      };
      return llvm::all_of(op->getOperandTypes(), mayStay) &&
             llvm::all_of(op->getResultTypes(), mayStay);
    });

    DenseSet<Operation *> left;
    ReasonListener reasons;
    ConversionConfig config;
    config.unlegalizedOps = &left;
    // Uses are replaced at once, so that sizes (`tensor.dim` of a value that is lowered already)
    // are found where they come from. It is why a pattern must refuse before it creates anything.
    config.allowPatternRollback = false;
    config.listener = &reasons;
    // Patterns see the operands' producers as they are written; folding is canonicalization's
    // business.
    config.foldingMode = DialectConversionFoldingMode::Never;
    if (failed(applyPartialConversion(module, target, patterns, config)))
      return signalPassFailure();

    bool isComplete = true;
    SmallVector<Operation *> absentValues;
    module.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isa<onnx::OnnxDialect>(op->getDialect()) || isa<onnx::ReturnOp>(op))
        return;
      if (isa<onnx::NoValueOp>(op)) {
        absentValues.push_back(op);
        return;
      }
      isComplete = false;
      if (auto known = unsupported.find(op); known == unsupported.end())
        reportUnsupported(op, reasons.get(op->getLoc()));
      else if (known->second)
        reportUnsupported(op, *known->second);
    });
    if (!isComplete)
      return signalPassFailure();
    for (Operation *op : absentValues)
      if (op->use_empty())
        op->erase();
    borders.unpack();
  }

  /// A signature with a type that has no signless form stays, and is reported by the operations
  /// that use it.
  bool mayConvert(FunctionType type) {
    auto converts = [&](Type type) { return static_cast<bool>(converter.convertType(type)); };
    return llvm::all_of(type.getInputs(), converts) && llvm::all_of(type.getResults(), converts);
  }

  SignlessTypeConverter converter;
  FrozenRewritePatternSet patterns;
};

} // namespace
