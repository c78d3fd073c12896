# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rows (see rows.py) of operators that compute element by element or move elements."""
import ml_dtypes
import numpy as np
from rows import A, C, W, X, i32, i64, row, run


def movement():
    yield row("ExpandDims", X(3, 5), C(1, np.int32), types=("f32", "i64"))
    yield row("ExpandDims", X(3, 5), C(-1, np.int32))
    for kind, values in ((np.float32, (0.5, 4.0, 0.75)), (np.int64, (3, 20, 4)), (np.int32, (5, -4, -2)), (np.int16, (1, 9, 3))):
        yield row("Range", *[A(value, kind) for value in values])
    yield row("Range", C(2, np.int64), C(9, np.int64))
    for mode in ("constant", "reflect", "edge"):
        yield row("Pad", X(3, 5), C([1, 0, 2, 1], np.int64), mode=mode)
    yield row("Pad", X(3, 5), C([1, -1, 0, 2], np.int64), C([7.0], np.float32))
    for upper in (0, 1):
        yield row("Trilu", X(2, 3, 5), types=("f32", "i64"), upper=upper)
        yield row("Trilu", X(3, 5), C(-1, np.int64), upper=upper)
    yield row("Unique", A(np.array([2, 1, 1, 3, 4, 3, -1], np.float32)), outputs=3)
    yield row("GatherND", X(3, 5), A(np.array([[0, 1], [2, 4]], np.int32)), width=True)
    yield row("GatherND", X(3, 5), A(np.array([[2], [1]], np.int64)), width=True)
    yield row("TorchEmbedding", W(6, 4), A(np.array([[1, 0], [5, 3]], np.int64)), expected=lambda table, at: [table[at]])
    yield row("UnfoldTensor", X(2, 7, 3), dim=1, size=3, step=2)
    yield row("UnfoldTensor", X(2, 8), size=4)
    for length in (2, 3):
        tokens = np.array([[1, 2, 3, 1, 2], [4, 4, 4, 4, 4]], np.int64)
        yield row("NGramRepeatBlock", A(tokens), X(2, 6), ngram_size=length)
    yield row("NGramRepeatBlock", A(np.array([[1, 2]], np.int64)), X(1, 6), ngram_size=4)


def sampling():
    boxes = np.array([[0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], [-0.2, 0.3, 0.5, 1.3], [0.7, 0.6, 0.2, 0.1]], np.float32)
    for mode in ("bilinear", "nearest"):
        yield row("CropAndResize", X(2, 3, 6, 5), A(boxes), i32(0, 1, 1, 0), C([4, 3], np.int32), mode=mode)
    yield row("CropAndResize", X(2, 3, 6, 5), A(boxes), i32(0, 1, 1, 0), C([1, 1], np.int32), extrapolation_value=2.0)
    grid = np.random.default_rng(0).uniform(-1.2, 1.2, (2, 4, 3, 2)).astype(np.float32)
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            yield row("GridSample", X(2, 3, 6, 5), A(grid), mode=mode, padding_mode=padding, align_corners=int(padding == "border"), width=True)
    square = np.random.default_rng(1).uniform(-1, 1, (2, 4, 4)).astype(np.float32) + 2 * np.eye(4, dtype=np.float32)
    yield row("Inverse", A(square))
    yield row("Inverse", A(np.float32([[0, 2], [1, 0]])))
    yield row("Inverse", A(square.astype(np.float64)))


def silu(x, alpha=1.0):
    return x / (1 + np.exp(-alpha * x))


