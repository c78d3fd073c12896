// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelEntry.cpp - the calling convention of machine code ------------===//
//
// The body stays a function of its own: pointers that are `noalias` arguments are what
// LLVM's analyses understand best, and one call per group costs nothing.
//
//===----------------------------------------------------------------------===//

#include "lib/codegen/KernelFunction.h"
#include "lib/codegen/Passes.h"

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace tenon {
#define GEN_PASS_DEF_KERNELENTRY
#include "lib/codegen/Passes.h.inc"
} // namespace tenon

namespace {

struct KernelEntryPass : tenon::impl::KernelEntryBase<KernelEntryPass> {
  void runOnOperation() override {
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (function->hasAttr(tenon::kernelFunctionAttribute))
        convert(function);
  }

  void convert(func::FuncOp function) {
    MLIRContext *context = &getContext();
    OpBuilder builder(function);
    Type pointer = LLVM::LLVMPointerType::get(context), index = builder.getIndexType(),
         i64 = builder.getI64Type();

    // Pointers of all memrefs, then their dynamic sizes, then index arguments and group.
    SmallVector<Type> types;
    unsigned pointers = 0, sizes = 0;
    for (Type type : function.getArgumentTypes())
      if (auto memref = dyn_cast<MemRefType>(type)) {
        ++pointers;
        sizes += memref.getNumDynamicDims();
      }
    unsigned scalars = function.getNumArguments() - pointers;
    types.append(pointers, pointer);
    types.append(sizes + scalars, index);

    std::string name = function.getSymName().str();
    auto body = func::FuncOp::create(builder, function.getLoc(), name + ".body",
                                     builder.getFunctionType(types, {}));
    body->setAttr("llvm.linkage", LLVM::LinkageAttr::get(context, LLVM::Linkage::Internal));
    body->setAttr("passthrough", builder.getStrArrayAttr({"noinline", "nounwind"}));
    for (unsigned argument = 0; argument < pointers; ++argument)
      body.setArgAttr(argument, LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr());

    buildEntry(builder, function, body, name + ".entry", pointers, sizes);
    buildBody(function, body, pointers, i64);
    function.erase();
    SymbolTable::setSymbolName(SymbolTable::lookupSymbolIn(getOperation(), name + ".entry"), name);
  }

  /// @k(buffers, sizes, group): load everything and call the body.
  void buildEntry(OpBuilder &builder, func::FuncOp function, func::FuncOp body, StringRef name,
                  unsigned pointers, unsigned sizes) {
    OpBuilder::InsertionGuard guard(builder);
    Location loc = function.getLoc();
    Type pointer = LLVM::LLVMPointerType::get(builder.getContext()), i64 = builder.getI64Type();
    auto entry = func::FuncOp::create(builder, loc, name,
                                      builder.getFunctionType({pointer, pointer, i64}, {}));
    entry->setAttr("passthrough", builder.getStrArrayAttr({"nounwind"}));
    builder.setInsertionPointToEnd(entry.addEntryBlock());
    SmallVector<Value> operands;
    auto load = [&](Value base, unsigned position, Type type) -> Value {
      Value address = LLVM::GEPOp::create(builder, loc, pointer, type, base,
                                          ArrayRef<LLVM::GEPArg>{int32_t(position)});
      return LLVM::LoadOp::create(builder, loc, type, address);
    };
    for (unsigned position = 0; position < pointers; ++position)
      operands.push_back(load(entry.getArgument(0), position, pointer));
    unsigned loaded = body.getNumArguments() - pointers - 1;
    for (unsigned position = 0; position < loaded; ++position)
      operands.push_back(arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                                    load(entry.getArgument(1), position, i64)));
    operands.push_back(
        arith::IndexCastOp::create(builder, loc, builder.getIndexType(), entry.getArgument(2)));
    func::CallOp::create(builder, loc, body, operands);
    func::ReturnOp::create(builder, loc);
  }

  /// Rebuilds memrefs from pointers and sizes, then takes over the function's body.
  void buildBody(func::FuncOp function, func::FuncOp body, unsigned pointers, Type i64) {
    Location loc = function.getLoc();
    LLVMTypeConverter converter(&getContext());
    Block *entry = body.addEntryBlock();
    OpBuilder builder = OpBuilder::atBlockBegin(entry);
    unsigned size = pointers, memory = 0;
    SmallVector<Value> replacements;
    for (BlockArgument argument : function.getArguments()) {
      auto type = dyn_cast<MemRefType>(argument.getType());
      if (!type)
        continue;
      SmallVector<Value> extents;
      for (int64_t extent : type.getShape()) {
        Value value =
            ShapedType::isDynamic(extent)
                ? arith::IndexCastOp::create(builder, loc, i64, entry->getArgument(size++))
                      .getResult()
                : LLVM::ConstantOp::create(builder, loc, i64, extent).getResult();
        extents.push_back(value);
      }
      replacements.push_back(
          describe(builder, loc, converter, type, entry->getArgument(memory++), extents));
    }
    for (unsigned scalar = size; scalar < body.getNumArguments(); ++scalar)
      replacements.push_back(entry->getArgument(scalar));
    for (auto [from, to] : llvm::zip_equal(function.getArguments(), replacements))
      from.replaceAllUsesWith(to);
    // The body may have several blocks; its first continues the new entry.
    Block *first = &function.getBody().front();
    body.getBody().getBlocks().splice(body.getBody().end(), function.getBody().getBlocks());
    entry->getOperations().splice(entry->end(), first->getOperations());
    first->erase();
  }

  /// A dense row-major memref over `memory`.
  Value describe(OpBuilder &builder, Location loc, LLVMTypeConverter &converter, MemRefType type,
                 Value memory, ArrayRef<Value> extents) {
    Type i64 = builder.getI64Type();
    Value descriptor = LLVM::PoisonOp::create(builder, loc, converter.convertType(type));
    auto set = [&](Value value, ArrayRef<int64_t> position) {
      descriptor = LLVM::InsertValueOp::create(builder, loc, descriptor, value, position);
    };
    set(memory, {0});
    set(memory, {1});
    set(LLVM::ConstantOp::create(builder, loc, i64, 0), {2});
    Value stride = LLVM::ConstantOp::create(builder, loc, i64, 1);
    for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
      set(extents[dim], {3, dim});
      set(stride, {4, dim});
      if (dim != 0)
        stride = LLVM::MulOp::create(builder, loc, stride, extents[dim]);
    }
    return UnrealizedConversionCastOp::create(builder, loc, type, descriptor).getResult(0);
  }
};

} // namespace
