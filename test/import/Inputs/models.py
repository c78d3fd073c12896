# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small ONNX models for the tests of the importer: `models.py NAME FILE` writes the one called NAME to FILE."""

import os
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def value(name, shape=None, type=FLOAT):
    return helper.make_tensor_value_info(name, type, shape)


def model(nodes, inputs, outputs, opset=28, initializers=(), functions=(), imports=(), ir=14, **options):
    graph = helper.make_graph(nodes, "graph", inputs, outputs, initializer=list(initializers), **options)
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, v) for d, v in imports]
    result = helper.make_model(graph, opset_imports=opsets, functions=functions)
    result.ir_version = ir
    return result


def counted(*shape, type=numpy.float32):
    return numpy.arange(numpy.prod(shape)).reshape(shape).astype(type)


def tensor(name, array):
    return numpy_helper.from_array(array, name)


node = helper.make_node


def signature():
    return model(
        [node("Identity", ["ids"], ["ids_out"], name="copy_ids"), node("Not", ["mask"], ["mask_out"], name="invert"),
         node("Cast", ["image"], ["scores"], name="to_float", to=FLOAT)],
        [value("ids", ["batch", "sequence"], INT64), value("mask", ["batch", None], TensorProto.BOOL),
         value("image", [-1, 3], TensorProto.UINT8)],
        [value("ids_out", ["batch", "sequence"], INT64), value("mask_out", ["batch", None], TensorProto.BOOL),
         value("scores", [None, 3])])


def weights():
    """The same 1200 bytes as raw data and as float_data; a large splat; a small tensor; a Constant; one nobody uses."""
    data = counted(300)
    typed = helper.make_tensor("typed", FLOAT, [300], data.tolist())
    return model(
        [node("Constant", [], ["large_constant"], name="large", value=tensor("", data + 1)),
         node("Sum", ["x", "raw", "typed", "splat", "large_constant", "small"], ["y"], name="sum")],
        [value("x", [300])], [value("y", [300])],
        initializers=[tensor("raw", data), typed, tensor("splat", numpy.full(300, 2, numpy.float32)),
                      tensor("small", numpy.array([1.5], numpy.float32)), tensor("unused", data + 2)])


def external():
    result = model([node("Add", ["x", "w"], ["y"], name="add"), node("Mul", ["y", "s"], ["z"], name="mul")],
                   [value("x", [300])], [value("z", [300])],
                   initializers=[tensor("w", counted(300)), tensor("s", numpy.array([3], numpy.float32))])
    folder = os.path.dirname(sys.argv[2])
    with open(os.path.join(folder, "weights.bin"), "wb") as file:
        file.write(b"\0" * 64 + counted(300).tobytes() + numpy.array([3], numpy.float32).tobytes())
    for initializer, offset, length in (result.graph.initializer[0], 64, 1200), (result.graph.initializer[1], 1264, 4):
        make_external(initializer, "weights.bin", offset, length)
    return result


def make_external(initializer, location, offset=None, length=None):
    initializer.ClearField("raw_data")
    initializer.data_location = TensorProto.EXTERNAL
    for key, entry in (("location", location), ("offset", offset), ("length", length)):
        if entry is not None:
            initializer.external_data.add(key=key, value=str(entry))


def constants():
    def constant(name, **attributes):
        return node("Constant", [], [name], name=name, **attributes)

    sparse = helper.make_sparse_tensor(tensor("v", numpy.array([5, 7], numpy.float32)),
                                       tensor("i", numpy.array([1, 3], numpy.int64)), [2, 2])
    nodes = [constant("a", value_float=0.5), constant("b", value_ints=[1, -2]), constant("c", value_strings=["x", "yz"]),
             constant("d", sparse_value=sparse), constant("e", value_int=7), constant("f", value_string="text")]
    packed = helper.make_tensor("int4", TensorProto.INT4, [3], [-8, 7, 1])
    floats8 = helper.make_tensor("float8", TensorProto.FLOAT8E4M3FN, [2], [1.0, -2.0])
    floats6 = helper.make_tensor("float6", TensorProto.FLOAT6E2M3, [2], bytes([0b11001000, 0b00000010]), raw=True)
    half = tensor("half", numpy.array([1.5, -2], numpy.float16))
    flags = helper.make_tensor("flags", TensorProto.BOOL, [2], [True, False])
    initializers = [packed, floats8, half, flags, tensor("unsigned", numpy.array([200], numpy.uint8)),
                    tensor("complex", numpy.array([1 + 2j], numpy.complex64)), tensor("empty", numpy.zeros([0, 2], numpy.float32))]
    types = {"a": (FLOAT, []), "b": (INT64, [2]), "c": (TensorProto.STRING, [2]), "d": (FLOAT, [2, 2]), "e": (INT64, []),
             "f": (TensorProto.STRING, [])}
    types |= {i.name: (i.data_type, list(i.dims)) for i in initializers}
    nodes += [node("Identity", [name], [name + "_out"], name="use_" + name) for name in types]
    # Only Cast takes numbers of 6 bits.
    nodes.append(node("Cast", ["float6"], ["float6_out"], name="widen", to=FLOAT))
    initializers.append(floats6)
    types["float6"] = FLOAT, [2]
    return model(nodes, [], [value(name + "_out", shape, type) for name, (type, shape) in types.items()],
                 initializers=initializers)


