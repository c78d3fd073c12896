# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Contrib operators with operands, over element types.

A row of a table names an operator, its operands and its attributes. An operand is

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


def rotary_caches(positions, pairs):
    angles = np.outer(np.arange(positions), 1.0 / 100 ** (np.arange(pairs) / pairs)).astype(np.float32)
    return np.cos(angles), np.sin(angles)


def normalization():
    yield row("SimplifiedLayerNormalization", X(2, 3, 8), W(8), types=FLOATS, domain="")
    yield row("SimplifiedLayerNormalization", X(2, 3, 8), X(3, 8), outputs=2, domain="", axis=1, epsilon=1e-3)
    yield row("LayerNormalization", X(2, 3, 8), W(8), W(8), domain="", opset=12)
    yield row("SimplifiedLayerNormalization", X(2, 5), W(5), domain="", opset=14)
    for count in (3, 4, 5):
        yield row("SkipLayerNormalization", X(2, 3, 8), X(2, 3, 8), *[W(8)] * (count - 2), types=FLOATS, epsilon=1e-5)
    yield row("SkipLayerNormalization", X(2, 3, 8), X(3, 8), W(8), W(8), outputs=4)
    yield row("SkipLayerNormalization", X(2, 3, 8), X(1, 3, 8), W(8), None, W(8), outputs=(0, 3))
    yield row("SkipSimplifiedLayerNormalization", X(2, 3, 8), X(2, 3, 8), W(8), types=FLOATS, epsilon=1e-6)
    yield row("SkipSimplifiedLayerNormalization", X(2, 3, 8), X(2, 3, 8), W(8), W(8), outputs=(0, 3))
    tokens, segments = i32(3, 1, 4, 1, 5, 2).array.reshape(2, 3), i32(0, 1, 1, 0, 0, 1).array.reshape(2, 3)
    tables = [W(6, 8), W(7, 8), W(2, 8), W(8), W(8)]
    yield row("EmbedLayerNormalization", A(tokens), A(segments), *tables, types=FLOATS, outputs=2)
    yield row("EmbedLayerNormalization", A(tokens), A(segments), *tables, A(segments), outputs=3)
    yield row("EmbedLayerNormalization", A(tokens), None, tables[0], tables[1], None, *tables[3:], outputs=2, epsilon=1e-5)
    yield row("EmbedLayerNormalization", A(tokens), A(segments), *tables, A(segments), A([[2, 0, 1]], np.int32), outputs=2)


def activations():
    yield row("Gelu", X(3, 5, low=-4, high=4), types=FLOATS)
    yield row("BiasGelu", X(2, 3, 5), X(5), types=FLOATS)
    yield row("FastGelu", X(2, 3, 5, low=-4, high=4), types=FLOATS)
    yield row("FastGelu", X(2, 3, 5), X(5), types=FLOATS)
    yield row("QuickGelu", X(2, 3, 5, low=-4, high=4), types=FLOATS)
    yield row("QuickGelu", X(7), alpha=0.5)


def attention():
    for each in multi_head():
        yield each._replace(width=True)


