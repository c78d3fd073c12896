# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the small, wrong models that the tests of this folder need:  models.py <name> <output.onnx>"""
import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def model(nodes, initializers=(), opset=17, domains=(), dimensions=("batch", 4)):
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, dimensions)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], list(initializers))
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(domain, 1) for domain in domains]
    result = helper.make_model(graph, opset_imports=imports)
    result.ir_version = 8
    return result


def relu():
    return model([helper.make_node("Relu", ["x"], ["y"], name="activation")])


def future_opset():
    return model([helper.make_node("Relu", ["x"], ["y"], name="activation")], opset=999)


def unknown_operators():
    """Operators that ONNX does not have: one twice, one once. All are to be named at once."""
    return model([helper.make_node("Wobble", ["x"], ["a"], name="first"),
                  helper.make_node("Wobble", ["a"], ["b"], name="second"),
                  helper.make_node("Sway", ["b"], ["y"], name="third")])


def foreign_operators():
    """Operators of a domain that nobody here knows."""
    return model([helper.make_node("Twist", ["x"], ["a"], name="first", domain="com.example"),
                  helper.make_node("Relu", ["a"], ["b"], name="second"),
                  helper.make_node("Turn", ["b"], ["y"], name="third", domain="com.example")], domains=["com.example"])


def contrib_operators():
    """Operators of ONNX Runtime: one that is not supported at all, one that is not with this attribute, one that does not exist."""
    return model([helper.make_node("BeamSearch", ["x"], ["a"], name="search", domain="com.microsoft"),
                  helper.make_node("Wobble", ["a"], ["y"], name="none", domain="com.microsoft")], domains=["com.microsoft"])


def contrib_attributes():
    """What contrib operators are supported without."""
    weights = numpy_helper.from_array(np.ones((4, 12), np.float32), "w")
    attributes = dict(domain="com.microsoft", num_heads=2)
    return model([helper.make_node("Attention", ["x", "w"], ["a"], name="rotated", do_rotary=1, **attributes),
                  helper.make_node("Attention", ["a", "w"], ["y"], name="shared", past_present_share_buffer=1, **attributes)],
                 [weights], domains=["com.microsoft"], dimensions=("batch", 3, 4))


def undefined_value():
    return model([helper.make_node("Add", ["x", "nowhere"], ["y"], name="sum")])


def output_twice():
    result = relu()
    result.graph.output.append(result.graph.output[0])
    return result


def input_twice():
    result = relu()
    result.graph.input.append(result.graph.input[0])
    return result


def sized_by_data(operator):
    """The shape of `y` is an input, so what is wrong with it is known only when the model runs."""
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", "shape"], ["sized"], name="size"), helper.make_node("Relu", ["sized"], ["a"]),
         helper.make_node("ReduceSum", ["a"], ["y"], keepdims=0)], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1]),
         helper.make_tensor_value_info("shape", TensorProto.INT64, [2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [])])
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    result.ir_version = 8
    return result


def on_host(operator, kind, result, **attributes):
    """One operator that is a host function; what is wrong with it or its input is known only when the model runs."""
    graph = helper.make_graph([helper.make_node(operator, ["x"], ["y"], name="node", **attributes)], "g",
                              [helper.make_tensor_value_info("x", kind, ["n"])], [helper.make_tensor_value_info("y", result, None)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def wrong_shapes():
    weight = numpy_helper.from_array(np.ones((5, 3), np.float32), "w")
    return model([helper.make_node("MatMul", ["x", "w"], ["y"], name="project")], [weight])


def one_mebibyte():
    """A weight of 1 MiB, which is no constant that could be left out."""
    weight = numpy_helper.from_array(np.random.default_rng(0).standard_normal((4, 65536), np.float32), "w")
    return model([helper.make_node("MatMul", ["x", "w"], ["y"], name="project")], [weight])


def external(location, bytes_written=None, length=None):
    """A weight in another file; `bytes_written` None: the file is not made."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 256], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("length", length)):
        if value is not None:
            entry = weight.external_data.add()
            entry.key, entry.value = key, str(value)
    if bytes_written is not None:
        path = os.path.join(os.path.dirname(sys.argv[2]), location)
        with open(path, "wb") as file:
            file.write(b"\0" * bytes_written)
    return model([helper.make_node("MatMul", ["x", "w"], ["y"], name="project")], [weight])


MODELS = {
    "relu": relu,
    "future_opset": future_opset,
    "unknown_operators": unknown_operators,
    "foreign_operators": foreign_operators,
    "undefined_value": undefined_value,
    "output_twice": output_twice,
    "input_twice": input_twice,
    "reshape_by_data": lambda: sized_by_data("Reshape"),
    "expand_by_data": lambda: sized_by_data("Expand"),
    "pattern": lambda: on_host("RegexFullMatch", TensorProto.STRING, TensorProto.BOOL, pattern="a(b"),
    "text_to_number": lambda: on_host("Cast", TensorProto.STRING, TensorProto.INT8, to=TensorProto.INT8),
    "image": lambda: on_host("ImageDecoder", TensorProto.UINT8, TensorProto.UINT8),
    "wrong_shapes": wrong_shapes,
    "contrib_operators": contrib_operators,
    "contrib_attributes": contrib_attributes,
    "one_mebibyte": one_mebibyte,
    "external_missing": lambda: external("weights.bin"),
    "external_outside": lambda: external("../weights.bin", 4096),
    "external_absolute": lambda: external("/etc/passwd"),
    "external_short": lambda: external("weights.bin", 100, 4096),
}

if __name__ == "__main__":
    with open(sys.argv[2], "wb") as output:
        output.write(MODELS[sys.argv[1]]().SerializeToString())
