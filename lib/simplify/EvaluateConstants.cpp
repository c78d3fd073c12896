// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EvaluateConstants.cpp ----------------------------------------------===//
//
// There is no second implementation of any operation: the operations to fold are
// cut out into a model of their own, which is compiled as the reference (-O0) and
// run. What they evaluate to is therefore what they would have computed.
//
//===----------------------------------------------------------------------===//

#include "lib/simplify/EvaluateConstants.h"

#include "dialects/onnx/Onnx.h"
#include "dialects/plan/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace tenon {
namespace {

/// Constants up to this many bytes stay attributes.
constexpr int64_t attributeBytes = 1024;
/// A folded value may be this much larger than what it is made from; beyond, it is made when the
/// model runs.
constexpr int64_t growthBytes = 1 << 20;

std::optional<int64_t> bytesOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() || !tensor.getElementType().isIntOrFloat())
    return std::nullopt;
  return tensor.getNumElements() * llvm::divideCeil(tensor.getElementTypeBitWidth(), 8);
}

/// Kernels multiply by weights that are packed for them, which a tensor that is made anew in each
/// run cannot be. So a weight of 8 bits is dequantised here, though that makes it four times as
/// large; narrower ones, which are chosen for their size, stay.
bool isDequantizedWeight(Operation &op) {
  auto dequantize = dyn_cast<onnx::DequantizeLinearOp>(op);
  return dequantize &&
         getElementTypeOrSelf(dequantize.getX().getType()).getIntOrFloatBitWidth() >= 8;
}

bool isLeaf(Operation &op) { return isa<onnx::ConstantOp, plan::GetWeightOp, onnx::NoValueOp>(op); }

class Evaluation {
public:
  Evaluation(ModuleOp module, func::FuncOp function, WeightTable &weights)
      : module(module), function(function), weights(weights), symbols(module) {}

  LogicalResult run(ConstantEvaluator &evaluator) {
    collect();
    if (results.empty())
      return success();
    OwningOpRef<ModuleOp> extracted = extract();
    auto values = evaluator.evaluate(*extracted, {"constants"});
    if (failed(values))
      return failure();
    for (auto [result, bytes] : llvm::zip_equal(results, values->front()))
      replace(result, std::move(bytes));
    for (Operation *op : llvm::reverse(foldable))
      if (isOpTriviallyDead(op))
        op->erase();
    return success();
  }

private:
  void collect() {
    for (Operation &op : function.front()) {
      if (isLeaf(op) || op.getNumRegions() != 0 || !isPure(&op) || op.getNumOperands() == 0 ||
          op.hasTrait<OpTrait::IsTerminator>() || !isa<onnx::OnnxDialect>(op.getDialect()))
        continue;
      int64_t operandBytes = 0, resultBytes = 0;
      bool constant = true;
      for (Value operand : op.getOperands()) {
        Operation *producer = operand.getDefiningOp();
        constant &= producer && (isLeaf(*producer) || foldable.contains(producer));
        operandBytes += bytesOf(operand.getType()).value_or(0);
      }
      for (Type type : op.getResultTypes()) {
        if (isa<NoneType>(type))
          continue;
        std::optional<int64_t> bytes = bytesOf(type);
        constant &= bytes.has_value();
        resultBytes += bytes.value_or(0);
      }
      if (constant && (resultBytes <= operandBytes + growthBytes || isDequantizedWeight(op)))
        foldable.insert(&op);
    }
    for (Operation *op : foldable)
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(),
                         [&](Operation *user) { return !foldable.contains(user); }))
          results.push_back(result);
  }

  /// The operations as a model without inputs.
  OwningOpRef<ModuleOp> extract() {
    OpBuilder builder(module.getContext());
    OwningOpRef<ModuleOp> extracted = ModuleOp::create(builder, module.getLoc());
    builder.setInsertionPointToStart(extracted->getBody());
    SmallVector<Type> types;
    for (Value result : results)
      types.push_back(result.getType());
    auto made = func::FuncOp::create(builder, function.getLoc(), "constants",
                                     builder.getFunctionType({}, types));
    for (auto [i, type] : llvm::enumerate(types)) {
      auto tensor = cast<RankedTensorType>(type);
      SmallVector<Attribute> dims;
      for (int64_t size : tensor.getShape())
        dims.push_back(builder.getI64IntegerAttr(size));
      made.setResultAttr(i, plan::nameAttribute, builder.getStringAttr("constant" + Twine(i)));
      made.setResultAttr(i, plan::dimsAttribute, builder.getArrayAttr(dims));
      made.setResultAttr(i, plan::elementAttribute, TypeAttr::get(tensor.getElementType()));
    }
    IRMapping mapping;
    builder.setInsertionPointToStart(made.addEntryBlock());
    SymbolTable extractedSymbols(*extracted);
    for (Operation *op : foldable) {
      for (Value operand : op->getOperands()) {
        if (mapping.contains(operand))
          continue;
        Operation *leaf = operand.getDefiningOp();
        builder.clone(*leaf, mapping);
        if (auto weight = dyn_cast<plan::GetWeightOp>(leaf))
          if (!extractedSymbols.lookup(weight.getWeight())) {
            OpBuilder::InsertionGuard guard(builder);
            builder.setInsertionPoint(made);
            extractedSymbols.insert(builder.clone(*symbols.lookup(weight.getWeight())));
          }
      }
      builder.clone(*op, mapping);
    }
    SmallVector<Value> returned;
    for (Value result : results)
      returned.push_back(mapping.lookup(result));
    func::ReturnOp::create(builder, function.getLoc(), returned);
    return extracted;
  }

  void replace(Value result, std::string bytes) {
    OpBuilder builder(module.getContext());
    builder.setInsertionPointAfterValue(result);
    Location location = result.getLoc();
    auto type = cast<RankedTensorType>(result.getType());
    Value value;
    if (static_cast<int64_t>(bytes.size()) <= attributeBytes) {
      value = onnx::ConstantOp::create(builder, location, denseOf(type, bytes))->getResult(0);
    } else {
      std::string name;
      do
        name = "constant." + std::to_string(nextName++);
      while (symbols.lookup(name) || weights.find(name));
      OpBuilder atModule = OpBuilder::atBlockBegin(module.getBody());
      auto weight = plan::WeightOp::create(atModule, location, name, type, FlatSymbolRefAttr(),
                                           plan::PackingAttr());
      symbols.insert(weight);
      weights.addOwned(weight.getSymName(), std::move(bytes));
      value = plan::GetWeightOp::create(builder, location, type,
                                        FlatSymbolRefAttr::get(weight.getSymNameAttr()));
    }
    result.replaceAllUsesWith(value);
  }

  /// Truth values are bytes in buffers and bits in attributes; elements of fewer than 8 bits are
  /// packed in buffers and bytes in attributes.
  static DenseElementsAttr denseOf(RankedTensorType type, StringRef bytes) {
    ArrayRef<char> raw(bytes.data(), bytes.size());
    unsigned width = type.getElementTypeBitWidth();
    if (!type.getElementType().isInteger(1) && width < 8) {
      SmallVector<char> unpacked;
      for (int64_t bit = 0, end = type.getNumElements() * width; bit < end; bit += width)
        unpacked.push_back(static_cast<uint8_t>(bytes[bit / 8]) >> bit % 8 & ((1 << width) - 1));
      return DenseElementsAttr::getFromRawBuffer(type, unpacked);
    }
    if (!type.getElementType().isInteger(1))
      return DenseElementsAttr::getFromRawBuffer(type, raw);
    SmallVector<bool> values(llvm::map_range(raw, [](char c) { return c != 0; }));
    return DenseElementsAttr::get(type, values);
  }

  ModuleOp module;
  func::FuncOp function;
  WeightTable &weights;
  SymbolTable symbols;
  llvm::SetVector<Operation *> foldable;
  SmallVector<Value> results;
  unsigned nextName = 0;
};

} // namespace