def absent():
    return model([node("Clip", ["x", "", "high"], ["clipped"], name="clip"),
                  node("MaxPool", ["clipped"], ["y"], name="pool", kernel_shape=[2, 2]),
                  node("Resize", ["y", "", "", "sizes"], ["z"], name="resize")],
                 [value("x", [1, 1, 4, 4]), value("high", [])], [value("z", [1, 1, 6, 6])],
                 initializers=[tensor("sizes", numpy.array([1, 1, 6, 6]))])


def compositions():
    """Operators with a body: from the standard, for the types of this node, from us; one in a branch; one that stays whole."""
    branch = helper.make_graph([node("MeanVarianceNormalization", ["x"], ["m"], name="whole", axes=[0]),
                                node("NegativeLogLikelihoodLoss", ["m", "labels"], ["l"], name="loss")], "branch", [], [value("l", [])])
    other = helper.make_graph([node("ReduceSum", ["x"], ["s"], name="sum", keepdims=0)], "other", [], [value("s", [])])
    return model([node("HannWindow", ["size"], ["window"], name="window"),
                  node("If", ["c"], ["chosen"], name="choose", then_branch=branch, else_branch=other),
                  node("DFT", ["signal"], ["spectrum"], name="transform", onesided=1),
                  node("Softmax", ["x"], ["probabilities"], name="softmax")],
                 [value("size", [], INT64), value("c", [], TensorProto.BOOL), value("x", [3, 5]), value("labels", [3], INT64), value("signal", [1, 8, 1])],
                 [value("window", [None]), value("chosen", []), value("spectrum", [1, 5, 2]), value("probabilities", [3, 5])])


def control():
    """An If whose branches capture an outer value, each with a large initializer of one name; a Loop and a Scan."""
    def branch(name, offset):
        return helper.make_graph([node("Add", ["x", "w"], [name], name=name + "_add")], name, [], [value(name, [300])],
                                 initializer=[tensor("w", counted(300) + offset)])

    body = helper.make_graph(
        [node("Identity", ["go"], ["go_out"], name="keep_going"), node("Add", ["sum", "chosen"], ["sum_out"], name="accumulate"),
         node("Identity", ["sum_out"], ["trace"], name="record")], "body",
        [value("i", [], INT64), value("go", [], TensorProto.BOOL), value("sum", [300])],
        [value("go_out", [], TensorProto.BOOL), value("sum_out", [300]), value("trace", [300])])
    step = helper.make_graph([node("Add", ["state", "item"], ["state_out"], name="add"),
                              node("Identity", ["state_out"], ["each"], name="emit")], "step",
                             [value("state", [300]), value("item", [300])], [value("state_out", [300]), value("each", [300])])
    return model(
        [node("If", ["flag"], ["chosen"], name="choose", then_branch=branch("yes", 0), else_branch=branch("no", 1)),
         node("Loop", ["count", "", "x"], ["total", "traces"], name="loop", body=body),
         node("Scan", ["total", "traces"], ["last", "prefix"], name="scan", num_scan_inputs=1, body=step)],
        [value("flag", [], TensorProto.BOOL), value("x", [300]), value("count", [], INT64)],
        [value("last", [300]), value("prefix", [None, 300])])


def functions():
    """Nested functions of an older opset, with an attribute, a large Constant and a node without a name."""
    inner = helper.make_function("local", "Scaled", ["a"], ["b"],
                                 [node("Constant", [], ["w"], value=tensor("", counted(300))), node("Mul", ["a", "w"], ["m"]),
                                  node("Softmax", ["m"], ["b"])],
                                 [helper.make_opsetid("", 18)])
    outer = helper.make_function("local", "Twice", ["p"], ["r"],
                                 [node("Scaled", ["p"], ["q"], domain="local"), node("Scaled", ["q"], ["r"], domain="local")],
                                 [helper.make_opsetid("", 18), helper.make_opsetid("local", 1)])
    return model([node("Twice", ["x"], ["y"], name="call", domain="local")], [value("x", [2, 300])], [value("y", [2, 300])],
                 opset=18, functions=[inner, outer], imports=[("local", 1)])


