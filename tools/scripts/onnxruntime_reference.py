#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ONNX Runtime as a second opinion, driven over pipes by `tenon verify` and `tenon bench`.

Reads one JSON request a line from the standard input and answers each with one JSON line, until the input ends:

    {"do": "load", "model": "m.onnx", "threads": 2, "optimize": true}   -> {"version": "1.32.0"}
    {"do": "feed", "inputs": "in.npz"}                                  -> {}
    {"do": "time"}                                                      -> {"ms": 1.25}
    {"do": "save", "outputs": "out.npz"}                                -> {}    (runs once more)

A request that fails is answered with {"error": "..."}. Values travel as .npz keyed by name: NAME#none is an empty optional,
NAME#len and NAME#0, NAME#1, ... a sequence, NAME#keys and NAME#values a map, |V2 and |V1 the raw bits of types that numpy lacks.
"""
import json
import os
import sys
import time

# Answers go to the real standard output; whatever a library prints goes to the standard error.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import numpy as np
import onnxruntime as ort
from onnx import TensorProto

# Types that numpy lacks, by the name ONNX Runtime gives them. The narrow ones are packed two or four to a byte.
RAW = {"bfloat16": (TensorProto.BFLOAT16, 16), "float8e4m3fn": (TensorProto.FLOAT8E4M3FN, 8),
       "float8e4m3fnuz": (TensorProto.FLOAT8E4M3FNUZ, 8), "float8e5m2": (TensorProto.FLOAT8E5M2, 8),
       "float8e5m2fnuz": (TensorProto.FLOAT8E5M2FNUZ, 8)}


def raw_type(name):
    """The ONNX number and the width of "tensor(bfloat16)" and its like; None for types that numpy has."""
    return RAW.get(name[len("tensor("):-1]) if name.startswith("tensor(") else None


def gather(arrays, name):
    if name + "#none" in arrays:
        return None
    if name + "#len" in arrays:
        return [gather(arrays, f"{name}#{i}") for i in range(int(arrays[name + "#len"]))]
    if name + "#keys" in arrays:
        return dict(zip(arrays[name + "#keys"].tolist(), arrays[name + "#values"].tolist()))
    return arrays[name]


def scatter(arrays, name, value):
    if value is None:
        arrays[name + "#none"] = np.int64(1)
    elif isinstance(value, dict):
        arrays[name + "#keys"] = np.array(list(value.keys()))
        # ONNX's maps hold floats, integers or strings.
        arrays[name + "#values"] = np.array([np.float32(v) if isinstance(v, float) else v for v in value.values()])
    elif isinstance(value, list):
        arrays[name + "#len"] = np.int64(len(value))
        for i, element in enumerate(value):
            scatter(arrays, f"{name}#{i}", element)
    else:
        value = np.asarray(value)
        arrays[name] = value.astype(np.str_) if value.dtype == object else value


class Reference:
    def load(self, model, threads, optimize):
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads
        # Its threads may spin during a run, but not into the next turn of whoever is timed beside it.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.graph_optimization_level = (
            ort.GraphOptimizationLevel.ORT_ENABLE_ALL if optimize else ort.GraphOptimizationLevel.ORT_DISABLE_ALL)
        self.session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.outputs = [output.name for output in self.session.get_outputs()]
        ports = self.session.get_inputs() + self.session.get_outputs()
        self.raw = any(raw_type(port.type) for port in ports)
        return {"version": ort.__version__}

    def feed(self, inputs):
        with np.load(inputs) as arrays:
            # A tensor of raw bits is not an ndarray of some type: it goes in with its ONNX type beside it.
            self.feeds = {}
            for port in self.session.get_inputs():
                value = gather(arrays, port.name)
                if self.raw:
                    kind = raw_type(port.type)
                    value = (ort.OrtValue.ortvalue_from_numpy_with_onnx_type(
                        np.ascontiguousarray(value).view(f"u{kind[1] // 8}"), kind[0]) if kind
                        else ort.OrtValue.ortvalue_from_numpy(value))
                self.feeds[port.name] = value
        return {}

    def run(self):
        if self.raw:
            return self.session.run_with_ort_values(self.outputs, self.feeds)
        return self.session.run(self.outputs, self.feeds)

    def time(self):
        start = time.perf_counter()
        self.run()
        return {"ms": (time.perf_counter() - start) * 1e3}

    def save(self, outputs):
        arrays = {}
        for port, value in zip(self.session.get_outputs(), self.run()):
            if self.raw:
                value = self.plain(value, raw_type(port.type))
            scatter(arrays, port.name, value)
        np.savez(outputs, **arrays)
        return {}

    @staticmethod
    def plain(value, kind):
        if not kind:
            return value.numpy()
        import ctypes
        size = kind[1] // 8
        count = int(np.prod(value.shape(), dtype=np.int64))
        data = (ctypes.c_uint8 * (count * size)).from_address(value.data_ptr())
        return np.frombuffer(bytes(data), f"V{size}").reshape(value.shape())


def main():
    reference = Reference()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(reference, request.pop("do"))(**request)
        except Exception as error:  # whatever it is, the other side wants to hear of it
            answer = {"error": f"{type(error).__name__}: {error}".strip()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
