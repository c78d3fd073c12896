#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains the digit classifier of the quick tests and writes it to test/models.

    train_digits.py test/models

A small convolutional network, trained with plain numpy on the 1,797 handwritten digits (8 x 8) that scikit-learn
bundles: Conv-Relu-MaxPool-Conv-Relu-MaxPool-Flatten-Gemm-Relu-Gemm-Softmax. Writes digits.onnx (dynamic batch) and
digits.npz: sixteen held-out images with their labels and the probabilities that numpy computes for them. Both files
are checked in; scikit-learn is needed only to make them anew. Seeded: the same versions give the same files.
"""
import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SEED, EPOCHS, BATCH, RATE, MOMENTUM, DECAY = 7, 40, 32, 0.05, 0.9, 1e-4
CHANNELS = (8, 16)
HIDDEN = 32


def patches(x):
    """batch x channels x h x w -> batch x h x w x (channels * 9): 3 x 3 neighbourhoods, zero-padded."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(x.shape[0], x.shape[2], x.shape[3], -1)


class Convolution:
    """3 x 3, stride 1, same size, then Relu and 2 x 2 max pooling."""

    def __init__(self, random, inputs, outputs):
        self.weight = (random.standard_normal((outputs, inputs, 3, 3)) * (2 / (inputs * 9)) ** 0.5).astype(np.float32)
        self.bias = np.zeros(outputs, np.float32)
        self.parameters = [self.weight, self.bias]

    def forward(self, x):
        self.x_shape, self.patches = x.shape, patches(x)
        y = self.patches @ self.weight.reshape(len(self.weight), -1).T + self.bias
        y = np.maximum(y.transpose(0, 3, 1, 2), 0)
        n, c, h, w = y.shape
        blocks = y.reshape(n, c, h // 2, 2, w // 2, 2)
        pooled = blocks.max(axis=(3, 5))
        # Where several share the maximum the gradient is split; a relu'd zero passes none.
        chosen = (blocks == pooled[:, :, :, None, :, None]) & (blocks > 0)
        self.share = chosen / np.maximum(chosen.sum(axis=(3, 5), keepdims=True), 1)
        return pooled

    def backward(self, gradient):
        n, c, h, w = gradient.shape
        full = (self.share * gradient[:, :, :, None, :, None]).reshape(n, c, h * 2, w * 2).transpose(0, 2, 3, 1)
        weight = np.tensordot(full, self.patches, axes=((0, 1, 2), (0, 1, 2))).reshape(self.weight.shape)
        flipped = self.weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3).reshape(self.weight.shape[1], -1)
        x = (patches(full.transpose(0, 3, 1, 2)) @ flipped.T).transpose(0, 3, 1, 2)
        return x, [weight, full.sum(axis=(0, 1, 2))]


class Dense:
    def __init__(self, random, inputs, outputs, relu):
        self.weight = (random.standard_normal((outputs, inputs)) * (2 / inputs) ** 0.5).astype(np.float32)
        self.bias, self.relu = np.zeros(outputs, np.float32), relu
        self.parameters = [self.weight, self.bias]

    def forward(self, x):
        self.x_shape = x.shape
        self.x = x.reshape(len(x), -1)
        y = self.x @ self.weight.T + self.bias
        self.live = y > 0
        return np.maximum(y, 0) if self.relu else y

    def backward(self, gradient):
        gradient = gradient * self.live if self.relu else gradient
        return (gradient @ self.weight).reshape(self.x_shape), [gradient.T @ self.x, gradient.sum(axis=0)]


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def forward(layers, x):
    for layer in layers:
        x = layer.forward(x)
    return softmax(x)


def train(layers, images, labels, random):
    velocity = [[np.zeros_like(p) for p in layer.parameters] for layer in layers]
    for epoch in range(EPOCHS):
        rate = RATE * 0.5 * (1 + np.cos(np.pi * epoch / EPOCHS))
        for batch in np.array_split(random.permutation(len(images)), len(images) // BATCH):
            gradient = forward(layers, images[batch])
            gradient[np.arange(len(batch)), labels[batch]] -= 1
            gradient = (gradient / len(batch)).astype(np.float32)
            for layer, speeds in zip(reversed(layers), reversed(velocity)):
                gradient, steps = layer.backward(gradient)
                for parameter, speed, step in zip(layer.parameters, speeds, steps):
                    speed *= MOMENTUM
                    speed -= rate * (step + DECAY * parameter)
                    parameter += speed


def to_onnx(layers):
    first, second, hidden, output = layers
    names = ("conv1", "conv2", "hidden", "output")
    initializers = [numpy_helper.from_array(np.ascontiguousarray(array, np.float32), f"{name}.{kind}")
                    for name, layer in zip(names, layers) for kind, array in zip(("weight", "bias"), layer.parameters)]
    convolution = dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1], dilations=[1, 1], group=1)
    pool = dict(kernel_shape=[2, 2], strides=[2, 2])

    def node(op, inputs, name, **attributes):
        return helper.make_node(op, inputs, [f"/{name}_output"], name=f"/{name}", **attributes)

    nodes = [
        node("Conv", ["image", "conv1.weight", "conv1.bias"], "conv1", **convolution),
        node("Relu", ["/conv1_output"], "relu1"),
        node("MaxPool", ["/relu1_output"], "pool1", **pool),
        node("Conv", ["/pool1_output", "conv2.weight", "conv2.bias"], "conv2", **convolution),
        node("Relu", ["/conv2_output"], "relu2"),
        node("MaxPool", ["/relu2_output"], "pool2", **pool),
        node("Flatten", ["/pool2_output"], "flatten", axis=1),
        node("Gemm", ["/flatten_output", "hidden.weight", "hidden.bias"], "hidden", transB=1),
        node("Relu", ["/hidden_output"], "relu3"),
        node("Gemm", ["/relu3_output", "output.weight", "output.bias"], "output", transB=1),
        helper.make_node("Softmax", ["/output_output"], ["probabilities"], name="/softmax", axis=-1),
    ]
    graph = helper.make_graph(
        nodes, "digits", [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="tenon train_digits")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    from sklearn.datasets import load_digits

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where digits.onnx and digits.npz go")
    folder = parser.parse_args().folder
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[:, None]
    random = np.random.default_rng(SEED)
    order = random.permutation(len(images))
    training, held_out = order[:1500], order[1500:]
    layers = [Convolution(random, 1, CHANNELS[0]), Convolution(random, *CHANNELS),
              Dense(random, CHANNELS[1] * 4, HIDDEN, relu=True), Dense(random, HIDDEN, 10, relu=False)]
    train(layers, images[training], digits.target[training], random)
    right = (forward(layers, images[held_out]).argmax(axis=1) == digits.target[held_out]).mean()
    print(f"{right:.1%} of {len(held_out)} held-out digits are right")
    onnx.save(to_onnx(layers), folder / "digits.onnx")
    chosen = held_out[:16]
    np.savez(folder / "digits.npz", image=images[chosen], label=digits.target[chosen],
             probabilities=forward(layers, images[chosen]).astype(np.float32))


if __name__ == "__main__":
    main()