def multi_head():
    B, S, N, H, D = 2, 5, 3, 4, 12
    weights, bias = W(10, 3 * D), W(3 * D)
    x = X(B, S, 10)
    lengths, starts = i32(3, 5).array, i32(1, 0).array
    keys = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 1]], np.int32)
    yield row("Attention", x, weights, bias, num_heads=N)
    yield row("Attention", x, weights, None, num_heads=N, scale=0.3, unidirectional=1)
    yield row("Attention", x, weights, bias, A(lengths), num_heads=N)
    yield row("Attention", x, weights, bias, A(np.concatenate([lengths, starts])), num_heads=N)
    yield row("Attention", x, weights, bias, A(keys), num_heads=N, unidirectional=1)
    yield row("Attention", x, weights, bias, A(np.repeat(keys[:, None], S, 1)), num_heads=N, mask_filter_value=-50.0)
    yield row("Attention", x, weights, bias, None, X(2, B, N, 4, H), num_heads=N, outputs=2, unidirectional=1)
    yield row("Attention", x, weights, bias, A(np.concatenate([keys, keys], 1)[:, :9].copy()), X(2, B, N, 4, H), num_heads=N, outputs=2)
    yield row("Attention", x, weights, bias, None, None, X(B, 1, S, S), num_heads=N, outputs=2)
    yield row("Attention", X(1, 1, 10), W(10, 2 * D + 6), W(2 * D + 6), num_heads=N, qkv_hidden_sizes=[D, D, 6])

    q, k, v = X(B, S, D), X(B, 7, D), X(B, 7, 6)
    seven = np.array([[1, 1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 1, 1]], np.int32)
    yield row("MultiHeadAttention", q, q, q, num_heads=N)
    yield row("MultiHeadAttention", q, k, v, W(2 * D + 6), num_heads=N)
    yield row("MultiHeadAttention", q, k, k, None, A(seven), num_heads=N, scale=0.5)
    yield row("MultiHeadAttention", q, k, k, None, i32(4, 7), num_heads=N)
    yield row("MultiHeadAttention", q, k, k, None, A(np.repeat(seven[:, None], S, 1)), num_heads=N)
    yield row("MultiHeadAttention", q, k, k, None, None, X(B, N, S, 7), num_heads=N)
    yield row("MultiHeadAttention", q, k, k, None, A(seven), X(1, 1, S, 7), num_heads=N, mask_filter_value=-3.0)
    yield row("MultiHeadAttention", q, X(B, N, 7, H), X(B, N, 7, H), num_heads=N)
    yield row("MultiHeadAttention", q, q, q, None, None, None, X(B, N, 2, H), X(B, N, 2, H), num_heads=N, outputs=3, unidirectional=1)
    yield row("MultiHeadAttention", q, q, q, None, None, None, X(B, N, 2, H), X(B, N, 2, H), num_heads=N, outputs=4)
    yield row("MultiHeadAttention", q, q, q, num_heads=N, outputs=3)
    def unpack(packed):
        """The CPU has no kernel for packed operands."""
        parts = [np.ascontiguousarray(packed[:, :, :, i]).reshape(B, S, D) for i in range(3)]
        return run(row("MultiHeadAttention", *map(A, parts), num_heads=N), parts)

    yield row("MultiHeadAttention", X(B, S, N, 3, H), num_heads=N, expected=unpack)

    cosines, sines = rotary_caches(16, H // 2)
    positions = np.array([[0, 1, 2, 3, 4], [5, 6, 7, 3, 1]], np.int64)
    for interleaved in (0, 1):
        yield row("RotaryEmbedding", q, A(positions), C(cosines), C(sines), interleaved=interleaved)
        yield row("RotaryEmbedding", q, i64(2), C(cosines), C(sines), interleaved=interleaved)
    yield row("RotaryEmbedding", X(B, N, S, H), A(positions), C(cosines), C(sines))
    yield row("RotaryEmbedding", X(B, S, N * 8), A(positions), C(cosines), C(sines), num_heads=N, rotary_embedding_dim=4)


def group_query():
    for each in grouped():
        yield each._replace(width=True)


def grouped():
    B, S, N, G, H = 2, 4, 4, 2, 16
    cosines, sines = rotary_caches(16, H // 2)
    rotary = dict(do_rotary=1)
    prompt = [X(B, S, N * H), X(B, S, G * H), X(B, S, G * H)]
    heads = dict(num_heads=N, kv_num_heads=G)
    yield row("GroupQueryAttention", *prompt, None, None, i32(3, 3), C(4, np.int32), outputs=3, **heads)
    yield row("GroupQueryAttention", *prompt, None, None, i32(3, 3), C(4, np.int32), C(cosines), C(sines), outputs=3, **heads, **rotary)
    yield row("GroupQueryAttention", X(B, S, (N + 2 * G) * H), None, None, None, None, i32(3, 3), C(4, np.int32), C(cosines), C(sines),
              outputs=3, rotary_interleaved=1, **heads, **rotary)
    # A cache that grows, and one with room: what lies beyond the tokens is zero, as ONNX Runtime leaves it.
    step = [X(B, 1, N * H), X(B, 1, G * H), X(B, 1, G * H)]
    past = [X(B, G, 6, H), X(B, G, 6, H)]
    yield row("GroupQueryAttention", *step, *past, i32(6, 6), A(7, np.int32), outputs=3, **heads)
    yield row("GroupQueryAttention", *step, *past, i32(6, 6), C(7, np.int32), C(cosines), C(sines), outputs=3, **heads, **rotary)
    room = np.random.default_rng(1).uniform(-1, 1, (2, B, G, 12, H)).astype(np.float32)
    room[:, 0, :, 4:], room[:, 1, :, 7:] = 0, 0
    cache = [A(room[0]), A(room[1])]
    for more in ({}, dict(local_window_size=3), dict(softcap=2.0), dict(scale=0.7), dict(smooth_softmax=1), dict(smooth_softmax=1, local_window_size=3, softcap=3.0)):
        yield row("GroupQueryAttention", *step, *cache, i32(4, 7), C(8, np.int32), outputs=3, **heads, **more)
    yield row("GroupQueryAttention", *step, *cache, i32(4, 7), C(8, np.int32), C(cosines), C(sines), A([[4], [7]], np.int64),
              outputs=3, **heads, **rotary)
    yield row("GroupQueryAttention", *step, *cache, i32(4, 7), C(8, np.int32), None, None, None, X(1, N, 1, 8), outputs=3, **heads)
    yield row("GroupQueryAttention", *step, *cache, i32(4, 7), C(8, np.int32), None, None, None, None, W(N), outputs=3, **heads)
    one = [X(1, 3, N * H), X(1, 3, G * H), X(1, 3, G * H)]
    yield row("GroupQueryAttention", *one, X(1, G, 5, H), X(1, G, 5, H), i32(7), C(8, np.int32), outputs=3, **heads)
    yield row("GroupQueryAttention", *one, X(1, G, 5, H), X(1, G, 5, H), i32(7), C(8, np.int32), outputs=3, local_window_size=2, **heads)
    yield row("GroupQueryAttention", *prompt, None, None, i32(3, 3), C(4, np.int32), outputs=3, causal=0, **heads)


def products():
    for a, b, attributes in [((3, 4), (4, 5), {}), ((2, 4, 3), (4, 5), dict(transA=1)), ((2, 3, 4), (2, 5, 4), dict(transB=1, alpha=0.5)),
                             ((4, 3), (2, 5, 4), dict(transA=1, transB=1, alpha=2.0)), ((3, 2, 4), (2, 4, 5), dict(transBatchA=1)),
                             ((4, 2, 3), (5, 2, 4), dict(transA=1, transBatchA=1, transB=1, transBatchB=1))]:
        yield row("FusedMatMul", X(*a), X(*b), **attributes)
    yield row("FusedMatMul", X(3, 4), W(4, 5), types=("f64",))
    yield row("TransposeMatMul", X(4, 3), X(4, 5), transA=1, alpha=3.0)
    for activation, parameters in [("Relu", {}), ("Tanh", {}), ("Sigmoid", {}), ("LeakyRelu", dict(activation_alpha=0.2)),
                                   ("HardSigmoid", dict(activation_alpha=0.3, activation_beta=0.4))]:
        yield row("FusedGemm", X(3, 4), X(5, 4), X(5), transB=1, alpha=0.5, activation=activation, **parameters)
    yield row("FusedGemm", X(4, 3), X(4, 5), transA=1, activation="Relu")
    for activation, parameters in [("Relu", None), ("Tanh", None), ("Sigmoid", None), ("LeakyRelu", [0.1]), ("Clip", [-0.5, 0.5]), ("HardSigmoid", [0.2, 0.5])]:
        more = {} if parameters is None else {"activation_params": parameters}
        yield row("FusedConv", X(1, 4, 6, 6), W(4, 4, 3, 3), W(4), activation=activation, pads=[1, 1, 1, 1], **more)
    yield row("FusedConv", X(2, 4, 7, 5), W(6, 2, 3, 3), None, X(2, 6, 3, 2), activation="Relu", group=2, strides=[2, 2], kernel_shape=[3, 3])


def narrow_weights():
    for bits in (2, 4, 8):
        per = 8 // bits
        for inner, outer, block in [(32, 8, 16), (64, 24, 32), (40, 5, 16)]:
            blocks = -(-inner // block)
            codes = random_bytes(outer, blocks, block // per, seed=bits + inner)
            scales = np.random.default_rng(3).uniform(0.1, 1, (outer, blocks)).astype(np.float32)
            zeros = random_bytes(outer, -(-blocks // per), seed=5)
            attributes = dict(K=inner, N=outer, bits=bits, block_size=block)
            yield row("MatMulNBits", X(2, 3, inner), C(codes), C(scales), **attributes)
            yield row("MatMulNBits", X(3, inner), C(codes), C(scales), C(zeros), None, W(outer), **attributes)
    codes, scales = random_bytes(16, 8, 16), np.ones((16, 8), np.float32)
    yield row("MatMulNBits", X(1, 256), C(random_bytes(16, 8, 16)), W(16, 8, low=0.1), types=("f16",), K=256, N=16, bits=4, block_size=32)
    yield row("MatMulNBits", X(2, 256), C(random_bytes(16, 8, 16)), W(16, 8), W(16, 8, low=0, high=15), K=256, N=16, bits=4, block_size=32)
    for kind in (0, 1):
        for inner, outer, block in [(32, 8, 16), (48, 6, 64), (128, 32, 32)]:
            yield row("MatMulBnb4", X(2, 3, inner), C(random_bytes((inner * outer + 1) // 2, seed=kind)), W(-(-inner * outer // block), low=0.1),
                      K=inner, N=outer, block_size=block, quant_type=kind)
    for kind in (np.int64, np.int32):
        at = np.array([[1, 0], [3, 1]], kind)
        for bits in (2, 4, 8):
            data = random_bytes(6, 64 * bits // 8, seed=bits)
            zeros = random_bytes(6, max(1, 4 * bits // 8), seed=2)
            yield row("GatherBlockQuantized", C(data), A(at), W(6, 4, low=0.1), bits=bits, block_size=16, quantize_axis=1)
            yield row("GatherBlockQuantized", C(data), A(at), W(6, 4, low=0.1), C(zeros), bits=bits, block_size=16, quantize_axis=1)
    yield row("GatherBlockQuantized", C(random_bytes(600, 32)), A(at), W(600, 2, low=0.1), bits=4, block_size=32, quantize_axis=1)
    for kind in (ml_dtypes.int4, ml_dtypes.uint4):
        data = (random_bytes(4, 5, 32) % 8).astype(kind)
        yield row("GatherBlockQuantized", C(data), A(at), W(4, 5, 2, low=0.1), block_size=16, gather_axis=0, quantize_axis=2)
        yield row("GatherBlockQuantized", C(data), A(at), W(4, 5, 2, low=0.1), C((random_bytes(4, 5, 2) % 8).astype(kind)), block_size=16, gather_axis=1, quantize_axis=2)


FAMILIES = [normalization, activations, attention, group_query, products, narrow_weights]


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
            free = array.ndim - (row.width and array.ndim > 2)
            shape[:free] = [f"{names[i]}_{dim}" for dim in range(free)]
        inputs.append(helper.make_tensor_value_info(names[i], element_type(array), shape))
    shown = range(row.outputs) if isinstance(row.outputs, int) else row.outputs
    results = ["" if i not in shown else f"y{i}" for i in range(max(shown) + 1)]
    attributes = {name: value for name, value in row.attributes.items() if name not in ("domain", "opset")}
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


def collect():
    """All cases."""
    warnings.simplefilter("ignore")
    random = np.random.default_rng(0)
    count = {}
    for row in (row for family in FAMILIES for row in family()):
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
