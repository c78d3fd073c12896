#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that what can be tried alone is: every pass, and every operation of the dialects.

    alone.py [root]                   every pass of a Passes.td has test/<folder>/<Pass>.mlir, which uses its option, or
                                      test/<folder>/<Part>.mlir files that all do; every operation is in a round-trip test
    alone.py [root] --help-text FILE  and FILE, what tenon-opt --help printed, lists all passes and all pipelines
    prints every violation; exit code 1 when there is one

A pass is declared in the Passes.td of its folder and tested in the folder of the same name: lib/fuse/Passes.td has FormKernels,
test/fuse/FormKernels.mlir tests it. A pass whose patterns are many (lower-onnx) is tested by one file for each source file.
Operations of dialects/<name>/*.td are in test/dialects/<name>/roundtrip.mlir; those that are generated are not looked at.
"""
import argparse
import re
import sys
from pathlib import Path

PASS = re.compile(r'^def (\w+)\s*:\s*Pass<"([\w-]+)"', re.M)
OPERATION = re.compile(r'^def \w+\s*:\s*\w*Op<(?:\w+_Dialect,\s*)?"([\w.]+)"', re.M)
PIPELINE = re.compile(r'PassPipelineRegistration<[^>]*>\(\s*"([\w-]+)"')


def passes(root):
    """(folder, name, option) of each pass that a Passes.td declares."""
    for file in sorted((root / "lib").rglob("Passes.td")):
        folder = file.parent.relative_to(root / "lib")
        for name, option in PASS.findall(file.read_text()):
            yield folder, name, option


def uses(test, option):
    """Whether a RUN line of the test runs the pass."""
    run = "\n".join(line for line in test.read_text().splitlines() if "RUN:" in line)
    return re.search(r"(--|[(,{])" + re.escape(option) + r"(?![\w-])", run) is not None


def violations(root, help_text):
    for folder, name, option in passes(root):
        tests = root / "test" / folder
        own = tests / f"{name}.mlir"
        if own.exists():
            if not uses(own, option):
                yield f"{own.relative_to(root)}: does not run {option}"
        else:
            parts = [tests / f"{source.stem}.mlir" for source in (root / "lib" / folder).glob("*.cpp")]
            if not any(part.exists() and uses(part, option) for part in parts):
                yield f"lib/{folder}/Passes.td: {name} has no test; test/{folder}/{name}.mlir should run --{option}"
    for file in sorted((root / "dialects").rglob("*.td")):
        dialect = file.parent.name
        test = root / "test" / "dialects" / dialect / "roundtrip.mlir"
        text = test.read_text() if test.exists() else ""
        for name in OPERATION.findall(file.read_text()):
            if not re.search(rf"(?<!// CHECK: ){dialect}\.{re.escape(name)}(?![\w.])", text):
                yield f"{file.relative_to(root)}: {dialect}.{name} is not in {test.relative_to(root)}"
    if help_text is None:
        return
    options = [option for _, _, option in passes(root)]
    for source in sorted((root / "lib").rglob("*.cpp")):
        options += PIPELINE.findall(source.read_text())
    for option in options:
        if not re.search(rf"^\s*--{re.escape(option)}\s", help_text, re.M):
            yield f"tenon-opt --help does not list {option}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--help-text", type=Path)
    arguments = parser.parse_args()
    found = list(violations(arguments.root, arguments.help_text and arguments.help_text.read_text()))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
