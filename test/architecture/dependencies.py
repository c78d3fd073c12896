#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks what the design says about the tree: who may include whom, how long files are, what folders may be called.

    dependencies.py [root]        prints every violation; exit code 1 when there is one

Dependencies point one way: dialects <- phases <- driver <- tools; targets use codegen and plan, never the other way; the
runtime needs the artifact reader and nothing else. The table below is the whole rule: a folder may include itself and what
stands behind it.
"""
import re
import sys
from pathlib import Path

MOST_LINES = 600
FORBIDDEN_NAMES = {"utils", "util", "common", "misc", "helpers", "helper"}
SOURCES = {".h", ".cpp", ".c", ".td", ".py", ".cmake", ".hpp"}

DIALECTS = ["dialects/onnx", "dialects/nn", "dialects/plan", "dialects/rt"]
ALLOWED = {
    "include/tenon": [],
    "lib/artifact": ["include/tenon"],
    "lib/runtime": ["include/tenon", "lib/artifact"],
    # Host functions see the runtime through one table of C functions.
    "lib/host": ["include/tenon", "lib/artifact/Status.h", "lib/runtime/HostInterface.h"],
    "dialects/onnx": [],
    "dialects/nn": [],
    "dialects/plan": ["dialects/nn"],
    "dialects/rt": ["dialects/plan"],
    "lib/weights": ["lib/artifact"],
    "lib/target": DIALECTS + ["lib/weights"],
    "lib/import": DIALECTS + ["lib/weights"],
    # Types are inferred by the ONNX library, whose exceptions stay behind the importer's door to it.
    "lib/simplify": DIALECTS + ["lib/weights", "lib/target", "lib/import/OnnxLibrary.h"],
    "lib/lower": DIALECTS + ["lib/weights", "lib/target"],
    "lib/layout": DIALECTS + ["lib/weights", "lib/target"],
    "lib/fuse": DIALECTS + ["lib/weights", "lib/target"],
    "lib/place": DIALECTS + ["lib/weights", "lib/target"],
    "lib/pack": DIALECTS + ["lib/weights", "lib/target"],
    "lib/codegen": DIALECTS + ["lib/weights", "lib/target"],
    # The memory planner is the runtime's own: a plan made ahead of time and one made at run time are the same.
    "lib/schedule": DIALECTS + ["lib/weights", "lib/target", "lib/fuse", "lib/pack", "lib/artifact",
                                "lib/runtime/MemoryPlanner.h"],
    # A target has a compile side (codegen) and a run side (the device interface of the runtime).
    "targets": DIALECTS + ["include/tenon", "lib/weights", "lib/target", "lib/codegen", "lib/artifact", "lib/runtime"],
    "lib/driver": DIALECTS + ["include/tenon", "lib", "targets"],
    # What runs models where there is no compiler, and what it shares with the command that has one.
    "tools/tensors": ["lib/artifact"],
    "tools/tenon-run": ["include/tenon", "lib/artifact", "tools/tensors", "tools/tenon/Statistics.h"],
    "tools": DIALECTS + ["include/tenon", "lib", "targets"],
    "test": ["*"],
}
# The run side of the tree: no header of the compiler, of LLVM or of protobuf.
RUN_SIDE = ("include/tenon", "lib/artifact", "lib/runtime", "lib/host", "tools/tensors", "tools/tenon-run")
COMPILER_HEADERS = re.compile(r"^(llvm|mlir|clang|lld|onnx|google/protobuf)/")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)


def files(root):
    for top in ("cmake", "dialects", "include", "lib", "targets", "test", "tools", "docs", ".ci"):
        yield from (path for path in (root / top).rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def folder_of(path):
    """The entry of the table that a path belongs to: the longest that it starts with."""
    return max((f for f in ALLOWED if path == f or path.startswith(f + "/")), key=len, default=None)


def included_folder(root, name):
    """A project include as a path from the root; "tenon/runtime.h" is include/tenon/runtime.h. None for others' headers."""
    if name.startswith("tenon/") and (root / "include" / name).exists():
        return "include/" + name
    return name if name.split("/")[0] in ("dialects", "lib", "targets", "tools", "test") else None


def check_includes(root, path, text):
    relative = path.relative_to(root).as_posix()
    here = folder_of(relative)
    if here is None or ALLOWED[here] == ["*"]:
        return
    for _, name in INCLUDE.findall(text):
        if here in RUN_SIDE and COMPILER_HEADERS.match(name):
            yield f"{relative}: includes <{name}>; the run side depends on nothing of the compiler"
        target = included_folder(root, name)
        if target is None:
            continue
        allowed = ALLOWED[here] + [here]
        # The table of devices names every target's run side; that is the one place that lists them.
        if here == "lib/runtime" and target.startswith("targets/") and Path(target).name.startswith("device"):
            continue
        if not any(target == a or target.startswith(a + "/") for a in allowed):
            yield f"{relative}: includes \"{name}\"; {here} may include {', '.join(sorted(ALLOWED[here])) or 'nothing'}"


def violations(root):
    for path in sorted(files(root)):
        relative = path.relative_to(root)
        for part in relative.parts:
            if Path(part).stem.lower() in FORBIDDEN_NAMES:
                yield f"{relative}: '{part}' says nothing about what is in it"
        if path.suffix not in SOURCES:
            continue
        text = path.read_text(errors="replace")
        lines = text.count("\n")
        if lines > MOST_LINES:
            yield f"{relative}: {lines} lines; at most {MOST_LINES}"
        if path.suffix in (".h", ".cpp", ".c", ".hpp"):
            yield from check_includes(root, path, text)


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    found = list(violations(root))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
