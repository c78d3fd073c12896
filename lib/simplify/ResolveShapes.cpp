// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ResolveShapes.cpp - shape arithmetic as scalars --------------------===//
//
// One walk in order. For each small tensor that is known element by element its
// `Elements` are kept. An operation whose operands are all known is evaluated over
// scalars: here what moves elements, in Elements.cpp what computes with them; its tensor is made
// again (tensor.from_elements) only where an operation that is not evaluated uses it. Scalars fold
// as they are built, so static models leave constants only.
//
//===----------------------------------------------------------------------===//

#include "lib/simplify/ControlFlow.h"
#include "lib/simplify/DimensionOrigins.h"
#include "lib/simplify/Elements.h"
#include "lib/simplify/Passes.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tenon {

#define GEN_PASS_DEF_RESOLVESHAPES
#include "lib/simplify/Passes.h.inc"

namespace {

class ShapeResolver {
public:
  explicit ShapeResolver(func::FuncOp function)
      : function(function), builder(function.getContext()) {}

  void run() {
    visit(function.front());
    eraseDead(function.front());
    updateResultTypes(function);
  }

private:
  /// What is known outside of a subgraph is known inside.
  void visit(Block &block) {
    for (Block::iterator next = block.begin(); next != block.end();) {
      Operation &op = *next++;
      if (auto branch = dyn_cast<onnx::IfOp>(op))
        if (auto condition = constants(branch.getCond()); condition && condition->size() == 1) {
          next = takeBranch(branch, condition->front() != 0);
          continue;
        }
      visit(op);
      for (Region &region : op.getRegions())
        for (Block &nested : region)
          visit(nested);
    }
  }

  void visit(Operation &op) {
    // Says nothing, and hides from every pattern below what it stands for.
    if (auto identity = dyn_cast<onnx::IdentityOp>(op);
        identity && identity.getInput().getType() == identity.getType())
      op.getResult(0).replaceAllUsesWith(op.getOperand(0));
    if (op.getNumResults() != 1 || op.getNumRegions() != 0)
      return;
    auto type = dyn_cast<RankedTensorType>(op.getResult(0).getType());
    if (!type || !isScalarType(type.getElementType()))
      return;
    builder.setInsertionPoint(&op);
    location = op.getLoc();
    Known result = evaluate(op);
    if (!result || static_cast<int64_t>(result->values.size()) > Elements::most)
      return;
    known[op.getResult(0)] = *result;
    if (op.hasTrait<OpTrait::ConstantLike>() || isa<tensor::FromElementsOp>(op))
      return;
    replace(op, *result);
  }

  static bool isScalarType(Type type) {
    return type.isSignlessInteger(64) || type.isSignlessInteger(32) || type.isInteger(1) ||
           type.isF32();
  }

  /// Puts the tensor of known elements in the place of what `op` computes.
  void replace(Operation &op, const Elements &elements) {
    Value old = op.getResult(0);
    Type element = cast<RankedTensorType>(old.getType()).getElementType();
    auto type = RankedTensorType::get(elements.shape, element);
    SmallVector<Value> values;
    for (Value value : elements.values)
      values.push_back(isa<IntegerType>(element) && !element.isInteger(1)
                           ? builder.createOrFold<arith::IndexCastOp>(location, element, value)
                           : value);
    SmallVector<Attribute> constants;
    for (Value value : values)
      if (Attribute constant; matchPattern(value, m_Constant(&constant)))
        constants.push_back(constant);
    Value made;
    if (constants.size() == values.size())
      made = onnx::ConstantOp::create(builder, location, DenseElementsAttr::get(type, constants))
                 ->getResult(0);
    else
      made = tensor::FromElementsOp::create(builder, location, type, values);
    known[made] = elements;
    old.replaceAllUsesWith(made);
  }

  //===--- leaves ---------------------------------------------------------===//

  Known lookup(Value value) {
    if (auto entry = known.find(value); entry != known.end())
      return entry->second;
    return std::nullopt;
  }

  Value index(int64_t value) { return arith::ConstantIndexOp::create(builder, location, value); }

  Known constant(DenseElementsAttr attribute) {
    if (attribute.getNumElements() > Elements::most)
      return std::nullopt;
    Elements result{llvm::to_vector(attribute.getType().getShape()), {}};
    Type element = attribute.getElementType();
    if (element.isF32()) {
      for (APFloat value : attribute.getValues<APFloat>())
        result.values.push_back(
            arith::ConstantOp::create(builder, location, builder.getFloatAttr(element, value)));
    } else if (element.isInteger(1)) {
      for (bool value : attribute.getValues<bool>())
        result.values.push_back(
            arith::ConstantOp::create(builder, location, builder.getBoolAttr(value)));
    } else {
      for (const APInt &value : attribute.getValues<APInt>())
        result.values.push_back(index(value.getSExtValue()));
    }
    return result;
  }