LogicalResult evaluateConstants(ModuleOp module, WeightTable &weights,
                                ConstantEvaluator &evaluator) {
  for (auto function : module.getOps<func::FuncOp>())
    if (failed(Evaluation(module, function, weights).run(evaluator)))
      return failure();
  return success();
}

void materializeWeights(ModuleOp module, WeightTable &weights) {
  SymbolTable symbols(module);
  OpBuilder atModule = OpBuilder::atBlockBegin(module.getBody());
  llvm::DenseMap<Attribute, plan::WeightOp> made;
  module.walk([&](Operation *op) {
    if (!isa<onnx::ConvOp, onnx::ConvTransposeOp, onnx::MatMulOp, onnx::GemmOp>(op))
      return;
    OpOperand &operand = op->getOpOperand(1);
    auto constant = operand.get().getDefiningOp<onnx::ConstantOp>();
    auto value = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : nullptr;
    std::optional<int64_t> bytes = value ? bytesOf(value.getType()) : std::nullopt;
    bool isSmallSplat = value && value.isSplat() && bytes && *bytes <= attributeBytes;
    if (!bytes || isSmallSplat || value.getElementType().isInteger(1))
      return;
    plan::WeightOp &weight = made[value];
    if (!weight) {
      StringRef given(value.getRawData().data(), value.getRawData().size());
      std::string data;
      data.reserve(*bytes);
      while (data.size() < static_cast<size_t>(*bytes))
        data += given; // once, or as often as a splat has elements
      weight = plan::WeightOp::create(atModule, constant.getLoc(), "operand",
                                      cast<RankedTensorType>(value.getType()), FlatSymbolRefAttr(),
                                      plan::PackingAttr());
      symbols.insert(weight);
      weights.addOwned(weight.getSymName(), std::move(data));
    }
    OpBuilder builder(op);
    operand.set(plan::GetWeightOp::create(builder, constant.getLoc(), weight.getType(),
                                          FlatSymbolRefAttr::get(weight.getSymNameAttr())));
  });
}

} // namespace tenon
