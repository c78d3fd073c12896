# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The other two ways in which a case runs, made from the one that ships.

    dynamic    every dimension of every input is dynamic and has a name of its own; what the model says about the sizes of
               its outputs and of values in between is dropped (ranks and types stay)
    constant   every input but one is an initialiser, so that the compiler computes what the runtime computed before; the
               one that stays is the first that no initialiser can hold (a sequence, an optional), or else the first

A way may not apply to a case. Then there is a reason, which is a property of the case and never of the compiler.
"""
import shutil

from conformance.shipped import real_inputs

WAYS = ("static", "dynamic", "constant")


class Inapplicable(Exception):
    """Why a case cannot run in some way."""


def write_variant(way, source, target):
    """Writes `source`, the folder of a case as it ships, in another way to the folder `target`. May raise Inapplicable."""
    import onnx
    model = onnx.load(source / "model.onnx")
    data_sets = sorted(source.glob("test_data_set_*"))
    if way == "dynamic":
        make_dynamic(model)
        target.mkdir(parents=True)
        for data in data_sets:
            (target / data.name).symlink_to(data.resolve())
    else:
        kept = make_constant(model, data_sets[0])
        data = target / data_sets[0].name
        data.mkdir(parents=True)
        for output in data_sets[0].glob("output_*.pb"):
            shutil.copy(output, data / output.name)
        shutil.copy(data_sets[0] / f"input_{kept}.pb", data / "input_0.pb")
    (target / "model.onnx").write_bytes(model.SerializeToString())


def tensor_type(kind):
    """The tensor type within a type of sequences and optionals; None where there is none."""
    form = kind.WhichOneof("value")
    if form == "tensor_type":
        return kind.tensor_type
    if form in ("sequence_type", "optional_type"):
        return tensor_type(getattr(kind, form).elem_type)
    return None


def dimensions(port):
    tensor = tensor_type(port.type)
    return list(tensor.shape.dim) if tensor is not None else []


def make_dynamic(model):
    ports = real_inputs(model.graph)
    if not any(dimensions(port) for port in ports):
        raise Inapplicable("no input has a dimension" if ports else "it has no inputs")
    for port in ports:
        for axis, dimension in enumerate(dimensions(port)):
            dimension.dim_param = dimension.dim_param or f"{port.name}_{axis}"
    forget_sizes(model.graph, [*model.graph.output])
    for function in model.functions:
        del function.value_info[:]
        for node in function.node:
            forget_sizes_of_bodies(node)


def forget_sizes(graph, ports):
    del graph.value_info[:]
    for port in ports:
        for dimension in dimensions(port):
            dimension.Clear()
    for node in graph.node:
        forget_sizes_of_bodies(node)


def forget_sizes_of_bodies(node):
    for attribute in node.attribute:
        for body in [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]:
            forget_sizes(body, [*body.input, *body.output])


def make_constant(model, data):
    """Returns the number of the input that stays."""
    import onnx
    ports = real_inputs(model.graph)
    if len(ports) < 2:
        raise Inapplicable("it has one input" if ports else "it has no inputs")
    others = [i for i, port in enumerate(ports) if not port.type.HasField("tensor_type")]
    if len(others) > 1:
        raise Inapplicable(f"{len(others)} of its inputs are no tensors, and an initialiser is one")
    kept = others[0] if others else 0
    for i, port in enumerate(ports):
        if i != kept:
            value = model.graph.initializer.add()
            value.ParseFromString((data / f"input_{i}.pb").read_bytes())
            value.name = port.name
            model.graph.input.remove(port)
    model.ir_version = max(model.ir_version, 4)  # the first in which initialisers need not be inputs
    return kept
