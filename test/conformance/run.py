#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the node tests that ONNX defines for its operators through `tenon verify`.

    run.py                       all of them
    run.py --only test_conv      those whose name contains test_conv, with what went wrong
    run.py --update              writes what fails now into expected_failures.txt
    run.py --every 16 --target cpu:aarch64 --runner "qemu-aarch64 ... tenon-run"
                                 every 16th, compiled for another processor and run there

The cases are generated from onnx.backend.test.case (numpy seeded with 0: the package no longer ships them as files) into
build/conformance, once. What does not work yet is listed in expected_failures.txt, one case a line with the reason; a failure
that is not listed is a failure, and so is a listed case that passes. Exit code 1 when there is either.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parents[2]
TENON = ROOT / "build" / "bin" / "tenon"
BATCH, SECONDS_PER_CASE = 24, 60
HEADER = """\
# {what} that do not pass yet, and why. Sorted. Written by `test/{title}/run.py --update`; a case listed here
# that passes is an error, so the list cannot grow stale.
"""


def node_tests():
    """ONNX's own cases."""
    import numpy as np
    np.random.seed(0)
    from onnx.backend.test.case.node import collect_testcases
    return collect_testcases(None)


@dataclass
class Suite:
    """Cases with names, models and data sets, where they are written, and the list of those that fail."""
    title: str
    what: str
    cases: Path
    expected: Path
    collect: Callable
    description: str
    sources: list = field(default_factory=list)  # files that the cases depend on
    options: Callable = lambda name: ()  # of `tenon verify`, for a case


NODE_TESTS = Suite("conformance", "ONNX's node tests", ROOT / "build" / "conformance",
                   Path(__file__).with_name("expected_failures.txt"), node_tests, __doc__)


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


def generate(suite):
    """Writes every case as model.onnx and test_data_set_<i>/; returns their names."""
    import numpy as np
    import onnx
    manifest = suite.cases / "manifest.json"
    stamp = {"onnx": onnx.__version__, "numpy": np.__version__}
    for source in suite.sources:
        stamp[source.name] = hashlib.sha256(source.read_bytes()).hexdigest()
    if manifest.exists():
        known = json.loads(manifest.read_text())
        if known["versions"] == stamp:
            return known["cases"]
    print(f"generating {suite.what}", flush=True)
    warnings.simplefilter("ignore")
    shutil.rmtree(suite.cases, ignore_errors=True)
    names = []
    for case in suite.collect():
        folder = suite.cases / case.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.onnx").write_bytes(case.model.SerializeToString())
        for index, (inputs, outputs) in enumerate(case.data_sets):
            data = folder / f"test_data_set_{index}"
            data.mkdir(exist_ok=True)
            for prefix, values, ports in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
                for i, (value, port) in enumerate(zip(values, ports)):
                    (data / f"{prefix}_{i}.pb").write_bytes(message(value, port.type, port.name).SerializeToString())
        names.append(case.name)
    manifest.write_text(json.dumps({"versions": stamp, "cases": names}))
    return names


def answers(command, folder):
    """Yields the JSON lines that a command prints in a folder, then how it ended: None when it went as it should."""
    # A session of its own, so that a runner goes with the command that started it.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                               start_new_session=True, cwd=folder)  # where reproducers of bugs may lie
    pending = b""
    with process, selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(SECONDS_PER_CASE):
                os.killpg(process.pid, signal.SIGKILL)
                yield f"does not end within {SECONDS_PER_CASE} s"
                return
            read = os.read(process.stdout.fileno(), 1 << 16)
            if not read:
                break
            *lines, pending = (pending + read).split(b"\n")
            yield from (json.loads(line) for line in lines if line.startswith(b"{"))
    yield None if process.returncode in (0, 1) else f"crashed (exit code {process.returncode})"


def verify(names, command, folder):
    """{name: reason or None} of one batch. A crash, or a case that does not end, costs only itself."""
    results, left = {}, list(names)
    while left:
        ending = None
        for answer in answers(command + [str(folder / name) for name in left], folder):
            if isinstance(answer, dict):
                results[Path(answer["model"]).name] = reason_of(answer)
            else:
                ending = answer
        left = [name for name in left if name not in results]
        if left:
            # The cases run in order: the first without an answer is the one that broke the process.
            results[left.pop(0)] = ending or "gives no answer"
    return results


