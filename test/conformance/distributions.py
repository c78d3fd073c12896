# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cases whose expected values are draws of numpy's generator, which no other generator gives.

The standard defines the distribution of what these operators give, not the numbers (and of the seed only that the same one gives
the same numbers), so ONNX's own backends leave these cases out. Here they run, and are judged by what the standard does define:

    - types, shapes, and what ties the outputs to the inputs element by element, on the inputs that ship;
    - the same numbers in a second run, and on another number of threads;
    - the mean and the correlation of neighbours, on an input 10,000 times as long: with the few elements that ship any sequence
      of zeros and ones would be likely enough.

The bounds of the last are exceeded with a probability of less than 1e-9 by a right generator; ours gives the same numbers each
time, so a case passes always or never.
"""
import math
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

REPETITIONS = 10_000


def bernoulli(inputs, outputs):
    """Yields whether each element was drawn, and with which probability it should have been."""
    import numpy as np
    (probability,), (drawn,) = inputs, outputs
    if not np.isin(drawn, (0, 1)).all():
        raise AssertionError("an element is neither 0 nor 1")
    return drawn, probability


def bernoulli_by_its_body(inputs, outputs):
    """The body that the standard gives for Bernoulli is 1 where a number in [0, 1) is greater than the probability."""
    drawn, probability = bernoulli(inputs, outputs)
    return drawn, 1 - probability


def dropout(inputs, outputs):
    import numpy as np
    data, ratio, _ = inputs
    scaled = data / (1 - ratio)
    kept = outputs[1] if len(outputs) > 1 else outputs[0] != 0
    if not np.allclose(outputs[0], np.where(kept, scaled, 0), rtol=1e-6, atol=0):
        raise AssertionError("an element is neither 0 nor its input / (1 - ratio), as the mask says")
    return kept, np.full(data.shape, 1 - ratio)


@dataclass
class Check:
    """What makes an output right: raises AssertionError, or returns which elements were drawn with which probabilities."""
    judge: Callable
    reason: str


BERNOULLI = Check(bernoulli, "the expected output is numpy.random.binomial's")
BERNOULLI_BODY = Check(bernoulli_by_its_body, BERNOULLI.reason + ", and the body gives the opposite probability")
DROPOUT = Check(dropout, "the expected mask is numpy.random.uniform's")
CHECKS = {
    "test_bernoulli": BERNOULLI,
    "test_bernoulli_double": BERNOULLI,
    "test_bernoulli_double_expanded": BERNOULLI_BODY,
    "test_bernoulli_expanded": BERNOULLI_BODY,
    "test_bernoulli_seed": BERNOULLI,
    "test_bernoulli_seed_expanded": BERNOULLI_BODY,
    "test_training_dropout": DROPOUT,
    "test_training_dropout_default": DROPOUT,
    "test_training_dropout_default_mask": DROPOUT,
    "test_training_dropout_mask": DROPOUT,
}


@dataclass
class Runner:
    tenon: Path
    target: str
    words: list  # a command that takes what tenon-run takes

    @staticmethod
    def of(tenon, target, command):
        return Runner(tenon, target, shlex.split(command) if command else [str(tenon.with_name("tenon-run"))])

    def compile(self, model, artifact):
        call([str(self.tenon), "compile", str(model), "-o", str(artifact), "--target", self.target])

    def run(self, artifact, inputs, threads, folder):
        import numpy as np
        for name in ("inputs", "outputs"):
            (folder / name).mkdir(parents=True)
        for i, value in enumerate(inputs):
            np.save(folder / "inputs" / f"input_{i}.npy", value)
        call([*self.words, str(artifact), "--inputs", str(folder / "inputs"), "--outputs", str(folder / "outputs"),
              "--threads", str(threads)])
        count = len(list((folder / "outputs").glob("output_*.npy")))
        return [np.load(folder / "outputs" / f"output_{i}.npy") for i in range(count)]


def call(command):
    process = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    if process.returncode:
        raise AssertionError(f"exit code {process.returncode}: {process.stderr.strip()}")


def read(data, prefix):
    import onnx
    from onnx import numpy_helper
    return [numpy_helper.to_array(onnx.TensorProto.FromString((data / f"{prefix}_{i}.pb").read_bytes()))
            for i in range(len(list(data.glob(f"{prefix}_*.pb"))))]


def lengthen(model):
    """The same model for a first input that is REPETITIONS times as long; every case keeps that input in every way."""
    for ports in (model.graph.input[:1], model.graph.output):
        for port in ports:
            first = port.type.tensor_type.shape.dim[0]
            if first.HasField("dim_value"):
                first.dim_value *= REPETITIONS
    del model.graph.value_info[:]
    return model


def judge(check, inputs, outputs, expected):
    """Raises AssertionError unless outputs may come from these inputs; returns what was drawn."""
    for i, (output, want) in enumerate(zip(outputs, expected, strict=True)):
        shape = (want.shape[0] * len(inputs[0]) // len(want), *want.shape[1:])
        if (output.dtype, output.shape) != (want.dtype, shape):
            raise AssertionError(f"output {i} is {output.dtype}{list(output.shape)}, expected {want.dtype}{list(shape)}")
    return check.judge(inputs, outputs)


def check_distribution(drawn, probability):
    import numpy as np
    deviations = (np.asarray(drawn, np.float64) - probability).ravel()
    count, logarithm = deviations.size, math.log(2 / 1e-9)
    # Hoeffding's inequality: each deviation lies in an interval of length 1, each product of two in one of length 2 (of
    # which every other one is independent, hence half the count).
    bounds = {"mean": (deviations.mean(), math.sqrt(logarithm / 2 / count)),
              "correlation of neighbours": ((deviations[:-1] * deviations[1:]).mean(), 2 * math.sqrt(2 * logarithm / 2 / count))}
    for what, (value, bound) in bounds.items():
        if abs(value) > bound:
            raise AssertionError(f"the {what} of {count} deviations is {value:.2g}, more than {bound:.2g}")


def run(check, name, folder, shipped, runner):
    """Judges the case in a way's `folder`; `shipped` is where it lies as it ships. None, or what is wrong."""
    import numpy as np
    import onnx
    data = shipped / name / "test_data_set_0"
    inputs, expected = read(data, "input"), read(data, "output")
    model = onnx.load(folder / name / "model.onnx")
    fed = len(model.graph.input)
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        try:
            runner.compile(folder / name / "model.onnx", place / "short.tenon")
            outputs = runner.run(place / "short.tenon", inputs[:fed], 1, place / "one")
            judge(check, inputs, outputs, expected)
            again = runner.run(place / "short.tenon", inputs[:fed], 2, place / "two")
            if not all(np.array_equal(*pair) for pair in zip(outputs, again, strict=True)):
                raise AssertionError("another run gives other numbers")
            onnx.save(lengthen(model), place / "long.onnx")
            runner.compile(place / "long.onnx", place / "long.tenon")
            long = [np.tile(inputs[0], (REPETITIONS, *[1] * (inputs[0].ndim - 1))), *inputs[1:]]
            check_distribution(*judge(check, long, runner.run(place / "long.tenon", long[:fed], 2, place / "long"), expected))
        except AssertionError as problem:
            return f"{problem} ({check.reason}, so the distribution is checked)"
    return None
