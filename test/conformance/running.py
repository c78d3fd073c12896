# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs cases through `tenon verify`, many in a process and several processes at once, and says why one fails."""
import concurrent.futures
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

from conformance.suites import ROOT

BATCH, SECONDS_PER_CASE = 24, 60


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


def runs_elsewhere(model):
    """Whether a case can run where only the runtime is: its values are tensors of numbers, which numpy's files hold, and no
    function needs another project's library."""
    import onnx
    graph = onnx.load(str(model), load_external_data=False).graph
    return (all(value.type.HasField("tensor_type") and value.type.tensor_type.elem_type != onnx.TensorProto.STRING
                for value in (*graph.input, *graph.output))
            and all(node.op_type != "ImageDecoder" for node in graph.node))


def run_all(names, options, command, folder, jobs):
    """{name: reason or None}. `options` gives those of a case; cases with the same ones share processes."""
    groups = {}
    for name in names:
        groups.setdefault(tuple(options(name)), []).append(name)
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
