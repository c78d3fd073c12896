# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The nine light models that ship inside the onnx package, as folders that `tenon verify` takes.

Twice each. `shipped`: as they are, weights all 0.02, with the constant output that ships beside them: proves that the graph
compiles and little else. `seeded`: the same graph with random weights in the place of the constants, scaled by where each
stands (a convolution's by its fan-in, a variance positive), so that activations neither vanish nor explode.
"""
import shutil
import zlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

NAMES = ("bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet", "squeezenet", "vgg19",
         "zfnet512")


def source(name):
    return Path(onnx.__file__).parent / "backend/test/data/light" / f"light_{name}.onnx"


def input_ports(graph):
    """The real inputs: old models list their weights among them too."""
    weights = {initializer.name for initializer in graph.initializer}
    return [port for port in graph.input if port.name not in weights]


def shape_of(port):
    return [dimension.dim_value for dimension in port.type.tensor_type.shape.dim]


def write_shipped(name, folder):
    """model.onnx, the inputs that ONNX's own runner uses with these models (0, 1, 2, ...) and the output that ships."""
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    shutil.copy(source(name), folder / "model.onnx")
    graph = onnx.load(source(name)).graph
    for index, port in enumerate(input_ports(graph)):
        shape = shape_of(port)
        value = (np.arange(np.prod(shape), dtype=np.float32) / np.prod(shape)).reshape(shape).astype(np.float32)
        (data / f"input_{index}.pb").write_bytes(numpy_helper.from_array(value, port.name).SerializeToString())
    shutil.copy(source(name).with_name(f"light_{name}_output_0.pb"), data / "output_0.pb")


def role_of(name, consumers):
    """Where a weight ends up: (operator, which operand, that operator), seen through an Unsqueeze."""
    node, index = consumers[name][0]
    if node.op_type == "Unsqueeze":
        return role_of(node.output[0], consumers)
    return node.op_type, index, node


def draw(random, shape, role):
    operator, index, node = role

    def normal(deviation, mean=0.0):
        return (random.standard_normal(shape) * deviation + mean).astype(np.float32)

    if operator == "Conv" and index == 1:
        return normal((2 / np.prod(shape[1:])) ** 0.5)
    if operator == "Gemm" and index == 1:
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        return normal((1 / shape[1 if transposed else 0]) ** 0.5)
    if (operator, index) in (("BatchNormalization", 1), ("BatchNormalization", 4), ("Mul", 0), ("Mul", 1)):
        return random.uniform(0.6, 1.4, shape).astype(np.float32)  # scale, variance
    return normal(0.1)  # bias, mean


def write_seeded(name, folder):
    """model.onnx with random weights; the inputs are `tenon verify`'s to draw."""
    folder.mkdir(parents=True)
    model = onnx.load(source(name))
    graph = model.graph
    consumers = {}
    for node in graph.node:
        for index, value in enumerate(node.input):
            consumers.setdefault(value, []).append((node, index))
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    kept, weights, replaced = [], {}, set()
    for node in graph.node:
        if node.op_type == "ConstantOfShape" and node.input[0] in constants:
            weights[node.output[0]] = constants[node.input[0]].tolist()
            replaced.add(node.input[0])
        else:
            kept.append(node)
    weights.update({n: a.shape for n, a in constants.items() if a.dtype == np.float32 and n in consumers})
    replaced.update(weights)
    initializers = [i for i in graph.initializer if i.name not in replaced]
    for weight, shape in weights.items():
        # Keyed by name, so that the values depend on nothing else.
        random = np.random.default_rng([0, zlib.crc32(f"{name}:{weight}".encode())])
        initializers.append(numpy_helper.from_array(draw(random, list(shape), role_of(weight, consumers)), weight))
    inputs = input_ports(graph)
    del graph.node[:], graph.initializer[:], graph.input[:]
    graph.node.extend(kept)
    graph.initializer.extend(initializers)
    graph.input.extend(inputs)
    model.ir_version = 4  # the first in which weights need not be inputs as well
    onnx.save(model, folder / "model.onnx")
    if calm_logits(model, folder / "model.onnx"):
        onnx.save(model, folder / "model.onnx")


def calm_logits(model, path):
    """Scales the last layer so that the softmax's input has deviation 2: a softmax that is 1 at one place proves nothing."""
    graph = model.graph
    last = graph.node[-1]
    producer = next((n for n in graph.node if last.op_type == "Softmax" and n.output[0] == last.input[0]), None)
    if producer is None or producer.op_type != "Gemm":
        return False
    output = graph.output[0].name
    softmax = graph.node.pop()
    graph.output[0].name = producer.output[0]
    onnx.save(model, path)
    onnxruntime.set_default_logger_severity(3)  # these models have leftovers that it would complain about
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    feeds = {port.name: random.standard_normal(port.shape).astype(np.float32) for port in session.get_inputs()}
    scale = np.float32(2 / session.run(None, feeds)[0].std())
    graph.node.append(softmax)
    graph.output[0].name = output
    for initializer in graph.initializer:
        if initializer.name in producer.input:
            scaled = numpy_helper.to_array(initializer) * scale
            initializer.CopyFrom(numpy_helper.from_array(scaled, initializer.name))
    return True
