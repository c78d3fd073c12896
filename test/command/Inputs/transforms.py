# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fourier transforms of lengths of every kind against numpy, in f64: `transforms.py FOLDER`."""
import subprocess
import sys
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper

random = numpy.random.default_rng(11)
# Short; powers of two; with odd divisors; a prime and a multiple of one that are longer than a product takes.
LENGTHS = (1, 7, 512, 1024, 1500, 521, 1042, 4096)


def transform(array, length, onesided, inverse):
    """What the standard's definition says, along axis 1 of [batch, length, parts]."""
    values = array[..., 0] + 1j * array[..., 1] if array.shape[-1] == 2 else array[..., 0]
    if onesided and inverse:
        return numpy.fft.irfft(values, length, axis=1)[..., None]
    result = numpy.fft.rfft(values, length, axis=1) if onesided else (numpy.fft.ifft if inverse else numpy.fft.fft)(values, length, axis=1)
    return numpy.stack([result.real, result.imag], -1)


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    count = 0
    for length in LENGTHS:
        for onesided, inverse, parts in ((0, 0, 1), (0, 0, 2), (0, 1, 2), (1, 0, 1), (1, 1, 2)):
            name = f"dft_{length}_{onesided}{inverse}{parts}"
            given = length // 2 + 1 if onesided and inverse else length
            x = random.standard_normal((2, given, parts))
            expected = transform(x, length, onesided, inverse)
            node = helper.make_node("DFT", ["x", "length", "axis"], ["y"], name=name, onesided=onesided, inverse=inverse)
            graph = helper.make_graph([node], name, [helper.make_tensor_value_info("x", TensorProto.DOUBLE, x.shape)],
                                      [helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)],
                                      initializer=[onnx.numpy_helper.from_array(numpy.array(length), "length"),
                                                   onnx.numpy_helper.from_array(numpy.array(1), "axis")])
            onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), folder / f"{name}.onnx")
            numpy.savez(folder / f"{name}.npz", x=x)
            subprocess.run(["tenon", "compile", str(folder / f"{name}.onnx"), "-o", str(folder / f"{name}.tenon")], check=True)
            subprocess.run(["tenon", "run", str(folder / f"{name}.tenon"), "--inputs", str(folder / f"{name}.npz"), "--outputs", str(folder / f"{name}.out.npz")], check=True)
            found = numpy.load(folder / f"{name}.out.npz")["y"]
            assert found.shape == expected.shape, f"{name}: {found.shape}, expected {expected.shape}"
            error = abs(found - expected).max() / max(abs(expected).max(), 1e-300)
            assert error < 1e-13, f"{name}: relative error {error}"
            count += 1
    print(f"{count} transforms agree")


if __name__ == "__main__":
    main()
