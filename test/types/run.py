#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs operators over all element types that their schemas allow, against ONNX's reference implementation.

    run.py                       all of them
    run.py --only Mod            those whose name contains Mod, with what went wrong
    run.py --every 16            every 16th

The table in cases.py says which operators with which operands; the types come from the schemas. The cases are written to
build/types like those of ONNX's own node tests, and run by the same code (test/conformance/run.py). What does not work yet
is listed in expected_failures.txt. Exit code 1 when the list is wrong.
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.append(str(HERE.parent))
import cases
from conformance import run, suites

if __name__ == "__main__":
    sys.exit(run.main(suites.Suite("types", "Cases of operators and element types", cases.collect, __doc__,
                                   sources=[HERE / "cases.py"])))
