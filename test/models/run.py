#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whole models, compiled, run and compared with ONNX Runtime or with the outputs that come with them.

    run.py                 digits, MiniLM, the nine light models as shipped and with seeded weights; and larger real
                           architectures, when the folder ../shared/models is beside the checkout
    run.py resnet          those whose name contains resnet
    run.py digits --target cpu:aarch64 --runner "qemu-aarch64 ... tenon-run"
                           compiled for another processor and run there

Models are generated once, into build/models. Exit code 1 when one fails.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import light

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
FOLDER = ROOT / "build" / "models"
TENON = ROOT / "build" / "bin" / "tenon"
FIRST = ("resnet50", "resnet50_dynamo", "mobilenet_v3_large", "efficientnet_b0", "vit_b16", "unet_small", "bert_base",
         "bert_base_dynamo", "gpt2_kv")


def generated(target, write):
    """Runs `write(temporary folder)` unless `target` exists, so that an interrupted run leaves nothing half-made."""
    if not target.exists():
        temporary = target.with_name(target.name + ".partial")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        temporary.rename(target)
    return target


def digits():
    """The checked-in classifier, on its checked-in images, against the probabilities that training computed."""
    folder = ROOT / "test" / "models"
    data = str(folder / "digits.npz")
    yield [str(folder / "digits.onnx"), "--inputs", data, "--expected", data]
    # And with a batch that is fixed when it is compiled, and with one that is not.
    yield [str(folder / "digits.onnx"), "--dim", "batch=1"]
    yield [str(folder / "digits.onnx"), "--dim", "batch=7.."]


def minilm():
    model = FOLDER / "minilm.onnx"
    if not model.exists():
        subprocess.run([sys.executable, str(ROOT / "tools/scripts/export_minilm.py"), str(model)], check=True)
    # One compilation, several batch sizes and lengths; the last is padded.
    command, random = [str(model)], np.random.default_rng(0)
    for batch, length in ((1, 8), (3, 19), (2, 64), (1, 128)):
        mask = np.ones((batch, length), np.int64)
        mask[-1, length // 2:] = 0 if batch > 1 else 1
        inputs = FOLDER / f"minilm.{batch}x{length}.npz"
        np.savez(inputs, input_ids=random.integers(1000, 30000, (batch, length)), attention_mask=mask,
                 token_type_ids=np.zeros((batch, length), np.int64))
        command += ["--inputs", str(inputs)]
    yield command


def light_model(name, kind):
    def cases():
        write = light.write_shipped if kind == "shipped" else light.write_seeded
        yield [str(generated(FOLDER / f"light_{name}_{kind}", lambda folder: write(name, folder)))]
    return cases


def shared_model(name):
    def cases():
        def write(folder):
            subprocess.run([sys.executable, "-m", "models", name, "-o", str(folder)], cwd=SHARED, check=True,
                           stdout=subprocess.DEVNULL)
        folder = generated(FOLDER / name, write)
        command = [str(folder / f"{name}.onnx")]
        for index in range(len(list(folder.glob(f"{name}.in*.npz")))):
            command += ["--inputs", str(folder / f"{name}.in{index}.npz"), "--expected", str(folder / f"{name}.out{index}.npz")]
        yield command
    return cases


def all_models():
    """(name, what yields its command lines after `tenon verify`)"""
    yield "digits", digits
    yield "minilm", minilm
    for name in light.NAMES:
        for kind in ("shipped", "seeded"):
            yield f"light_{name}_{kind}", light_model(name, kind)
    for name in FIRST:
        yield name, shared_model(name)


def verify(command):
    """None when every output is right, else what went wrong. Weak evidence is mentioned, not counted."""
    # Reproducers of bugs are written where the command runs.
    process = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=FOLDER)
    answers = [json.loads(line) for line in process.stdout.splitlines() if line.startswith("{")]
    for answer in answers:
        if answer["outcome"] == "different":
            return "; ".join(f"output '{o['name']}': {o['reason']}" for o in answer["outputs"] if not o["equal"])
        if answer["outcome"] != "equal":
            return f"{answer['outcome']}: {answer['message']}"
    if not answers or process.returncode:
        return f"exit code {process.returncode}: {process.stderr.strip()[-2000:]}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="TEXT", help="only models whose name contains TEXT")
    parser.add_argument("--tenon", type=Path, default=TENON, help="the command to test (default: build/bin/tenon)")
    parser.add_argument("--target", default="cpu", help="what to compile for (default: cpu, this computer's)")
    parser.add_argument("--runner", help="what runs the compiled models, as `tenon verify --runner` takes it")
    parser.add_argument("--report", type=Path, help="write the counts as JSON")
    arguments = parser.parse_args()
    command = [str(arguments.tenon.absolute()), "verify", "--verify-each", "--json", "--python", sys.executable, "--target", arguments.target]
    if arguments.runner:
        command += ["--runner", arguments.runner]
    FOLDER.mkdir(parents=True, exist_ok=True)
    results = {}
    for name, cases in all_models():
        if arguments.names and not any(text in name for text in arguments.names):
            continue
        if name in FIRST and not SHARED.joinpath("models").is_dir():
            results[name] = ("skipped", "../shared/models is not there")
        else:
            start = time.monotonic()
            try:
                problem = next((problem for case in cases() if (problem := verify(command + case))), None)
            except subprocess.CalledProcessError as failure:
                problem = f"cannot be generated: {failure}"
            results[name] = ("failed" if problem else "passed", problem or f"{time.monotonic() - start:.1f} s")
        outcome, detail = results[name]
        # A message of the compiler may be followed by pages of IR: its first line says what is wrong.
        print(f"{outcome.upper() if outcome == 'failed' else outcome:8}{name}: {detail.splitlines()[0][:400]}", flush=True)
    if arguments.report:
        counts = {kind: sum(outcome == kind for outcome, _ in results.values()) for kind in ("passed", "failed", "skipped")}
        counts["names"] = {name: outcome for name, (outcome, _) in results.items()}
        arguments.report.write_text(json.dumps(counts))
    return 1 if any(outcome == "failed" for outcome, _ in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
