# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The distributions of random operators, by their moments and by what they never give:

    random_numbers.py model FILE.onnx       writes a model with one of each
    random_numbers.py check OUT.npz         checks what it gave

Tolerances are five standard deviations of what is measured; the numbers are the same in every run, so this either holds or not.
"""
import sys

import numpy
import onnx
from onnx import TensorProto, helper

COUNT, TRIALS = 100_000, 20_000
CHANCES = numpy.array([[0.1, 0.2, 0.7], [0.5, 0.5, 1e-30]])


def make(path):
    floats = [("uniform", "RandomUniform", dict(low=-2.0, high=6.0)), ("again", "RandomUniform", dict(low=-2.0, high=6.0)),
              ("normal", "RandomNormal", dict(mean=3.0, scale=2.0)), ("double", "RandomUniform", dict(dtype=TensorProto.DOUBLE, seed=5.0)),
              ("half", "RandomNormal", dict(dtype=TensorProto.FLOAT16))]
    nodes = [helper.make_node(operator, [], [name], name=name, shape=[COUNT], **attributes) for name, operator, attributes in floats]
    nodes += [helper.make_node("Multinomial", ["logits"], ["draws"], name="draws", sample_size=TRIALS),
              helper.make_node("Bernoulli", ["chance"], ["coins"], name="coins"),
              helper.make_node("Dropout", ["ones", "ratio", "training"], ["dropped", "mask"], name="dropout", seed=3)]
    outputs = [(name, attributes.get("dtype", TensorProto.FLOAT)) for name, _, attributes in floats]
    outputs += [("draws", TensorProto.INT32), ("coins", TensorProto.FLOAT), ("dropped", TensorProto.FLOAT), ("mask", TensorProto.BOOL)]
    constants = dict(logits=numpy.log(CHANCES).astype(numpy.float32), ratio=numpy.float32(0.25), training=numpy.array(True),
                     chance=numpy.full(COUNT, 0.3, numpy.float32), ones=numpy.ones(COUNT, numpy.float32))
    graph = helper.make_graph(nodes, "random", [], [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs],
                              initializer=[onnx.numpy_helper.from_array(numpy.asarray(value), name) for name, value in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10), path)


def expect(name, found, wanted, deviation, count):
    bound = 5 * deviation / numpy.sqrt(count)
    assert abs(found - wanted) < bound, f"{name}: {found}, expected {wanted} within {bound}"


def check(path):
    values = dict(numpy.load(path))
    uniform, normal = values["uniform"].astype(float), values["normal"].astype(float)
    assert uniform.min() >= -2 and uniform.max() < 6
    expect("mean of uniform", uniform.mean(), 2, 8 / 12**0.5, COUNT)
    for tenth, share in enumerate(numpy.histogram(uniform, 10, (-2, 6))[0] / COUNT):
        expect(f"tenth {tenth}", share, 0.1, 0.3, COUNT)
    expect("neighbours", numpy.corrcoef(uniform[1:], uniform[:-1])[0, 1], 0, 1, COUNT)
    expect("two nodes", numpy.corrcoef(uniform, values["again"])[0, 1], 0, 1, COUNT)
    expect("mean of normal", normal.mean(), 3, 2, COUNT)
    expect("variance of normal", normal.var(), 4, 4 * 2**0.5, COUNT)
    expect("beyond two deviations", (abs(normal - 3) > 4).mean(), 0.0455, 0.2085, COUNT)
    expect("mean of half", values["half"].astype(float).mean(), 0, 1, COUNT)
    expect("mean of double", values["double"].mean(), 0.5, 12**-0.5, COUNT)
    assert len(numpy.unique(values["double"])) == COUNT
    for row, chances in zip(values["draws"], CHANCES):
        for kind, chance in enumerate(chances):
            expect(f"class {kind}", (row == kind).mean(), chance, max(chance * (1 - chance), 1e-6) ** 0.5, TRIALS)
    expect("coins", values["coins"].mean(), 0.3, 0.21**0.5, COUNT)
    expect("kept", values["mask"].mean(), 0.75, 0.1875**0.5, COUNT)
    assert numpy.allclose(values["dropped"], values["mask"] / 0.75)


if __name__ == "__main__":
    {"model": make, "check": check}[sys.argv[1]](sys.argv[2])
