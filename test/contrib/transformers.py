# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rows (see rows.py) of what transformers are made of: attention, normalisation, activations, products, weights of few bits."""
import ml_dtypes
import numpy as np
from rows import FLOATS, A, C, W, X, i32, i64, random_bytes, row, run


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
    yield from quantized_embedding()
    tokens, segments = i32(3, 1, 4, 1, 5, 2).array.reshape(2, 3), i32(0, 1, 1, 0, 0, 1).array.reshape(2, 3)
    tables = [W(6, 8), W(7, 8), W(2, 8), W(8), W(8)]
    yield row("EmbedLayerNormalization", A(tokens), A(segments), *tables, types=FLOATS, outputs=2)
    yield row("EmbedLayerNormalization", A(tokens), A(segments), *tables, A(segments), outputs=3)
    yield row("EmbedLayerNormalization", A(tokens), None, tables[0], tables[1], None, *tables[3:], outputs=2, epsilon=1e-5)
    yield row("EmbedLayerNormalization", A(tokens), A(segments), *tables, A(segments), A([[2, 0, 1]], np.int32), outputs=2)


def quantized_embedding():
    shapes = [(6, 8), (7, 8), (2, 8), (8,), (8,)]
    tables = [C(random_bytes(*shape, seed=i)) for i, shape in enumerate(shapes)]
    scales, zeros = [C(0.01 + 0.01 * i, np.float32) for i in range(5)], [C(120 + i, np.uint8) for i in range(5)]
    tokens, segments = np.array([[3, 1, 4], [1, 5, 2]], np.int32), np.array([[0, 1, 1], [0, 0, 1]], np.int32)
    yield row("QEmbedLayerNormalization", A(tokens), A(segments), *tables, A(segments), *scales, *zeros, outputs=2, epsilon=1e-5)


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


    # Time, height and width of each token.
    streams = np.array([[[0, 1, 2, 3, 4], [5, 6, 7, 3, 1]], [[0, 0, 1, 1, 2], [2, 0, 1, 3, 1]], [[3, 2, 2, 1, 0], [0, 1, 0, 1, 0]]], np.int64)
    cosines, sines = rotary_caches(16, 6)
    for layout in (0, 1):
        yield row("MRotaryEmbedding", X(B, S, N * 12), A(streams), C(cosines), C(sines), mrope_section=[2, 2, 2], mrope_layout=layout, num_heads=N)
    yield row("MRotaryEmbedding", X(B, N, S, 12), A(streams), C(cosines), C(sines), mrope_section=[3, 2, 1], interleaved=1)


def recurrent():
    B, T, Q, KV, D = 2, 5, 4, 2, 3
    operands = [X(B, T, Q * D), X(B, T, KV * D), X(B, T, KV * D), X(B, KV, D, D), X(B, T, KV, low=-1.0, high=0.0), X(B, T, KV, low=0.0)]
    for rule, count in (("linear", 4), ("gated", 5), ("gated_delta", 6)):
        yield row("LinearAttention", *operands[:count], q_num_heads=Q, kv_num_heads=KV, update_rule=rule, outputs=2, width=True)
    yield row("CausalConvWithState", X(B, 6, T), W(6, 1, 4), W(6), X(B, 6, 3), outputs=2, activation="silu")


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
    yield from shared_products()
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


def shared_products():
    """Several products of one input, for WebGPU only: as their parts have them."""
    K, N = 64, 24
    attributes = dict(K=K, bits=4, block_size=32)
    weights = [(C(random_bytes(N, 2, 16, seed=i)), C(np.random.default_rng(i).uniform(0.1, 1, (N, 2)).astype(np.float32))) for i in range(3)]

    def normalize(x, skip, scale):
        both = x + skip
        return both, run(row("SimplifiedLayerNormalization", A(both), A(scale), domain="", epsilon=1e-6), [both, scale])[0]

    def multiply(x, which):
        return run(row("MatMulNBits", A(x), *weights[which], N=N, **attributes), [x, *(operand.array for operand in weights[which])])[0]

    def mlp(x, skip, scale, *rest):
        both, normal = normalize(x, skip, scale)
        gate = multiply(normal, 0)
        return [gate / (1 + np.exp(-gate)) * multiply(normal, 1), both]

    def projections(x, skip, scale, *rest):
        both, normal = normalize(x, skip, scale)
        return [multiply(normal, i) for i in range(3)] + [both]

    yield row("MatMulNBitsMlp", X(2, 3, K), X(2, 3, K), W(K), *weights[0], None, *weights[1], None, outputs=2, expected=mlp, activation="silu", epsilon=1e-6,
              N=N, **attributes)
    yield row("MatMulNBitsQkv", X(2, 3, K), X(2, 3, K), W(K), *weights[0], None, *weights[1], None, *weights[2], None, outputs=4,
              expected=projections, Nq=N, Nkv=N, epsilon=1e-6, **attributes)


def experts():
    T, H, I, E = 5, 8, 6, 4
    dense = [W(E, I, H), W(E, I), W(E, H, I), W(E, H)]
    for activation in ("relu", "gelu", "silu", "identity"):
        yield row("MoE", X(T, H), X(T, E), *dense, k=2, activation_type=activation)
    yield row("MoE", X(1, T, H), X(T, E), dense[0], None, dense[2], None, k=1)
    yield row("MoE", X(T, H), X(T, E), *dense, k=2, normalize_routing_weights=1)
    wide = [W(E, 2 * I, H), W(E, 2 * I), W(E, H, I), W(E, H)]
    yield row("MoE", X(T, H), X(T, E), *wide, k=2, activation_type="swiglu", swiglu_fusion=1)
    yield row("MoE", X(T, H), X(T, E), *wide, k=2, activation_type="swiglu", swiglu_fusion=1, activation_alpha=1.702, activation_beta=1.0,
              swiglu_limit=0.5, normalize_routing_weights=1)
    for bits in (4, 8):
        def codes(outer, inner, seed):
            return C(random_bytes(E, outer, inner * bits // 8, seed=seed))
        for block in (0, 16) if bits == 4 else (0,):  # blocks of 8 bits are multiplied with rounded inputs there
            def scales(outer, inner):
                shape = (E, outer, inner // block) if block else (E, outer)
                return C(np.random.default_rng(4).uniform(0.02, 0.1, shape).astype(np.float32))
            more = dict(block_size=block) if block else {}
            yield row("QMoE", X(T, 32), X(T, E), codes(64, 32, 1), scales(64, 32), None, codes(32, 32, 2), scales(32, 32), None, k=2,
                      activation_type="swiglu", swiglu_fusion=1, expert_weight_bits=bits, normalize_routing_weights=1, weights_prepacked=0, **more)
            yield row("QMoE", X(T, 32), X(T, E), codes(32, 32, 1), scales(32, 32), W(E, 32), codes(32, 32, 2), scales(32, 32), W(E, 32), k=1,
                      activation_type="silu", expert_weight_bits=bits, weights_prepacked=0, **more)


FAMILIES = [normalization, activations, attention, recurrent, group_query, products, narrow_weights, experts]
