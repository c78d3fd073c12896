# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rows (see rows.py) of quantised operators, over unsigned and signed bytes."""
import numpy as np
from rows import A, C, W, X, row, run

BYTES = {np.uint8: 128, np.int8: 3}


def codes(kind, *shape, seed=0):
    low, high = (0, 256) if kind == np.uint8 else (-128, 128)
    return A(np.random.default_rng(seed).integers(low, high, shape).astype(kind))


def f32(value):
    return C(value, np.float32)


def zero(kind, shift=0):
    return C(BYTES[kind] + shift, kind)


def elementwise():
    for kind in BYTES:
        for operator in ("QLinearAdd", "QLinearMul"):
            yield row(operator, codes(kind, 2, 3, 5), f32(0.031), zero(kind), codes(kind, 2, 3, 5, seed=1), f32(0.0517), zero(kind, 4), f32(0.0713), zero(kind, -2))
            yield row(operator, codes(kind, 2, 3, 5), f32(0.031), zero(kind), codes(kind, 5, seed=1), f32(0.0517), zero(kind), f32(0.113), zero(kind))
        yield row("QLinearSigmoid", codes(kind, 3, 7), f32(0.04), zero(kind), f32(1 / 256), C(0 if kind == np.uint8 else -128, kind))
        yield row("QLinearLeakyRelu", codes(kind, 3, 7), f32(0.04), zero(kind), f32(0.03), zero(kind, 5), alpha=0.2)
        yield row("QLinearSoftmax", codes(kind, 3, 7), f32(0.04), zero(kind), f32(1 / 256), C(0 if kind == np.uint8 else -128, kind), axis=-1, opset_=13)
        yield row("QLinearSoftmax", codes(kind, 3, 2, 7), f32(0.04), zero(kind), f32(1 / 256), C(0 if kind == np.uint8 else -128, kind), axis=1, opset_=11)
        yield row("QLinearSoftmax", codes(kind, 3, 4, 2), f32(0.04), zero(kind), f32(1 / 256), C(0 if kind == np.uint8 else -128, kind), axis=1, opset_=13)
        yield row("QLinearConcat", f32(0.05), zero(kind), codes(kind, 2, 3), f32(0.03), zero(kind, 1), codes(kind, 2, 4, seed=1), f32(0.05), zero(kind), axis=1)
        condition = A(np.random.default_rng(0).integers(0, 2, (3, 1)).astype(bool))
        yield row("QLinearWhere", condition, codes(kind, 3, 5), f32(0.03), zero(kind), codes(kind, 5, seed=1), f32(0.05), zero(kind, 1), f32(0.04), zero(kind, 2))
        yield row("QLinearReduceMean", codes(kind, 3, 4, 5), f32(0.031), zero(kind), f32(0.0237), zero(kind, 3), axes=[1, 2], keepdims=1,
                  expected=lambda x, scale, shift, to, offset: reduce_mean(x, scale, shift, to, offset))
    # Of numbers of 8 and 16 bits to and from f32, per tensor and per channel.
    for kind in (np.uint8, np.int8, np.uint16, np.int16):
        yield row("QuantizeLinear", X(3, 5, low=-4, high=4), f32(0.05), C(7, kind))
        yield row("DequantizeLinear", A(np.arange(15).reshape(3, 5).astype(kind)), f32(0.05), C(7, kind))
    yield row("QuantizeLinear", X(3, 5, low=-4, high=4), f32([0.05, 0.02, 0.03]), C([1, 2, 3], np.uint8), axis=0)
    yield row("DequantizeLinear", codes(np.int8, 3, 5), f32([0.05, 0.02, 0.03, 0.04, 0.05]), C([1, 2, 3, 4, 5], np.int8), axis=1)


def reduce_mean(x, scale, shift, to, offset):
    """ONNX Runtime has no kernel of its own for it."""
    mean = ((x.astype(np.float32) - np.float32(shift)) * scale).mean((1, 2), keepdims=True)
    info = np.iinfo(x.dtype)
    return [np.clip(np.rint(mean / to) + np.float32(offset), info.min, info.max).astype(x.dtype)]


