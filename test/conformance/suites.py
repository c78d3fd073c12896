# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A suite: cases with names, models and data sets, written as folders that `tenon verify` takes, once for each way.

    build/conformance/cases.json              what there is, and which versions of what it was made from
    build/conformance/static/test_add/        model.onnx, test_data_set_0/input_0.pb, …
    build/conformance/dynamic/test_add/       the same in another way (variants.py)
"""
import hashlib
import json
import shutil
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from conformance import variants

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


@dataclass
class Suite:
    title: str  # the folder in test/ with the lists, and in build/ with the cases
    what: str  # the cases, in a sentence
    collect: Callable  # yields objects with name, model, data_sets; and rtol and atol, or the types' own tolerances hold
    description: str
    sources: list = field(default_factory=list)  # files that the cases depend on
    options: Callable = lambda name: ()  # of `tenon verify`, for a case

    @property
    def folder(self):
        return ROOT / "build" / self.title

    def listed(self, kind, way):
        """The file in which the cases that fail in a way, or to which it does not apply, are listed."""
        return ROOT / "test" / self.title / f"{kind}{'' if way == 'static' else '_' + way}.txt"


@dataclass
class Cases:
    """What was written of a suite."""
    tolerances: dict  # name: [rtol, atol], or None
    inapplicable: dict  # way: {name: reason}

    def options(self, name):
        """Of `tenon verify`: each element within the case's own tolerance."""
        tolerance = self.tolerances[name]
        return ["--elementwise", ",".join(map(str, tolerance))] if tolerance else []

    def names(self, way):
        return sorted(self.tolerances.keys() - self.inapplicable[way].keys())


def message(value, kind, name):
    """A value of a test case as the protobuf message that fits the model's type."""
    from onnx import numpy_helper
    import onnx
    if isinstance(value, (onnx.TensorProto, onnx.SequenceProto, onnx.OptionalProto)):
        return value
    if kind.HasField("map_type"):
        return numpy_helper.from_dict(value, name)
    if kind.HasField("sequence_type"):
        return numpy_helper.from_list(value, name)
    if kind.HasField("optional_type"):
        return numpy_helper.from_optional(value, name)
    return numpy_helper.from_array(value, name)


def write(case, folder):
    """One case as it ships."""
    from conformance.shipped import real_inputs
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    for index, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{index}"
        data.mkdir()
        for prefix, values, ports in (("input", inputs, real_inputs(case.model.graph)), ("output", outputs, case.model.graph.output)):
            for i, (value, port) in enumerate(zip(values, ports, strict=True)):
                (data / f"{prefix}_{i}.pb").write_bytes(message(value, port.type, port.name).SerializeToString())


def generate(suite):
    """Writes every case in every way, unless that has been done from the same sources; returns what there is."""
    import numpy as np
    import onnx
    record = suite.folder / "cases.json"
    stamp = {"onnx": onnx.__version__, "numpy": np.__version__}
    for source in [*suite.sources, HERE / "suites.py", HERE / "variants.py"]:
        stamp[source.name] = hashlib.sha256(source.read_bytes()).hexdigest()
    if record.exists():
        known = json.loads(record.read_text())
        if known["versions"] == stamp:
            return Cases(known["tolerances"], known["inapplicable"])
    print(f"generating {suite.what}", flush=True)
    warnings.simplefilter("ignore")
    shutil.rmtree(suite.folder, ignore_errors=True)
    cases = Cases({}, {way: {} for way in variants.WAYS})
    for case in suite.collect():
        if case.name in cases.tolerances:
            raise SystemExit(f"two cases are named {case.name}")
        cases.tolerances[case.name] = [case.rtol, case.atol] if hasattr(case, "rtol") else None
        shipped = suite.folder / "static" / case.name
        write(case, shipped)
        for way in variants.WAYS[1:]:
            try:
                variants.write_variant(way, shipped, suite.folder / way / case.name)
            except variants.Inapplicable as reason:
                cases.inapplicable[way][case.name] = str(reason)
    record.write_text(json.dumps({"versions": stamp, "tolerances": cases.tolerances, "inapplicable": cases.inapplicable}))
    return cases
