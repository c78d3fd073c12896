# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""RNN, GRU and LSTM with all their attributes, over a dynamic number of steps, compared with ONNX Runtime by `tenon verify`:
`recurrences.py FOLDER [options]`."""

import subprocess
import sys
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

random = numpy.random.default_rng(5)
STEPS, BATCH, WIDTH, HIDDEN = 6, 3, 5, 4
GATES = dict(RNN=1, GRU=3, LSTM=4)
PER_DIRECTION = dict(RNN=1, GRU=2, LSTM=3)


def floats(*shape):
    return (random.standard_normal(shape) / 2).astype(numpy.float32)


def cases():
    for operator in GATES:
        for direction in ("forward", "reverse", "bidirectional"):
            yield operator, direction, (), {}
        yield operator, "bidirectional", ("B", "sequence_lens", "initial_h"), {}
        yield operator, "reverse", ("B", "sequence_lens"), dict(clip=0.3)
    yield "RNN", "forward", ("B",), dict(activations=["LeakyRelu"], activation_alpha=[0.3])
    yield "RNN", "bidirectional", (), dict(activations=["Affine", "ScaledTanh"], activation_alpha=[0.5, 0.7], activation_beta=[0.1, 1.3])
    yield "GRU", "forward", ("B",), dict(linear_before_reset=1)
    yield "GRU", "bidirectional", ("B", "initial_h"), dict(activations=["HardSigmoid", "Softsign"] * 2, activation_alpha=[0.3, 0.3], activation_beta=[0.4, 0.4])
    yield "LSTM", "bidirectional", ("B", "initial_h", "initial_c", "P"), {}
    yield "LSTM", "forward", ("B", "P"), dict(input_forget=1)


def main():
    folder, options = Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    count = wrong = 0
    for index, (operator, direction, given, attributes) in enumerate(cases()):
        name = f"{operator}_{index}"
        directions, gates = 2 if direction == "bidirectional" else 1, GATES[operator] * HIDDEN
        weights = dict(W=floats(directions, gates, WIDTH), R=floats(directions, gates, HIDDEN), B=floats(directions, 2 * gates),
                       P=floats(directions, 3 * HIDDEN), sequence_lens=numpy.array([STEPS, 2, 4], numpy.int32))
        states = dict(initial_h=floats(directions, BATCH, HIDDEN), initial_c=floats(directions, BATCH, HIDDEN))
        order = ["X", "W", "R", "B", "sequence_lens", "initial_h"] + (["initial_c", "P"] if operator == "LSTM" else [])
        present = {"X", "W", "R", *given}
        outputs = ["Y", "Y_h"] + (["Y_c"] if operator == "LSTM" else [])
        node = helper.make_node(operator, [n if n in present else "" for n in order], outputs, name=name, direction=direction,
                                hidden_size=HIDDEN, **attributes)
        inputs = dict(X=floats(STEPS, BATCH, WIDTH)) | {n: v for n, v in states.items() if n in present}
        values = [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["steps", BATCH, WIDTH])]
        values += [helper.make_tensor_value_info(n, TensorProto.FLOAT, v.shape) for n, v in inputs.items() if n != "X"]
        graph = helper.make_graph([node], name, values, [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
                                  initializer=[numpy_helper.from_array(v, n) for n, v in weights.items() if n in present])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), folder / f"{name}.onnx")
        numpy.savez(folder / f"{name}.npz", **inputs)
        done = subprocess.run(["tenon", "verify", str(folder / f"{name}.onnx"), "--inputs", str(folder / f"{name}.npz"), *options],
                              capture_output=True, text=True)
        count += 1
        if done.returncode != 0:
            wrong += 1
            print(f"{name} {direction} {given} {attributes}: {done.stdout}{done.stderr}")
    print(f"{count} models, {'all equal' if wrong == 0 else f'{wrong} wrong'}")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
