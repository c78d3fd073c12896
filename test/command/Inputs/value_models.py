# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models whose inputs and outputs are no tensors of numbers, with test data: value_models.py FOLDER writes FOLDER/NAME/model.onnx
with test_data_set_0/input_<i>.pb, and FOLDER/NAME.npz with the same inputs."""
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TENSOR, SEQUENCE = helper.make_tensor_type_proto, helper.make_sequence_type_proto
F32, I64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING


def node(operator, inputs, outputs, domain="", **attributes):
    return helper.make_node(operator, inputs, outputs, name=operator.lower() + "_" + outputs[0], domain=domain, **attributes)


def model(nodes, inputs, outputs):
    values = [[helper.make_value_info(name, kind) for name, kind in side.items()] for side in (inputs, outputs)]
    graph = helper.make_graph(nodes, "values", *values)
    return helper.make_model(graph, ir_version=10,
                             opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)])


def models():
    """(name, model, inputs)."""
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    yield "split_and_join", model(
        [node("SplitToSequence", ["x"], ["rows"], axis=0),
         node("SequenceLength", ["rows"], ["count"]),
         node("SequenceAt", ["rows", "at"], ["row"]),
         node("SequenceInsert", ["rows", "row"], ["more"]),
         node("SequenceErase", ["more", "at"], ["fewer"]),
         node("ConcatFromSequence", ["fewer"], ["joined"], axis=1, new_axis=0),
         node("ConcatFromSequence", ["more"], ["stacked"], axis=-1, new_axis=1),
         node("Relu", ["row"], ["positive"])],
        {"x": TENSOR(F32, ["n", 4]), "at": TENSOR(I64, [])},
        {"joined": TENSOR(F32, None), "stacked": TENSOR(F32, None), "count": TENSOR(I64, []), "positive": TENSOR(F32, None),
         "more": SEQUENCE(TENSOR(F32, None))}), [x, np.int64(-1)]
    yield "sequence_of_strings", model(
        [node("SequenceInsert", ["words", "word", "at"], ["more"]), node("SequenceLength", ["words"], ["count"])],
        {"words": SEQUENCE(TENSOR(STRING, [None])), "word": TENSOR(STRING, [None]), "at": TENSOR(I64, [])},
        {"more": SEQUENCE(TENSOR(STRING, None)), "count": TENSOR(I64, [])}), [
            [np.array(["a"], object), np.array(["b", "\u00fc"], object)], np.array([""], object), np.int64(1)]
    yield "scores_by_label", model(
        [node("Softmax", ["x"], ["y"]), node("ZipMap", ["y"], ["labelled"], "ai.onnx.ml", classlabels_strings=["a", "b", "c", "d"])],
        {"x": TENSOR(F32, ["n", 4])}, {"labelled": SEQUENCE(helper.make_map_type_proto(STRING, TENSOR(F32, [])))}), [x]
    yield "features_by_name", model(
        [node("DictVectorizer", ["m"], ["v"], "ai.onnx.ml", int64_vocabulary=[5, 3, 0]), node("Relu", ["v"], ["y"])],
        {"m": helper.make_map_type_proto(I64, TENSOR(F32, []))}, {"y": TENSOR(F32, None)}), [{3: 1.5, 9: -2.0, 0: -1.0}]
    # Collects what the iterations give in a sequence that starts empty, and carries a sequence that grows.
    body = helper.make_graph(
        [node("Identity", ["more"], ["again"]), node("Gather", ["x", "i"], ["row"]), node("SequenceInsert", ["list", "row"], ["longer"])],
        "body", [helper.make_tensor_value_info("i", I64, []), helper.make_tensor_value_info("more", TensorProto.BOOL, []),
                 helper.make_value_info("list", SEQUENCE(TENSOR(F32, None)))],
        [helper.make_tensor_value_info("again", TensorProto.BOOL, []), helper.make_value_info("longer", SEQUENCE(TENSOR(F32, None)))])
    yield "loop", model(
        [node("SequenceEmpty", [], ["empty"], dtype=F32), node("Loop", ["n", "", "empty"], ["list"], body=body),
         node("ConcatFromSequence", ["list"], ["y"], axis=0, new_axis=1)],
        {"x": TENSOR(F32, ["rows", 4]), "n": TENSOR(I64, [])}, {"y": TENSOR(F32, None), "list": SEQUENCE(TENSOR(F32, None))}), [x, np.int64(3)]


def message(value, name):
    if isinstance(value, dict):
        return numpy_helper.from_dict(value, name)
    return numpy_helper.from_list(value, name) if isinstance(value, list) else numpy_helper.from_array(np.asarray(value), name)


def scatter(arrays, name, value):
    if isinstance(value, dict):
        arrays[name + "#keys"], arrays[name + "#values"] = np.array(list(value)), np.array(list(value.values()), np.float32)
    elif isinstance(value, list):
        arrays[name + "#len"] = np.int64(len(value))
        for i, element in enumerate(value):
            arrays[f"{name}#{i}"] = element.astype(np.str_) if element.dtype == object else element
    else:
        arrays[name] = value.astype(np.str_) if value.dtype == object else value


def main(folder):
    for name, proto, inputs in models():
        data = folder / name / "test_data_set_0"
        data.mkdir(parents=True)
        (folder / name / "model.onnx").write_bytes(proto.SerializeToString())
        arrays = {}
        for i, (port, value) in enumerate(zip(proto.graph.input, inputs)):
            scatter(arrays, port.name, value)
            if not isinstance(value, dict):  # whose values onnx's own helper cannot write
                (data / f"input_{i}.pb").write_bytes(message(value, port.name).SerializeToString())
        np.savez(folder / f"{name}.npz", **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
