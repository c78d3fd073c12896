# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a row of the tables of this folder says, and how it becomes cases.

A row names an operator, its operands and its attributes. An operand is

    X(2, 3)          random numbers of the type that is varied
    X(2, 3, low=1)   the same without numbers below 1
    W(2, 3)          the same, as a constant of the model
    A(array)         this array, in its own type
    C(array)         the same, as a constant of the model
    None             absent

Keywords of a row: `types`, those that are varied (f32 if not given); `outputs`, their number (0: of which a name is empty); `width`,
whether last dimensions stay as they are in the dynamic form, because the operator needs to know how large a head is; `expected`, a function from the
operands to the outputs, where ONNX Runtime has no kernel for the CPU.
"""
import warnings
from collections import namedtuple

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper

DOMAIN = "com.microsoft"
Operand = namedtuple("Operand", "shape low high array constant")
Case = namedtuple("Case", "name model data_sets")
Row = namedtuple("Row", "operator operands attributes types outputs width expected")
TYPES = {"f32": np.float32, "f64": np.float64, "f16": np.float16, "bf16": ml_dtypes.bfloat16, "i8": np.int8, "u8": np.uint8,
         "i16": np.int16, "u16": np.uint16, "i32": np.int32, "i64": np.int64, "bool": np.bool_}
FLOATS = ("f32", "f16")


def X(*shape, low=-1.0, high=1.0):
    return Operand(shape, low, high, None, False)


def W(*shape, low=-1.0, high=1.0):
    return Operand(shape, low, high, None, True)


def A(values, dtype=None):
    array = np.asarray(values, dtype)
    return Operand(array.shape, None, None, array, False)


def C(values, dtype=None):
    return A(values, dtype)._replace(constant=True)


def row(operator, *operands, types=("f32",), outputs=1, width=False, expected=None, **attributes):
    return Row(operator, operands, attributes, types, outputs, width, expected)


def i32(*values):
    return A(values, np.int32)


def i64(*values):
    return A(values, np.int64)


def random_bytes(*shape, seed=0, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8).view(dtype)


def fill(operand, kind, random):
    if operand.array is not None:
        return operand.array
    values = random.uniform(operand.low, operand.high, operand.shape)
    return np.asarray(values).astype(np.float32).astype(TYPES[kind])


def element_type(array):
    return helper.np_dtype_to_tensor_dtype(array.dtype)


def make_model(row, arrays, dynamic, output_types=None):
    """One node; operands that are constants are initializers."""
    names = [f"x{i}" if operand else "" for i, operand in enumerate(row.operands)]
    inputs, constants = [], []
    for i, (operand, array) in enumerate(zip(row.operands, arrays)):
        if operand is None:
            continue
        if operand.constant:
            constants.append(onnx.numpy_helper.from_array(array, names[i]))
            continue
        shape = list(array.shape)
        if dynamic:
            free = array.ndim - (row.width and array.ndim > 1)
            shape[:free] = [f"{names[i]}_{dim}" for dim in range(free)]
        inputs.append(helper.make_tensor_value_info(names[i], element_type(array), shape))
    shown = range(row.outputs) if isinstance(row.outputs, int) else row.outputs
    results = ["" if i not in shown else f"y{i}" for i in range(max(shown) + 1)]
    attributes = {name: value for name, value in row.attributes.items() if name not in ("domain", "opset")}
    attributes = {name.removesuffix("_"): value for name, value in attributes.items()}
    domain = row.attributes.get("domain", DOMAIN)
    node = helper.make_node(row.operator, names, results, domain=domain, **attributes)
    present = [result for result in results if result]
    outputs = [onnx.ValueInfoProto(name=result) for result in present]
    for output, kind in zip(outputs, output_types or ()):
        output.type.tensor_type.elem_type = kind
    graph = helper.make_graph([node], "case", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", row.attributes.get("opset", 21))]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def compute(model, inputs):
    """What ONNX Runtime computes without optimisation."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def run(row, arrays, kind="f32"):
    """What ONNX Runtime computes for a row; a second time with the types of its results, where nothing infers them."""
    inputs = {f"x{i}": array for i, (array, operand) in enumerate(zip(arrays, row.operands)) if operand and not operand.constant}
    try:
        return compute(make_model(row, arrays, False), inputs)
    except Exception as error:
        if "type inference failed" not in str(error):
            raise
        return compute(make_model(row, arrays, False, [element_type(np.zeros(1, TYPES[kind]))] * 16), inputs)


def collect(families):
    """The cases of tables, each as it is and with every dimension of its inputs dynamic."""
    warnings.simplefilter("ignore")
    random = np.random.default_rng(0)
    count = {}
    for row in (row for family in families for row in family()):
        count[row.operator] = count.get(row.operator, 0) + 1
        reasons = []
        for kind in row.types:
            arrays = [operand and fill(operand, kind, random) for operand in row.operands]
            inputs = {f"x{i}": array for i, (array, operand) in enumerate(zip(arrays, row.operands)) if operand and not operand.constant}
            try:
                outputs = row.expected(*arrays) if row.expected else run(row, arrays, kind)
            except Exception as error:
                reasons.append(f"{kind}: {error}")
                continue
            for form in ("static", "dynamic"):
                model = make_model(row, arrays, form == "dynamic", [element_type(output) for output in outputs])
                yield Case(f"{row.operator}_{count[row.operator]}_{kind}_{form}", model, [(list(inputs.values()), outputs)])
        if len(reasons) == len(row.types):
            raise ValueError(f"nothing computes case {count[row.operator]} of {row.operator}: {'; '.join(reasons)}")