def numbers():
    yield row("CDist", X(3, 5), X(4, 5), types=("f32", "f64"))
    yield row("CDist", X(3, 5), X(4, 5), metric="euclidean")
    yield row("ComplexMul", X(3, 5, 2), X(5, 2), expected=lambda a, b: complex_product(a, b))
    yield row("ComplexMulConj", X(3, 5, 2), X(3, 5, 2), expected=lambda a, b: complex_product(a, b * np.float32([1, -1])))
    yield row("Rfft", X(3, 8), expected=lambda x: [np.ascontiguousarray(np.fft.rfft(x)).astype(np.complex64).view(np.float32).reshape(3, 5, 2)])
    # What follows has kernels for other devices only: their definition is short.
    yield row("SwiGLU", X(3, 8), X(3, 8), expected=lambda g, u: [silu(g) * u])
    yield row("SwiGLU", X(3, 8), expected=lambda x: [silu(np.minimum(x[:, :4], 0.5), 1.7) * (np.clip(x[:, 4:], -0.5, 0.5) + 1)], limit=0.5,
              activation_alpha=1.7, activation_beta=1.0)
    yield row("ScaledSiLU", X(3, 8), expected=lambda x: [silu(2 * x)], alpha=2.0)
    yield row("GatedRMSNorm", X(2, 3, 8), W(4), X(2, 3, 8), expected=gated_norm)
    yield row("BiasSplitGelu", X(2, 3, 8), W(8), expected=split_gelu)
    yield row("BiasAdd", X(2, 3, 8), W(8), X(2, 3, 8), expected=lambda x, b, s: [x + b + s])
    yield row("BiasSoftmax", X(2, 3, 4, 5), X(2, 1, 1, 5), expected=lambda x, b: [softmax(x + b)], axis=3, is_inner_broadcast=1)
    yield row("BiasDropout", X(3, 5), W(5), X(3, 5), expected=lambda x, b, r: [x + b + r])
    yield row("GemmFastGelu", X(3, 4), W(4, 5), W(5), expected=lambda x, w, b: run(row("FastGelu", A(x @ w), A(b)), [x @ w, b]))
    yield row("GroupNorm", X(2, 4, 3, 8), W(8), W(8), expected=lambda x, g, b: [group_norm(x, g, b, 2, 1)], groups=2, activation=1, width=True)
    yield row("GroupNorm", X(2, 8, 4, 3), W(8), W(8), groups=4, activation=0, channels_last=0,
              expected=lambda x, g, b: [group_norm(x.transpose(0, 2, 3, 1), g, b, 4, 0).transpose(0, 3, 1, 2)])
    yield row("SkipGroupNorm", X(2, 4, 3, 8), W(8), W(8), X(2, 8), W(8), groups=2, activation=0, outputs=2,
              expected=lambda x, g, b, s, c: [group_norm(x + s[:, None, None] + c, g, b, 2, 0), x + s[:, None, None] + c])

    def convolve(x, w, b):
        inner = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        return [run(row("Conv", A(inner), A(w), A(b), domain="", pads=[1, 1, 1, 1]), [inner, w, b])[0].transpose(0, 2, 3, 1)]

    yield row("NhwcConv", X(1, 6, 5, 3), W(4, 3, 3, 3), W(4), expected=convolve, pads=[1, 1, 1, 1])
    for activation in ("Relu", "Softmax"):
        yield row("FusedMatMulActivation", X(3, 4), X(4, 5), activation=activation, activation_axis=-1,
                  expected=lambda a, b, activation=activation: [np.maximum(a @ b, 0) if activation == "Relu" else softmax(a @ b)])


def complex_product(a, b):
    product = a.view(np.complex64) * np.ascontiguousarray(b).view(np.complex64)
    return [np.ascontiguousarray(product).view(np.float32)]


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def gated_norm(x, scale, gate):
    groups = x.reshape(2, 3, 2, 4)
    normal = groups / np.sqrt((groups ** 2).mean(-1, keepdims=True) + np.float32(1e-5)) * scale
    return [normal.reshape(x.shape) * silu(gate)]


def split_gelu(x, bias):
    left, right = np.split(x + bias, 2, -1)
    return [left * run(row("Gelu", A(right)), [np.ascontiguousarray(right)])[0]]


def group_norm(x, gamma, beta, groups, activation):
    n, h, w, c = x.shape
    parts = x.reshape(n, h, w, groups, c // groups)
    mean, variance = parts.mean((1, 2, 4), keepdims=True), parts.var((1, 2, 4), keepdims=True)
    result = ((parts - mean) / np.sqrt(variance + 1e-5)).reshape(x.shape) * gamma + beta
    return (silu(result) if activation else result).astype(np.float32)


def early():
    """Of the default domain before opset 10; ONNX Runtime still has them."""
    more = dict(domain="", opset=9)
    yield row("Affine", X(3, 5), alpha=2.0, beta=0.5, **more)
    yield row("ScaledTanh", X(3, 5), alpha=2.0, beta=0.5, **more)
    yield row("ParametricSoftplus", X(3, 5), alpha=2.0, beta=0.5, **more)
    yield row("Scale", X(3, 5), scale=2.0, **more)
    yield row("ImageScaler", X(2, 3, 4, 5), scale=2.0, bias=[0.1, 0.2, 0.3], **more)
    yield row("Crop", X(2, 3, 6, 5), border=[1, 2, 1, 1], **more)
    yield row("Crop", X(2, 3, 6, 5), border=[1, 2, 1, 1], scale=[2, 3], **more)
    yield row("ThresholdedRelu", X(3, 5), alpha=0.3, **more)


FAMILIES = [movement, sampling, numbers, early]
