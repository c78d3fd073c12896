# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operators with operands, for every element type of their schemas.

A row of the table names an operator, its operands and its attributes. An operand is

    X(2, 3)          a tensor of the type that is varied (the schema's type parameter of the first operand)
    X(2, 3, low=1)   the same without numbers below 1
    F(...), B(...)   a tensor of float or bool
    I(1, 0)          these integers, int64
    K(2, 3)          a constant of the type that is varied
    None             absent

What ONNX's reference implementation cannot compute is asked of ONNX Runtime; what neither can is left out.
"""
import warnings
from collections import namedtuple

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper

Operand = namedtuple("Operand", "shape low high type values constant", defaults=[False])
Case = namedtuple("Case", "name model data_sets")


def X(*shape, low=None, high=None):
    return Operand(shape, low, high, None, None)


def K(*shape):
    return Operand(shape, None, None, None, None, True)


def F(*shape, low=None, high=None):
    return Operand(shape, low, high, "tensor(float)", None)


def B(*shape):
    return Operand(shape, None, None, "tensor(bool)", None)


def I(*values):
    return Operand((len(values),), None, None, "tensor(int64)", values)


def one(value):
    return Operand((), None, None, "tensor(int64)", value)


def table():
    """Yields (operator, operands, attributes)."""
    unary = """Abs Neg Sign Ceil Floor Round Sqrt Exp Log Sin Cos Tan Atan Sinh Cosh Asinh Relu LeakyRelu Elu Selu Sigmoid
        Tanh Erf Softplus Softsign HardSigmoid HardSwish Gelu Mish Celu ThresholdedRelu IsNaN IsInf Not BitwiseNot
        Reciprocal Identity Shape Size NonZero Swish""".split()
    for name in unary:
        yield name, [X(3, 5, low=0.25 if name in ("Sqrt", "Log", "Reciprocal") else None)], {}
    for name in "Add Sub Mul Max Min Mean Sum Equal Less Greater LessOrEqual GreaterOrEqual And Or Xor BitwiseAnd BitwiseOr BitwiseXor".split():
        yield name, [X(3, 5), X(3, 5)], {}
        yield name, [X(2, 1, 5), X(3, 1)], {}
    yield "Div", [X(3, 5), X(5, low=1)], {}
    yield "Mod", [X(3, 5), X(5, low=1)], {}
    yield "Mod", [X(3, 5), X(5, low=1)], {"fmod": 1}
    yield "Pow", [X(3, 4, low=0, high=3), X(4, low=0, high=3)], {}
    yield "BitShift", [X(3, 5), X(5, low=0, high=3)], {"direction": "LEFT"}
    yield "BitShift", [X(3, 5), X(5, low=0, high=3)], {"direction": "RIGHT"}
    yield "Clip", [X(3, 5), X(low=1, high=1), X(low=3, high=3)], {}
    yield "PRelu", [X(3, 5), X(5)], {}
    yield "Where", [B(3, 5), X(3, 5), X(5)], {}
    for name in "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare".split():
        yield name, [X(3, 5, high=3), I(1)], {}
        yield name, [X(2, 3, 5, high=2)], {"keepdims": 0}
    for name in "ReduceLogSum ReduceLogSumExp".split():
        yield name, [X(3, 5, low=1, high=3), I(1)], {}
    for name in "ArgMax ArgMin".split():
        yield name, [X(3, 5)], {"axis": 1}
    for name in "CumSum CumProd".split():
        yield name, [X(3, 4, high=3), one(1)], {}
    yield "TopK", [X(3, 5), I(2)], {}
    # Moving
    yield "Transpose", [X(3, 5)], {"perm": [1, 0]}
    yield "Reshape", [X(3, 5), I(5, 3)], {}
    yield "Flatten", [X(3, 5, 1)], {}
    yield "Squeeze", [X(3, 1, 5), I(1)], {}
    yield "Unsqueeze", [X(3, 5), I(1)], {}
    yield "Concat", [X(3, 5), X(2, 5)], {"axis": 0}
    yield "Split", [X(4, 5)], {"num_outputs": 1}
    yield "Slice", [X(3, 5), I(0, 4), I(3, 0), I(0, 1), I(1, -2)], {}
    yield "Gather", [X(3, 5), I(2, 0)], {"axis": 1}
    yield "GatherElements", [X(5), I(2, 0, -1)], {}
    yield "GatherND", [X(5, 3), Operand((2, 1), None, None, "tensor(int64)", [[1], [4]])], {}
    yield "ScatterElements", [X(5), I(2, 0), X(2)], {}
    yield "ScatterND", [X(5, 3), Operand((2, 1), None, None, "tensor(int64)", [[1], [4]]), X(2, 3)], {}
    for reduction in "add mul max min".split():
        yield "ScatterElements", [X(5), I(2, 2), X(2)], {"reduction": reduction}
        yield "ScatterND", [X(5, 3), Operand((2, 1), None, None, "tensor(int64)", [[1], [4]]), X(2, 3)], {"reduction": reduction}
    yield "Tile", [X(3, 5), I(2, 1)], {}
    yield "Expand", [X(3, 1), I(2, 3, 5)], {}
    for mode in "constant edge reflect wrap".split():
        yield "Pad", [X(3, 5), I(1, 0, 1, 2)], {"mode": mode}
    yield "DepthToSpace", [X(1, 4, 2, 3)], {"blocksize": 2}
    yield "SpaceToDepth", [X(1, 1, 2, 4)], {"blocksize": 2}
    yield "ReverseSequence", [X(4, 3), I(1, 2, 3)], {}
    yield "Trilu", [X(3, 5)], {}
    yield "EyeLike", [X(3, 5)], {}
    yield "OneHot", [X(3, low=0, high=3), I(4), F(2)], {}
    yield "Compress", [X(4), Operand((4,), None, None, "tensor(bool)", [True, False, True, True])], {}
    yield "Resize", [X(1, 1, 3, 5), None, None, I(1, 1, 5, 7)], {"mode": "nearest"}
    yield "Resize", [X(1, 1, 3, 5), None, None, I(1, 1, 5, 7)], {"mode": "linear"}
    yield "Range", [X(low=1, high=1), X(low=6, high=6), X(low=2, high=2)], {}
    yield "OneHot", [I(0, 2, 1), I(4), X(2)], {}
    yield "Unique", [X(3, 5)], {}
    yield "Unique", [X(4, 2, high=0)], {"axis": 0}
    # Constants: small ones are attributes, larger ones weights; of some, others are folded.
    yield "Concat", [X(3, 5), K(2, 5)], {"axis": 0}
    yield "Concat", [X(1, 128), K(50, 128)], {"axis": 0}
    yield "Where", [B(3, 5), K(3, 5), X(5)], {}
    yield "Transpose", [K(3, 5)], {}
    yield "Unsqueeze", [K(61, 35), I(0)], {}
    # Quantisation. A scale is of the type that is varied where it is divided by.
    for kind in QUANTIZED:
        yield "QuantizeLinear", [X(3, 5), X(low=1, high=2)], {"output_dtype": KINDS[kind]}
        yield "QuantizeLinear", [X(3, 5), X(3, low=1, high=2)], {"output_dtype": KINDS[kind], "axis": 0}
        yield "QuantizeLinear", [X(4, 5), X(2, 5, low=1, high=2)], {"output_dtype": KINDS[kind], "axis": 0, "block_size": 2}
    yield "DequantizeLinear", [X(3, 5), F(low=1, high=2)], {}
    yield "DequantizeLinear", [X(3, 5), F(low=1, high=2), X()], {}
    yield "DequantizeLinear", [X(3, 5), F(5, low=1, high=2), X(5)], {"output_dtype": TensorProto.FLOAT16}
    yield "DequantizeLinear", [X(5, 3), F(2, 3, low=1, high=2), X(2, 3)], {"axis": 0, "block_size": 3}
    yield "DynamicQuantizeLinear", [X(3, 5)], {}
    yield "MatMulInteger", [X(3, 4), X(4, 5), X(), X()], {}
    yield "MatMulInteger", [X(2, 3, 4), X(4, 5), X(), X(5)], {}
    yield "ConvInteger", [X(1, 2, 5, 5), X(3, 2, 3, 3), X(), X()], {"pads": [1, 1, 1, 1]}
    yield "QLinearMatMul", [X(3, 4), F(low=1, high=2), X(), X(4, 5), F(low=1, high=2), X(), F(low=9, high=9), X()], {}
    yield "QLinearConv", [X(1, 2, 5, 5), F(low=1, high=2), X(), X(3, 2, 3, 3), F(3, low=1, high=2), X(3),
                          F(low=9, high=9), X()], {"pads": [1, 1, 1, 1]}
    # Whole operations
    yield "MatMul", [X(3, 4, high=3), X(4, 5, high=3)], {}
    yield "MatMul", [X(2, 3, 4, high=3), X(4, 5, high=3)], {}
    yield "Gemm", [X(3, 4, high=3), X(4, 5, high=3), X(5)], {"alpha": 2.0, "beta": 1.0}
    yield "Einsum", [X(3, 4, high=3), X(4, 5, high=3)], {"equation": "ij,jk->ik"}
    yield "Conv", [X(1, 2, 5, 5), X(3, 2, 3, 3)], {}
    yield "ConvTranspose", [X(1, 2, 3, 3), X(2, 3, 2, 2)], {}
    yield "MaxPool", [X(1, 2, 5, 5)], {"kernel_shape": [2, 2]}
    yield "AveragePool", [X(1, 2, 5, 5)], {"kernel_shape": [2, 2]}
    yield "LpPool", [X(1, 2, 5, 5)], {"kernel_shape": [2, 2]}
    for name in "GlobalAveragePool GlobalMaxPool GlobalLpPool".split():
        yield name, [X(1, 2, 5, 5)], {}
    for name in "Softmax LogSoftmax Hardmax".split():
        yield name, [X(3, 5)], {"axis": 1}
    yield "LpNormalization", [X(3, 5, low=1)], {}
    yield "LRN", [X(1, 4, 3, 3)], {"size": 3}
    yield "LayerNormalization", [X(3, 5), X(5)], {}
    yield "RMSNormalization", [X(3, 5), X(5)], {}
    yield "InstanceNormalization", [X(2, 3, 4), X(3), X(3)], {}
    yield "GroupNormalization", [X(2, 4, 3), X(4), X(4)], {"num_groups": 2}
    yield "BatchNormalization", [X(2, 3, 4), X(3), X(3), X(3), X(3, low=1)], {}


# onnx.TensorProto's names of what the schemas call tensor(...).
KINDS = {f"tensor({name})": kind for name, kind in {
    "float": TensorProto.FLOAT, "double": TensorProto.DOUBLE, "float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16,
    "int8": TensorProto.INT8, "int16": TensorProto.INT16, "int32": TensorProto.INT32, "int64": TensorProto.INT64,
    "uint8": TensorProto.UINT8, "uint16": TensorProto.UINT16, "uint32": TensorProto.UINT32, "uint64": TensorProto.UINT64,
    "bool": TensorProto.BOOL, "complex64": TensorProto.COMPLEX64, "complex128": TensorProto.COMPLEX128,
    "float8e4m3fn": TensorProto.FLOAT8E4M3FN, "float8e4m3fnuz": TensorProto.FLOAT8E4M3FNUZ,
    "float8e5m2": TensorProto.FLOAT8E5M2, "float8e5m2fnuz": TensorProto.FLOAT8E5M2FNUZ, "float8e8m0": TensorProto.FLOAT8E8M0,
    "float4e2m1": TensorProto.FLOAT4E2M1, "int4": TensorProto.INT4, "uint4": TensorProto.UINT4, "int2": TensorProto.INT2,
    "uint2": TensorProto.UINT2, "string": TensorProto.STRING}.items()}
QUANTIZED = [f"tensor({name})" for name in """int8 uint8 int16 uint16 int4 uint4 int2 uint2 float8e4m3fn float8e4m3fnuz float8e5m2
    float8e5m2fnuz float4e2m1""".split()]
# The reference of LRN normalises as many channels as there are images; QLinear operators round before they add the zero point,
# as QuantizeLinear does; integers are interpolated without rounding.
WRONG_REFERENCE = {"LRN", "QLinearMatMul", "QLinearConv", "Resize"}
NARROW = {"tensor(int4)": (-8, 7), "tensor(uint4)": (0, 15), "tensor(int2)": (-2, 1), "tensor(uint2)": (0, 3)}


def fill(operand, kind, random):
    """An array of the operand's shape."""
    dtype = helper.tensor_dtype_to_np_dtype(KINDS[kind])
    if operand.values is not None:
        return np.array(operand.values, dtype).reshape(operand.shape)
    low = -6 if operand.low is None else operand.low
    high = 6 if operand.high is None else operand.high
    if kind.startswith("tensor(u") or kind == "tensor(float8e8m0)":
        low = max(low, 0)
    if kind in NARROW:
        low, high = max(low, NARROW[kind][0]), min(high, NARROW[kind][1])
    if kind == "tensor(string)":
        return random.choice(np.array(["", "a", "b", "ab", "\u00e9", "a b"], object), operand.shape)
    if "complex" in kind:
        return (random.integers(low, high + 1, operand.shape) + 1j * random.integers(low, high + 1, operand.shape)).astype(dtype)
    if kind == "tensor(bool)":
        return random.integers(0, 2, operand.shape).astype(dtype)
    whole = "int" in kind and "float" not in kind
    numbers = random.integers(int(np.ceil(low)), int(high) + 1, operand.shape) if whole else \
        np.round(random.uniform(low, high, operand.shape) * 4) / 4
    return np.asarray(numbers).astype(np.float32 if not whole else np.int64).astype(dtype)


def compute(model, inputs):
    """The outputs of the reference implementation, else of ONNX Runtime, else None."""
    from onnx.reference import ReferenceEvaluator
    try:
        if model.graph.node[0].op_type in WRONG_REFERENCE:
            raise NotImplementedError
        outputs = ReferenceEvaluator(model).run(None, inputs)
        kinds = [output.type.tensor_type.elem_type for output in model.graph.output]
        if all(o is not None and helper.np_dtype_to_tensor_dtype(np.asarray(o).dtype) == k for o, k in zip(outputs, kinds)):
            outputs = [np.asarray(output, object if k == TensorProto.STRING else None) for output, k in zip(outputs, kinds)]
            # It fills strings with zeros.
            if all(isinstance(element, str) for output in outputs if output.dtype == object for element in output.flat):
                return outputs
    except Exception:
        pass
    try:
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, inputs)
    except Exception:
        return None


