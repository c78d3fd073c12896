# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes and checks files of values:

    values.py to-npy IN.npz FOLDER             every array as NAME.npy
    values.py to-pb IN.npz FOLDER NAME...      the named arrays as input_<i>.pb
    values.py expect-digits OUT.npz DIGITS.npz the probabilities are those of the digits
    values.py expect-pb OUT.pb DIGITS.npz      the same for one ONNX message
    values.py expect-npy OUT.npy DIGITS.npz    the same for one numpy array
    values.py folding-model OUT.onnx           a model most of which can be computed when it is compiled
"""
import os
import sys

import numpy as np
import onnx
from onnx import numpy_helper


def to_npy(source, folder):
    os.makedirs(folder)
    for name, array in np.load(source).items():
        np.save(os.path.join(folder, name + ".npy"), array)


def to_pb(source, folder, *names):
    os.makedirs(folder)
    for index, name in enumerate(names):
        with open(os.path.join(folder, f"input_{index}.pb"), "wb") as file:
            file.write(numpy_helper.from_array(np.load(source)[name], name).SerializeToString())


def expect(actual, digits):
    expected = np.load(digits)
    assert actual.dtype == np.float32 and actual.shape == expected["probabilities"].shape, (actual.dtype, actual.shape)
    assert np.abs(actual - expected["probabilities"]).max() < 1e-5
    assert (actual.argmax(axis=1) == expected["label"]).all()


def expect_digits(outputs, digits):
    with np.load(outputs) as file:
        assert list(file) == ["probabilities"], list(file)
        expect(file["probabilities"], digits)


def expect_pb(message, digits):
    with open(message, "rb") as file:
        tensor = onnx.TensorProto.FromString(file.read())
    assert tensor.name == "probabilities"
    expect(numpy_helper.to_array(tensor), digits)


def expect_npy(array, digits):
    expect(np.load(array), digits)


def folding_model(target):
    table = numpy_helper.from_array(np.linspace(-3, 3, 64, dtype=np.float32).reshape(8, 8), "table")
    nodes = [onnx.helper.make_node("Exp", ["table"], ["e"], name="fold/exp"),
             onnx.helper.make_node("MatMul", ["e", "table"], ["m"], name="fold/product"),
             onnx.helper.make_node("Tanh", ["m"], ["t"], name="fold/tanh"),
             onnx.helper.make_node("Add", ["x", "t"], ["y"], name="add")]
    graph = onnx.helper.make_graph(nodes, "g", [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 8, 8])],
                                   [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)], [table])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)]), target)


if __name__ == "__main__":
    {"to-npy": to_npy, "to-pb": to_pb, "expect-digits": expect_digits, "expect-pb": expect_pb,
     "expect-npy": expect_npy, "folding-model": folding_model}[sys.argv[1]](*sys.argv[2:])