def old():
    """Opset 9, as exporters wrote it: operators that have changed since, initializers among the inputs, annotations."""
    pool = node("MaxPool", ["x"], ["p"], name="pool", kernel_shape=[2, 2], strides=[2, 2])
    pool.metadata_props.add(key="origin", value="layer1.pool")
    nodes = [pool, node("Upsample", ["p", "scales"], ["u"], name="upsample", mode="nearest"),
             node("Clip", ["u"], ["c"], name="clip", min=0.0, max=6.0), node("Softmax", ["c"], ["y"], name="softmax", axis=1)]
    return model(nodes, [value("x", ["batch", 1, 4, 4]), value("scales", [4])], [value("y", ["batch", 1, 4, 4])], opset=9, ir=3,
                 initializers=[tensor("scales", numpy.array([1, 1, 2, 2], numpy.float32))])


def old_hardmax():
    return model([node("Hardmax", ["x"], ["y"], name="hardmax")], [value("x", [2, 3, 4])], [value("y", [2, 3, 4])], opset=11)


def old_broadcast():
    return model([node("Add", ["x", "b"], ["s"], name="add", broadcast=1, axis=1), node("PRelu", ["s", "b"], ["y"], name="prelu")],
                 [value("x", ["n", "c", "w"]), value("b", ["c"])], [value("y", ["n", "c", "w"])], opset=6)


def batched_scan():
    body = helper.make_graph([node("Add", ["s", "n"], ["t"], name="add"), node("Identity", ["t"], ["o"], name="emit")], "body",
                             [value("s", [2]), value("n", [2])], [value("t", [2]), value("o", [2])])
    return model([node("Scan", ["", "initial", "x"], ["y", "z"], name="scan", num_scan_inputs=1, body=body)],
                 [value("initial", ["batch", 2]), value("x", ["batch", 3, 2])],
                 [value("y", ["batch", 2]), value("z", ["batch", 3, 2])], opset=8)


def custom():
    return model([node("FusedThing", ["x"], ["h"], name="fused", domain="com.example", alpha=2, mode="fast"),
                  node("Relu", ["h"], ["r"], name="relu")],
                 [value("x", [1, 4])], [value("r", None)], imports=[("com.example", 1)])


def contrib():
    """Operators of ONNX Runtime, one of them in the default domain; the import of its domain is left out, as it may be."""
    codes = (numpy.arange(64 * 2 * 16) % 251).astype(numpy.uint8).reshape(64, 2, 16)
    return model(
        [node("SimplifiedLayerNormalization", ["x", "g"], ["n"], name="norm", epsilon=1e-6),
         node("MatMulNBits", ["n", "w", "s"], ["m"], name="project", domain="com.microsoft", K=64, N=64, bits=4, block_size=32),
         node("FastGelu", ["m", "b"], ["y"], name="gelu", domain="com.microsoft")],
        [value("x", ["batch", 64])], [value("y", None)], opset=17,
        initializers=[tensor("g", counted(64)), tensor("w", codes), tensor("s", counted(64, 2)), tensor("b", counted(64))])


def old_normalization():
    """Before opset 17 LayerNormalization is ONNX Runtime's own."""
    return model([node("LayerNormalization", ["x", "g"], ["y"], name="norm")], [value("x", ["batch", 8])], [value("y", None)],
                 opset=12, initializers=[tensor("g", counted(8))])


def values():
    sequence = helper.make_sequence_type_proto(helper.make_tensor_type_proto(FLOAT, ["n"]))
    optional = helper.make_optional_type_proto(helper.make_tensor_type_proto(FLOAT, [2]))
    return model([node("SequenceInsert", ["list", "x"], ["longer"], name="insert"),
                  node("OptionalHasElement", ["maybe"], ["has"], name="has"),
                  node("StringNormalizer", ["text"], ["lower"], name="lower", case_change_action="LOWER"),
                  node("ZipMap", ["scores"], ["map"], name="zip", domain="ai.onnx.ml", classlabels_strings=["a", "b"])],
                 [helper.make_value_info("list", sequence), value("x", ["n"]), helper.make_value_info("maybe", optional),
                  value("text", [2], TensorProto.STRING), value("scores", [1, 2])],
                 [helper.make_value_info("longer", sequence), value("has", [], TensorProto.BOOL),
                  value("lower", [None], TensorProto.STRING),
                  helper.make_value_info("map", helper.make_sequence_type_proto(helper.make_map_type_proto(
                      TensorProto.STRING, helper.make_tensor_type_proto(FLOAT, []))))],
                 imports=[("ai.onnx.ml", 3)])


# ---- Models with a mistake ----


def newer_opset():
    return model([node("Relu", ["x"], ["y"], name="relu")], [value("x", [1])], [value("y", [1])], opset=99)