def make_model(name, operands, kinds, attributes, arrays):
    """One node, whose integer operands are constants, as exporters write them."""
    present = [(f"x{i}", operand, kind, array) for i, (operand, kind, array) in enumerate(zip(operands, kinds, arrays)) if operand]
    names = [f"x{i}" if operand else "" for i, operand in enumerate(operands)]
    fixed = {port for port, operand, _, _ in present if operand.values is not None or operand.constant}
    constants = [onnx.numpy_helper.from_array(array, port) for port, _, _, array in present if port in fixed]
    inputs = [helper.make_tensor_value_info(port, KINDS[kind], array.shape) for port, _, kind, array in present if port not in fixed]
    results = [f"y{i}" for i in range(onnx.defs.get_schema(name).min_output)]
    node = helper.make_node(name, names, results, **attributes)
    graph = helper.make_graph([node], "case", inputs, [onnx.ValueInfoProto(name=result) for result in results], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", onnx.defs.onnx_opset_version())], ir_version=13)
    model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    return model, {port: array for port, _, _, array in present if port not in fixed}


def casts():
    """Every pair of types, over numbers that are whole, halves, too large, and special."""
    numbers = [0, 1, -1, 2, 3, 5, 7, -8, 0.5, -0.5, 1.5, 2.5, 100, -100, 127, 250, 448, 470, 60000, 1e6, -1e6, np.inf, -np.inf, np.nan]
    for source in KINDS:
        for target in KINDS:
            if "complex" in source + target or "string" in source + target:
                continue
            yield source, target, numbers


def casts_of_strings():
    """Numbers as texts and texts as numbers, which both Python and ONNX Runtime agree on."""
    texts = {"float": ["0.1", "-2.5", "1e-7", "INF", "-inf", "NaN", " 3 ", "+7"], "double": ["0.1", "1e300", "-0.0"],
             "bool": ["1", "2.5"]}
    for kind in "int8 int16 int32 int64 uint8 uint16 uint32 uint64".split():
        texts[kind] = ["0", "7", "+100", " 12"] + (["-128"] if kind[0] == "i" else ["255"])
    for kind, values in texts.items():
        yield "tensor(string)", f"tensor({kind})", np.array(values, object)
        if kind not in ("float", "double", "bool"):
            yield f"tensor({kind})", "tensor(string)", np.array([0, 7, 100], helper.tensor_dtype_to_np_dtype(KINDS[f"tensor({kind})"]))
    yield "tensor(float)", "tensor(string)", np.array([0.1, -2.5, 1e-7, 314.15926], np.float32)
    yield "tensor(double)", "tensor(string)", np.array([0.1, -2.5, 1e300, 314.15926])
    yield "tensor(float16)", "tensor(string)", np.array([0.5, -2.25, 0.1], np.float16)


def limited(numbers, source, target):
    """Those of the numbers that both types can tell: out of range is undefined for integers."""
    def bounds(kind):
        if kind == "tensor(bool)":
            return 0, 1
        if kind in NARROW:
            return NARROW[kind]
        if "int" in kind and "float" not in kind:
            info = np.iinfo(helper.tensor_dtype_to_np_dtype(KINDS[kind]))
            return info.min, info.max
        if kind == "tensor(float8e8m0)":
            return 2.0 ** -100, np.inf
        if kind == "tensor(float4e2m1)":
            return -6, 6
        return -np.inf, np.inf
    low = max(bounds(source)[0], bounds(target)[0])
    high = min(bounds(source)[1], bounds(target)[1])
    special = np.isinf(high) and np.isinf(low)
    values = [n for n in numbers if (special and not np.isfinite(n)) or (np.isfinite(n) and low <= n <= high)]
    whole = ["int" in kind and "float" not in kind for kind in (source, target)]
    if any(whole) or target == "tensor(float8e8m0)":
        # What the type makes infinite is out of range, too. (Infinity is E8M0_MAX by the standard, NaN by the reference.)
        held = np.array(values, np.float64).astype(helper.tensor_dtype_to_np_dtype(KINDS[source])).astype(np.float64)
        values = [n for n, h in zip(values, held) if np.isfinite(h)]
    return values


def collect():
    """All cases."""
    warnings.simplefilter("ignore")
    random = np.random.default_rng(0)
    count = {}
    for name, operands, attributes in table():
        schema = onnx.defs.get_schema(name)
        varied = next(i for i, operand in enumerate(operands) if operand and operand.type is None)
        parameter = schema.inputs[min(varied, len(schema.inputs) - 1)].type_str
        allowed = next((c.allowed_type_strs for c in schema.type_constraints if c.type_param_str == parameter), [parameter])
        count[name] = count.get(name, 0) + 1
        for kind in sorted(set(allowed) & set(KINDS)):
            kinds = [operand and (operand.type or kind) for operand in operands]
            arrays = [operand and fill(operand, k, random) for operand, k in zip(operands, kinds)]
            try:
                model, inputs = make_model(name, operands, kinds, attributes, arrays)
            except Exception:
                continue  # not all combinations of types are allowed
            if any(not output.type.HasField("tensor_type") for output in model.graph.output):
                continue  # nothing infers the type
            if kind == "tensor(string)" and "reduction" in attributes:
                continue  # the reference joins and compares strings, the standard says nothing of it
            if kind == "tensor(float8e8m0)" and attributes.get("mode") == "constant":
                continue  # there is no zero to pad with
            if name == "DequantizeLinear" and kind == "tensor(float4e2m1)" and len(operands) > 2:
                continue  # the reference ignores its zero point
            outputs = compute(model, inputs)
            if outputs is not None:
                yield Case(f"{name}_{count[name]}_{kind[7:-1]}", model, [(list(inputs.values()), outputs)])
    arrays = [(source, target, np.array(limited(numbers, source, target), np.float64).astype(helper.tensor_dtype_to_np_dtype(KINDS[source])))
              for source, target, numbers in casts()]
    for source, target, array in arrays + list(casts_of_strings()):
        model, inputs = make_model("Cast", [X(len(array))], [source], {"to": KINDS[target]}, [array])
        outputs = compute(model, inputs)
        if outputs is not None:
            yield Case(f"Cast_{source[7:-1]}_to_{target[7:-1]}", model, [(list(inputs.values()), outputs)])
