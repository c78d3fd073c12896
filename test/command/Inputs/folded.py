# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""folded.py FILE: a model with a node for each way in which a node needs no kernel."""
import sys

import onnx
from onnx import TensorProto, helper

nodes = [helper.make_node("Shape", ["x"], ["shape"], name="/shape"),
         helper.make_node("Mul", ["shape", "two"], ["twice"], name="/twice"),
         helper.make_node("ConstantOfShape", ["twice"], ["zeros"], name="/zeros"),
         helper.make_node("Exp", ["table"], ["e"], name="/folded"),
         helper.make_node("Add", ["zeros", "e"], ["sum"], name="/add"),
         helper.make_node("Flatten", ["sum"], ["y"], name="/view", axis=0)]
graph = helper.make_graph(
    nodes, "folded", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    [helper.make_tensor("two", TensorProto.INT64, [1], [2]), helper.make_tensor("table", TensorProto.FLOAT, [1], [0.5])])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)]), sys.argv[1])