  /// What this pass made when it ran before.
  Known fromElements(tensor::FromElementsOp op) {
    Elements result{llvm::to_vector(op.getType().getShape()), {}};
    for (Value value : op.getElements()) {
      auto cast = value.getDefiningOp<arith::IndexCastOp>();
      if (cast && cast.getIn().getType().isIndex())
        value = cast.getIn();
      else if (value.getType().isInteger(64) || value.getType().isInteger(32))
        value = builder.createOrFold<arith::IndexCastOp>(location, builder.getIndexType(), value);
      result.values.push_back(value);
    }
    return result;
  }

  /// The size of a dimension: static, a named dimension of the model, or asked of the tensor that
  /// it comes from.
  Value sizeOf(Value tensor, int64_t dim) {
    std::tie(tensor, dim) = origins.find(tensor, dim);
    auto type = cast<RankedTensorType>(tensor.getType());
    if (!type.isDynamicDim(dim))
      return index(type.getDimSize(dim));
    if (auto argument = dyn_cast<BlockArgument>(tensor);
        argument && argument.getOwner() == &function.front())
      if (auto dims =
              function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), plan::dimsAttribute))
        if (auto symbol = dyn_cast<FlatSymbolRefAttr>(dims[dim]))
          return plan::DimOp::create(builder, location, builder.getIndexType(), symbol);
    return tensor::DimOp::create(builder, location, tensor, dim);
  }

  std::optional<SmallVector<int64_t>> constants(Value tensor) {
    Known elements = lookup(tensor);
    if (!elements)
      return std::nullopt;
    SmallVector<int64_t> result;
    for (Value value : elements->values) {
      APInt constant;
      if (!matchPattern(value, m_ConstantInt(&constant)))
        return std::nullopt;
      result.push_back(constant.getSExtValue());
    }
    return result;
  }

  //===--- operations -----------------------------------------------------===//

  Known evaluate(Operation &op) {
    return llvm::TypeSwitch<Operation *, Known>(&op)
        .Case<onnx::ConstantOp, arith::ConstantOp>([&](auto constantOp) -> Known {
          auto dense = dyn_cast_if_present<DenseElementsAttr>(op.getAttr("value"));
          return dense ? constant(dense) : std::nullopt;
        })
        .Case([&](tensor::FromElementsOp made) { return fromElements(made); })
        .Case([&](onnx::ShapeOp shape) { return evaluateShape(shape); })
        .Case([&](onnx::SizeOp size) { return evaluateSize(size); })
        .Case<onnx::IdentityOp>([&](auto) { return lookup(op.getOperand(0)); })
        .Case<onnx::ReshapeOp, onnx::SqueezeOp, onnx::UnsqueezeOp, onnx::FlattenOp>(
            [&](auto) { return reshaped(op); })
        .Case([&](onnx::CastOp cast) { return evaluateCast(cast); })
        .Case([&](onnx::ConcatOp concat) { return evaluateConcat(concat); })
        .Case([&](onnx::GatherOp gather) { return evaluateGather(gather); })
        .Case([&](onnx::SliceOp slice) { return evaluateSlice(slice); })
        .Case([&](onnx::TransposeOp transpose) { return evaluateTranspose(transpose); })
        .Case([&](onnx::ConstantOfShapeOp fill) { return evaluateFill(fill); })
        .Case([&](onnx::ExpandOp expand) { return evaluateExpand(expand); })
        .Case([&](onnx::RangeOp range) { return evaluateRange(range); })
        .Case([&](onnx::ReduceProdOp reduce) { return evaluateProduct(reduce); })
        .Default([&](Operation *) {
          return evaluateElementwise(
              op, [&](Value value) { return lookup(value); }, builder, location);
        });
  }

  Known evaluateShape(onnx::ShapeOp op) {
    auto type = dyn_cast<RankedTensorType>(op.getData().getType());
    if (!type)
      return std::nullopt;
    int64_t rank = type.getRank();
    auto clamp = [&](int64_t position) {
      return std::clamp<int64_t>(position < 0 ? position + rank : position, 0, rank);
    };
    int64_t start = clamp(op.getStart()), end = clamp(op.getEnd().value_or(rank));
    Elements result{{std::max<int64_t>(end - start, 0)}, {}};
    for (int64_t dim = start; dim < end; ++dim)
      result.values.push_back(sizeOf(op.getData(), dim));
    return result;
  }

  Known evaluateSize(onnx::SizeOp op) {
    auto type = dyn_cast<RankedTensorType>(op.getData().getType());
    if (!type)
      return std::nullopt;
    Value size = index(1);
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      size = builder.createOrFold<arith::MulIOp>(location, size, sizeOf(op.getData(), dim));
    return Elements{{}, {size}};
  }

  /// The same elements in the shape of the result, which inference knows.
  Known reshaped(Operation &op) {
    Known data = lookup(op.getOperand(0));
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    if (!data)
      return std::nullopt;
    if (type.hasStaticShape()) {
      data->shape = llvm::to_vector(type.getShape());
      return data;
    }
    // One unknown dimension takes what the others leave.
    int64_t count = data->values.size(), rest = 1;
    SmallVector<int64_t> shape(type.getShape());
    if (type.getNumDynamicDims() != 1)
      return std::nullopt;
    for (int64_t size : shape)
      rest *= ShapedType::isDynamic(size) ? 1 : size;
    if (rest == 0 || count % rest != 0)
      return std::nullopt;
    for (int64_t &size : shape)
      if (ShapedType::isDynamic(size))
        size = count / rest;
    data->shape = shape;
    return data;
  }

  Known evaluateCast(onnx::CastOp op) {
    Known data = lookup(op.getOperand());
    if (!data)
      return std::nullopt;
    Type to = cast<RankedTensorType>(op.getType()).getElementType();
    for (Value &value : data->values) {
      Type from = value.getType();
      if (to.isF32())
        value = from.isF32()
                    ? value
                    : builder.createOrFold<arith::SIToFPOp>(location, to, asInteger(value));
      else if (to.isInteger(1))
        value = from.isInteger(1) ? value : isNonZero(value);
      else if (from.isF32())
        value = builder.createOrFold<arith::IndexCastOp>(
            location, builder.getIndexType(),
            builder.createOrFold<arith::FPToSIOp>(location, builder.getI64Type(), value));
      else if (from.isInteger(1))
        value = builder.createOrFold<arith::IndexCastUIOp>(location, builder.getIndexType(), value);
    }
    return data;
  }

  Value asInteger(Value value) {
    if (value.getType().isInteger(1))
      return builder.createOrFold<arith::ExtUIOp>(location, builder.getI64Type(), value);
    return builder.createOrFold<arith::IndexCastOp>(location, builder.getI64Type(), value);
  }

  Value isNonZero(Value value) {
    if (value.getType().isF32()) {
      Value zero = arith::ConstantOp::create(builder, location, builder.getF32FloatAttr(0));
      return builder.createOrFold<arith::CmpFOp>(location, arith::CmpFPredicate::UNE, value, zero);
    }
    return builder.createOrFold<arith::CmpIOp>(location, arith::CmpIPredicate::ne, value, index(0));
  }

  Known evaluateConcat(onnx::ConcatOp op) {
    Elements result{{0}, {}};
    for (Value operand : op.getInputs()) {
      Known part = lookup(operand);
      if (!part || part->shape.size() != 1)
        return std::nullopt;
      llvm::append_range(result.values, part->values);
    }
    result.shape[0] = result.values.size();
    return result;
  }

  Known evaluateGather(onnx::GatherOp op) {
    Known data = lookup(op.getData()), indices = lookup(op.getIndices());
    auto positions = constants(op.getIndices());
    if (!data || !positions || data->shape.size() != 1)
      return std::nullopt;
    Elements result{indices->shape, {}};
    int64_t size = data->shape[0];
    for (int64_t position : *positions) {
      if (position < -size || position >= size)
        return std::nullopt;
      result.values.push_back(data->values[position < 0 ? position + size : position]);
    }
    return result;
  }

  /// Slices of dimension 0, which is all that tensors of sizes need.
  Known evaluateSlice(onnx::SliceOp op) {
    Known data = lookup(op.getData());
    auto starts = constants(op.getStarts()), ends = constants(op.getEnds());
    if (!data || !starts || !ends || starts->size() != 1 || ends->size() != 1 ||
        data->shape.empty())
      return std::nullopt;
    int64_t rank = data->shape.size(), axis = 0, step = 1;
    if (!onnx::isAbsent(op.getAxes())) {
      auto axes = constants(op.getAxes());
      if (!axes || axes->size() != 1)
        return std::nullopt;
      axis = axes->front() < 0 ? axes->front() + rank : axes->front();
    }
    if (!onnx::isAbsent(op.getSteps())) {
      auto steps = constants(op.getSteps());
      if (!steps || steps->size() != 1)
        return std::nullopt;
      step = steps->front();
    }
    if (axis != 0 || step == 0 || data->shape[0] == 0)
      return std::nullopt;
    int64_t size = data->shape[0], row = size == 0 ? 0 : data->values.size() / size;
    auto clamp = [&](int64_t position, int64_t low, int64_t high) {
      return std::clamp(position < 0 ? position + size : position, low, high);
    };
    int64_t start =
        step > 0 ? clamp(starts->front(), 0, size) : clamp(starts->front(), 0, size - 1);
    int64_t end = step > 0 ? clamp(ends->front(), 0, size) : clamp(ends->front(), -1, size - 1);
    // The customary "before the first", which is far below any negative position.
    if (step < 0 && ends->front() < -size)
      end = -1;
    Elements result{data->shape, {}};
    result.shape[0] = 0;
    for (int64_t i = start; step > 0 ? i < end : i > end; i += step, ++result.shape[0])
      llvm::append_range(result.values, ArrayRef(data->values).slice(i * row, row));
    return result;
  }

  Known evaluateTranspose(onnx::TransposeOp op) {
    Known data = lookup(op.getData());
    if (!data || data->shape.size() > 2)
      return data && data->isVector() ? data : std::nullopt;
    auto perm = op.getPerm();
    if (data->isVector() || (perm && (*perm)[0] == 0))
      return data;
    Elements result{{data->shape[1], data->shape[0]}, {}};
    for (int64_t column = 0; column < data->shape[1]; ++column)
      for (int64_t row = 0; row < data->shape[0]; ++row)
        result.values.push_back(data->values[row * data->shape[1] + column]);
    return result;
  }

  std::optional<SmallVector<int64_t>> smallShape(Value tensor) {
    auto shape = constants(tensor);
    int64_t count = 1;
    if (!shape)
      return std::nullopt;
    for (int64_t size : *shape)
      if (size < 0 || (count *= size) > Elements::most)
        return std::nullopt;
    return shape;
  }

  Known evaluateFill(onnx::ConstantOfShapeOp op) {
    auto shape = smallShape(op.getInput());
    if (!shape)
      return std::nullopt;
    Value value;
    if (auto attribute = dyn_cast_if_present<DenseElementsAttr>(op->getAttr("value"))) {
      Known scalar = constant(attribute);
      if (!scalar || scalar->values.size() != 1)
        return std::nullopt;
      value = scalar->values.front();
    } else {
      value = arith::ConstantOp::create(builder, location, builder.getF32FloatAttr(0));
    }
    return Elements{*shape, SmallVector<Value>(ShapedType::getNumElements(*shape), value)};
  }

  Known evaluateExpand(onnx::ExpandOp op) {
    Known data = lookup(op.getInput());
    auto shape = smallShape(op.getShape());
    if (!data || !shape || data->values.size() != 1 || shape->size() < data->shape.size())
      return std::nullopt;
    return Elements{*shape,
                    SmallVector<Value>(ShapedType::getNumElements(*shape), data->values.front())};
  }

  Known evaluateRange(onnx::RangeOp op) {
    auto start = constants(op.getStart()), limit = constants(op.getLimit()),
         delta = constants(op.getDelta());
    if (!start || !limit || !delta || delta->front() == 0)
      return std::nullopt;
    Elements result{{0}, {}};
    for (int64_t i = start->front(); delta->front() > 0 ? i < limit->front() : i > limit->front();
         i += delta->front()) {
      if (static_cast<int64_t>(result.values.size()) == Elements::most)
        return std::nullopt;
      result.values.push_back(index(i));
    }
    result.shape[0] = result.values.size();
    return result;
  }

  /// The product of all elements: how exporters count them.
  Known evaluateProduct(onnx::ReduceProdOp op) {
    Known data = lookup(op.getData());
    if (!data || !data->isVector() ||
        llvm::any_of(data->values, [](Value v) { return !v.getType().isIndex(); }))
      return std::nullopt;
    Value product = index(1);
    for (Value value : data->values)
      product = builder.createOrFold<arith::MulIOp>(location, product, value);
    bool keep = op.getKeepdims() && !data->shape.empty();
    return Elements{keep ? SmallVector<int64_t>{1} : SmallVector<int64_t>{}, {product}};
  }

  func::FuncOp function;
  OpBuilder builder;
  Location location = UnknownLoc::get(builder.getContext());
  llvm::DenseMap<Value, Elements> known;
  DimensionOrigins origins;
};

struct ResolveShapes : impl::ResolveShapesBase<ResolveShapes> {
  void runOnOperation() override {
    if (getOperation().getBody().hasOneBlock())
      ShapeResolver(getOperation()).run();
  }
};

} // namespace
} // namespace tenon
