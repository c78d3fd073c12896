# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The 2,033 cases that ship with the onnx package, of five kinds.

The node cases are generated from onnx.backend.test.case (numpy seeded with 0: the package no longer ships them as files). The
simple, pytorch-converted and pytorch-operator ones are folders in the package; the light models are nine well-known
architectures with constant weights, fed with the numbers that ONNX's own runner feeds them.
"""
import json
from collections import namedtuple
from pathlib import Path

Case = namedtuple("Case", "name model data_sets rtol atol")
FOLDERS = ("simple", "pytorch-converted", "pytorch-operator")
# What ONNX's loader gives a case that says nothing itself.
DEFAULT_TOLERANCE = {"rtol": 1e-3, "atol": 1e-7}


def collect():
    """Yields every case: its data sets are pairs of lists of values, or of the protobuf messages that ship."""
    yield from node_cases()
    import onnx
    data = Path(onnx.__file__).parent / "backend" / "test" / "data"
    for kind in FOLDERS:
        for folder in sorted(path.parent for path in (data / kind).glob("*/model.onnx")):
            yield folder_case(folder)
    for description in sorted((data / "real").glob("*/data.json")):
        yield light_case(description.parent.name, json.loads(description.read_text()), data / "light")


def node_cases():
    import numpy as np
    np.random.seed(0)
    from onnx.backend.test.case.node import collect_testcases
    return collect_testcases(None)


def real_inputs(graph):
    """Old models list their weights among the inputs, too."""
    weights = {initializer.name for initializer in graph.initializer}
    return [port for port in graph.input if port.name not in weights]


def parse(path, kind):
    """A value of a test data set, as the message that a value of this type is written as."""
    import onnx
    message = {"sequence_type": onnx.SequenceProto, "optional_type": onnx.OptionalProto}.get(kind.WhichOneof("value"), onnx.TensorProto)()
    message.ParseFromString(path.read_bytes())
    return message


def folder_case(folder):
    import onnx
    model = onnx.load(folder / "model.onnx")
    ports = {"input": real_inputs(model.graph), "output": model.graph.output}
    data_sets = []
    for data in sorted(folder.glob("test_data_set_*")):
        data_sets.append([[parse(data / f"{prefix}_{i}.pb", port.type) for i, port in enumerate(ports[prefix])
                           if (data / f"{prefix}_{i}.pb").exists()] for prefix in ("input", "output")])
    own = json.loads((folder / "data.json").read_text()) if (folder / "data.json").exists() else {}
    tolerance = {**DEFAULT_TOLERANCE, **{key: own[key] for key in DEFAULT_TOLERANCE if key in own}}
    return Case(folder.name, model, data_sets, **tolerance)


def light_case(name, description, light):
    import numpy as np
    import onnx
    stem = Path(description["url"]).stem
    model = onnx.load(light / f"{stem}.onnx")
    inputs = []
    for port in real_inputs(model.graph):
        shape = [dimension.dim_value for dimension in port.type.tensor_type.shape.dim]
        count = np.prod(shape)
        inputs.append((np.arange(count).reshape(shape) / count).astype(np.float32))
    outputs = [parse(light / f"{stem}_output_{i}.pb", port.type) for i, port in enumerate(model.graph.output)]
    return Case(name, model, [(inputs, outputs)], description["rtol"], description["atol"])
