#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the contrib operators (com.microsoft) against ONNX Runtime, its CPU kernels and no graph optimisation.

    run.py                       all of them
    run.py --only Attention      those whose name contains Attention, with what went wrong
    run.py --every 16            every 16th

The tables (transformers.py, quantized.py, tensors.py) say which operators with which operands; each case is there twice, as it is and with
every dimension of its inputs dynamic. The cases are written to build/contrib like those of ONNX's own node tests, and run by the
same code (test/conformance/run.py), in f32 to 1e-5 of the largest magnitude. What does not work yet is listed in
expected_failures.txt. Exit code 1 when the list is wrong.
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.append(str(HERE.parent))
import quantized
import rows
import tensors
import transformers
from conformance import run, suites


def options(name):
    """What `tenon verify` is told besides for a case: the tolerance of f32; shorter formats have their own."""
    return ("--tolerance", "1e-5") if "_f32" in name else ()


def collect():
    return rows.collect(transformers.FAMILIES + quantized.FAMILIES + tensors.FAMILIES)


if __name__ == "__main__":
    sys.exit(run.main(suites.Suite("contrib", "Cases of contrib operators", collect, __doc__,
                                   sources=sorted(HERE.glob("*.py")), options=options)))