def pools():
    for kind in BYTES:
        operands = [f32(0.031), zero(kind), f32(0.0237), zero(kind, 3)]  # that make no ties
        for last in (0, 1):
            image = codes(kind, 2, 6, 5, 3) if last else codes(kind, 2, 3, 6, 5)
            yield row("QLinearGlobalAveragePool", image, *operands, channels_last=last)
            yield row("QLinearAveragePool", image, *operands, channels_last=last, kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])
            yield row("QLinearAveragePool", image, *operands, channels_last=last, kernel_shape=[2, 2], pads=[1, 1, 0, 0], count_include_pad=1, ceil_mode=1)
        yield row("NhwcMaxPool", codes(kind, 2, 6, 5, 3), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        yield row("NhwcMaxPool", codes(kind, 1, 6, 5, 3), kernel_shape=[2, 2], dilations=[2, 1])
        filters = C(codes(np.int8, 4, 3, 3, 3, seed=2).array)
        scales = f32(np.linspace(0.01, 0.02, 4))
        yield row("QLinearConv", codes(kind, 1, 6, 5, 3), f32(0.03), zero(kind), filters, scales, C([0] * 4, np.int8), f32(0.3), zero(kind), channels_last=1,
                  pads=[1, 1, 1, 1])
        yield row("QLinearConv", codes(kind, 1, 3, 6, 5), f32(0.03), zero(kind), filters, scales, C([0] * 4, np.int8), f32(0.3), zero(kind),
                  C([100, -200, 3000, 5], np.int32), strides=[2, 2])


def products():
    for kind in BYTES:
        weights = C(codes(np.int8, 6, 4, seed=3).array)
        yield row("MatMulIntegerToFloat", codes(kind, 2, 3, 6), weights, f32(0.03), f32(0.02), zero(kind), C(2, np.int8), W(4))
        yield row("MatMulIntegerToFloat", codes(kind, 3, 6), weights, f32(0.03), f32([0.01, 0.02, 0.03, 0.04]), zero(kind), C([1, 0, -3, 2], np.int8))
        if kind == np.uint8:
            yield row("MatMulIntegerToFloat", codes(kind, 3, 6), C(codes(np.uint8, 6, 4).array), f32(0.03), f32(0.02))
        for shape in ("scalar", "column"):
            column = [0.01, 0.02, 0.03, 0.04] if shape == "column" else 0.02
            yield row("QGemm", codes(kind, 3, 6), f32(0.03), zero(kind), weights, f32(column), C([0] * 4 if shape == "column" else 0, np.int8),
                      C([10, -20, 300, 0], np.int32), f32(0.2), zero(kind))
        yield row("QGemm", codes(kind, 6, 3), f32(0.03), zero(kind), C(codes(np.int8, 4, 6).array), f32(0.02), C(1, np.int8), transA=1, transB=1, alpha=0.5)
        if kind == np.int8:
            continue  # ONNX Runtime's attention has unsigned inputs
        yield row("QAttention", codes(kind, 2, 5, 8), C(codes(np.int8, 8, 36).array), W(36), f32(0.02), f32(0.01), None, zero(kind), C(0, np.int8), num_heads=3,
                  width=True)
        yield row("QAttention", codes(kind, 2, 5, 8), C(codes(np.int8, 8, 36).array), W(36), f32(0.02), f32(0.01), A([3, 5], np.int32), zero(kind), C(0, np.int8),
                  X(2, 2, 3, 4, 4), num_heads=3, outputs=2, unidirectional=1, width=True)
    for kind in (np.int8, np.uint8):
        weights = C(codes(kind, 6, 4, seed=3).array)
        yield row("DynamicQuantizeMatMul", X(2, 3, 6), weights, f32(0.02), C(BYTES[kind], kind), W(4))
        yield row("DynamicQuantizeMatMul", X(3, 6), weights, f32([0.01, 0.02, 0.03, 0.04]))
        yield row("MulInteger", codes(kind, 3, 5), zero(kind), codes(kind, 5, seed=1), zero(kind, 1), expected=multiply)
        yield row("ReduceSumInteger", codes(kind, 3, 5), axes=[1], keepdims=0,
                  expected=lambda x: [x.sum(1, dtype=np.uint32 if x.dtype == np.uint8 else np.int32)])
    yield row("MatMulInteger16", A(np.arange(-6, 6, dtype=np.int16).reshape(3, 4) * 700), A(np.arange(8, dtype=np.int16).reshape(4, 2) * 90))
    yield from recurrences()


def multiply(a, a_zero, b, b_zero):
    """ONNX Runtime has no kernel for the CPU."""
    return [(a.astype(np.int32) - np.int32(a_zero)) * (b.astype(np.int32) - np.int32(b_zero))]


def recurrences():
    I, H = 3, 4
    for gates in (False, True):
        scales = [f32(np.full((1, 4 * H) if gates else (1,), scale)) for scale in (0.01, 0.02)]
        zeros = [C(np.full((1, 4 * H) if gates else (1,), 0), np.int8) for _ in range(2)]

        def restore(x, w, r, b, *rest):
            """Those of an LSTM of numbers: ONNX Runtime's also rounds its input."""
            numbers = [(array.astype(np.float32) * scale.array[..., None, :] if gates else array * scale.array[:, None, None]).transpose(0, 2, 1)
                       for array, scale in ((w, scales[0]), (r, scales[1]))]
            arrays = [x, *(np.ascontiguousarray(number, np.float32) for number in numbers), b]
            return run(row("LSTM", *map(A, arrays), domain="", hidden_size=H, outputs=3), arrays)

        yield row("DynamicQuantizeLSTM", X(5, 2, I), C(codes(np.int8, 1, I, 4 * H).array), C(codes(np.int8, 1, H, 4 * H, seed=1).array), W(1, 8 * H), None, None,
                  None, None, scales[0], zeros[0], scales[1], zeros[1], hidden_size=H, outputs=3, expected=restore)


FAMILIES = [elementwise, pools, products]