def reason_of(answer):
    if answer["outcome"] == "equal":
        return None
    if answer["outcome"] == "different":
        return next(f"output '{o['name']}': {o['reason']}" for o in answer["outputs"] if not o["equal"])
    return f"{answer['outcome']}: {answer['message']}"


def shorten(reason, folder):
    """One line that stays the same from run to run: the first error, without paths, numbers of lines and measured values."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    line = next((line for line in lines if "error:" in line), lines[0] if lines else "no reason given")
    line = line.replace(str(folder) + "/", "").replace(str(ROOT) + "/", "")
    line = re.sub(r"^(rejected|failed): ", r"\1: ", line)
    line = re.sub(r"'?[\w./-]*model\.(onnx|tenon)'?(:\d+:\d+)?:?\s*", "", line)
    line = re.sub(r"/tmp/\S+", "...", line)
    line = re.sub(r"largest difference .*", "the numbers differ", line)
    line = re.sub(r"(elements differ).*", r"\1", line)
    return line[:180]


def read_expected(path):
    expected = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(": ")
            expected[name] = reason
    return expected


def run_all(names, command, folder, jobs, options):
    groups = {}
    for name in names:
        groups.setdefault(options(name), []).append(name)
    batches = [(group[i:i + BATCH], command + list(extra)) for extra, group in groups.items() for i in range(0, len(group), BATCH)]
    results, shown = {}, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(lambda batch: verify(*batch, folder), batches):
            results.update(result)
            if sys.stdout.isatty() and time.monotonic() - shown > 1:
                print(f"\r{len(results)} of {len(names)}", end="", flush=True)
                shown = time.monotonic()
    if sys.stdout.isatty():
        print("\r\x1b[2K", end="")
    return results


def main(suite=NODE_TESTS):
    parser = argparse.ArgumentParser(description=suite.description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases whose name contains TEXT")
    parser.add_argument("--update", action="store_true", help="rewrite expected_failures.txt")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at once")
    parser.add_argument("--tenon", type=Path, default=TENON, help="the command to test (default: build/bin/tenon)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth case, by name")
    parser.add_argument("--target", default="cpu", help="what to compile for (default: cpu, this computer's)")
    parser.add_argument("--runner", help="what runs the compiled models, as `tenon verify --runner` takes it")
    parser.add_argument("--report", type=Path, help="write the counts as JSON")
    arguments = parser.parse_args()
    command = [str(arguments.tenon.absolute()), "verify", "--verify-each", "--json", "--threads", "1", "--target", arguments.target]
    if arguments.runner:
        command += ["--runner", arguments.runner]
    cases = set(generate(suite))
    names = sorted(name for name in cases if arguments.only in name)[::arguments.every]
    results = run_all(names, command, suite.cases, arguments.jobs, suite.options)
    failures = {name: shorten(reason, suite.cases) for name, reason in results.items() if reason is not None}
    passed = len(results) - len(failures)
    if arguments.update:
        if len(names) < len(cases):
            failures = {**{n: r for n, r in read_expected(suite.expected).items() if n in cases and n not in results}, **failures}
        lines = "".join(f"{name}: {failures[name]}\n" for name in sorted(failures))
        suite.expected.write_text(HEADER.format(what=suite.what, title=suite.title) + lines)
    expected = read_expected(suite.expected)
    surprises = [f"{name}: {failures[name]}" for name in sorted(failures) if name not in expected]
    surprises += [f"{name}: passes, but is listed as failing ({expected[name]}); run with --update"
                  for name in names if name in expected and name not in failures]
    surprises += [f"{name}: listed, but there is no such case" for name in expected if name not in cases]
    if arguments.only:
        for name in sorted(failures.keys() & results.keys()):
            print(f"{name}: {results[name]}")
    for surprise in surprises:
        print(f"FAIL {surprise}")
    listed = sum(name in expected for name in failures)
    print(f"{suite.title}: {passed} of {len(results)} pass, {listed} fail as listed, {len(surprises)} surprises")
    if arguments.report:
        stale = sum("passes, but" in surprise for surprise in surprises)
        arguments.report.write_text(json.dumps(
            {"passed": passed - stale, "failed": len(surprises), "skipped": listed, "total": len(results)}))
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