def unknown_operators():
    return model([node("Rleu", ["x"], ["a"], name="typo"), node("Rleu", ["a"], ["b"]), node("Foo", ["b"], ["y"], name="foo", domain="no.such")],
                 [value("x", [1])], [value("y", [1])])


def wrong_attribute():
    return model([node("Conv", ["x", "w"], ["y"], name="conv1", dilation=[1, 1])],
                 [value("x", [1, 1, 4, 4]), value("w", [1, 1, 3, 3])], [value("y", [1, 1, 2, 2])])


def wrong_shapes():
    return model([node("MatMul", ["a", "b"], ["y"], name="product")], [value("a", [2, 3]), value("b", [4, 5])], [value("y", [2, 5])])


def wrong_types():
    return model([node("Add", ["a", "b"], ["y"], name="mixed")], [value("a", [2]), value("b", [2], INT64)], [value("y", [2])])


def undefined_input():
    return model([node("Relu", ["nowhere"], ["y"], name="relu")], [value("x", [1])], [value("y", [1])])


def bad_equation():
    return model([node("Einsum", ["a", "a"], ["y"], name="contract", equation="ij,j`->i")], [value("a", [2, 2])], [value("y", [2])])


def recursive():
    a = helper.make_function("local", "A", ["x"], ["y"], [node("B", ["x"], ["y"], domain="local")], [helper.make_opsetid("local", 1)])
    b = helper.make_function("local", "B", ["x"], ["y"], [node("A", ["x"], ["y"], domain="local")], [helper.make_opsetid("local", 1)])
    return model([node("A", ["x"], ["y"], name="call", domain="local")], [value("x", [1])], [value("y", [1])], functions=[a, b],
                 imports=[("local", 1)])


def explosive():
    """Each function calls the next one twice: 2^60 nodes."""
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("local", 1)]
    levels = [helper.make_function("local", f"F{i}", ["x"], ["y"],
                                   [node(f"F{i + 1}", ["x"], ["t"], domain="local"), node(f"F{i + 1}", ["t"], ["y"], domain="local")], imports)
              for i in range(60)]
    levels.append(helper.make_function("local", "F60", ["x"], ["y"], [node("Relu", ["x"], ["y"])], imports))
    return model([node("F0", ["x"], ["y"], name="call", domain="local")], [value("x", [1])], [value("y", [1])], opset=18,
                 functions=levels, imports=[("local", 1)])


def with_tensor(change):
    result = model([node("Add", ["x", "w"], ["y"], name="add")], [value("x", [300])], [value("y", [300])],
                   initializers=[tensor("w", counted(300))])
    change(result.graph.initializer[0])
    return result


def short_data():
    return with_tensor(lambda w: setattr(w, "raw_data", w.raw_data[:-1]))


def long_data():
    return with_tensor(lambda w: setattr(w, "raw_data", w.raw_data + b"\0"))


def few_entries():
    def change(w):
        w.ClearField("raw_data")
        w.float_data.extend([1, 2])

    return with_tensor(change)


def huge_dimensions():
    return with_tensor(lambda w: w.dims.extend([1 << 40, 1 << 40]))


def negative_dimension():
    return with_tensor(lambda w: w.dims.extend([-1]))


def external_missing():
    return with_tensor(lambda w: make_external(w, "missing.bin", 0, 1200))


def external_parent():
    return with_tensor(lambda w: make_external(w, "../outside.bin"))


def external_absolute():
    return with_tensor(lambda w: make_external(w, "/etc/passwd"))


def external_link():
    link = os.path.join(os.path.dirname(sys.argv[2]), "link.bin")
    if not os.path.islink(link):
        os.symlink("/etc/passwd", link)
    return with_tensor(lambda w: make_external(w, "link.bin"))


def external_range():
    with open(os.path.join(os.path.dirname(sys.argv[2]), "short.bin"), "wb") as file:
        file.write(b"\0" * 1000)
    return with_tensor(lambda w: make_external(w, "short.bin", 4))


def external_overflow():
    with open(os.path.join(os.path.dirname(sys.argv[2]), "short.bin"), "wb") as file:
        file.write(b"\0" * 1000)
    return with_tensor(lambda w: make_external(w, "short.bin", (1 << 64) - 4))


def external_length():
    with open(os.path.join(os.path.dirname(sys.argv[2]), "short.bin"), "wb") as file:
        file.write(b"\0" * 2000)
    return with_tensor(lambda w: make_external(w, "short.bin", 0, 1000))


if __name__ == "__main__":
    os.makedirs(os.path.dirname(sys.argv[2]), exist_ok=True)
    with open(sys.argv[2], "wb") as output:
        output.write(globals()[sys.argv[1]]().SerializeToString())
