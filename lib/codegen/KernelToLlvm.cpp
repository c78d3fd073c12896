// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelToLlvm.cpp - the last conversion within MLIR ------------------===//
//
// One conversion rather than upstream's chain of passes: types that only exist in
// LLVM's form (AMX tiles as block arguments) have no state in between.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/AMX/Transforms.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/X86Vector/Transforms.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"

using namespace mlir;

namespace tenon {
#define GEN_PASS_DEF_KERNELTOLLVM
#include "lib/codegen/Passes.h.inc"
} // namespace tenon

namespace {

/// Truth values in memory are bytes of 0 or 1.
void storeTruthValuesAsBytes(ModuleOp module) {
  OpBuilder builder(module.getContext());
  Type i1 = builder.getI1Type(), i8 = builder.getI8Type();
  module.walk([&](Operation *op) {
    builder.setInsertionPoint(op);
    if (auto load = dyn_cast<LLVM::LoadOp>(op); load && load.getType() == i1) {
      Value byte = LLVM::LoadOp::create(builder, op->getLoc(), i8, load.getAddr());
      Value zero = LLVM::ConstantOp::create(builder, op->getLoc(), i8, 0);
      load.replaceAllUsesWith(
          LLVM::ICmpOp::create(builder, op->getLoc(), LLVM::ICmpPredicate::ne, byte, zero)
              .getResult());
      op->erase();
    } else if (auto store = dyn_cast<LLVM::StoreOp>(op);
               store && store.getValue().getType() == i1) {
      Value byte = LLVM::ZExtOp::create(builder, op->getLoc(), i8, store.getValue());
      LLVM::StoreOp::create(builder, op->getLoc(), byte, store.getAddr());
      op->erase();
    } else if (auto address = dyn_cast<LLVM::GEPOp>(op); address && address.getElemType() == i1) {
      address.setElemType(i8);
    } else if (auto alloca = dyn_cast<LLVM::AllocaOp>(op); alloca && alloca.getElemType() == i1) {
      alloca.setElemType(i8);
    }
  });
}

struct KernelToLlvmPass : tenon::impl::KernelToLlvmBase<KernelToLlvmPass> {
  using KernelToLlvmBase::KernelToLlvmBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    LowerToLLVMOptions options(context);
    LLVMTypeConverter converter(context, options);
    if (!nativeBf16)
      converter.addConversion([&](BFloat16Type type) { return IntegerType::get(context, 16); });
    LLVMConversionTarget target(*context);
    RewritePatternSet patterns(context);
    // These alone of upstream's expansions: those of maximumf and minimumf would keep LLVM from
    // seeing reductions.
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    cf::populateAssertToLLVMConversionPattern(converter, patterns);
    populateFuncToLLVMConversionPatterns(converter, patterns);
    index::populateIndexToLLVMConversionPatterns(converter, patterns);
    populateMathToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
    ub::populateUBToLLVMConversionPatterns(converter, patterns);
    populateVectorToLLVMConversionPatterns(converter, patterns, /*reassociateFPReductions=*/true);
    populateInstructionSets(converter, target, patterns);
    target.addLegalOp<ModuleOp>();
    if (failed(applyFullConversion(getOperation(), target, std::move(patterns))))
      return signalPassFailure();
    storeTruthValuesAsBytes(getOperation());
  }

  /// Operations of single instruction sets, only where their dialects are in use.
  void populateInstructionSets(LLVMTypeConverter &converter, LLVMConversionTarget &target,
                               RewritePatternSet &patterns) {
    if (getContext().getLoadedDialect<amx::AMXDialect>()) {
      populateAMXLegalizeForLLVMExportPatterns(converter, patterns);
      configureAMXLegalizeForExportTarget(target);
    }
    if (getContext().getLoadedDialect<x86vector::X86VectorDialect>()) {
      populateX86VectorLegalizeForLLVMExportPatterns(converter, patterns);
      configureX86VectorLegalizeForExportTarget(target);
    }
  }
};

} // namespace
