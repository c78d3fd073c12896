#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The second half of tools/demo: compile, run, rank, compare. Everything the user sees of Tenon is the command itself.

Exits with 1 when a cosine differs from ONNX Runtime's by more than 1e-5.
"""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).resolve().parent))
import export_minilm

ROOT = Path(__file__).resolve().parents[2]
TENON = ROOT / "build" / "bin" / "tenon"
FOLDER = ROOT / "build" / "models"
LARGEST_COSINE_DIFFERENCE = 1e-5

QUESTION = "Why does my bread not rise?"
SENTENCES = [
    "Old yeast is the most common cause of a flat loaf.",
    "Dough needs a warm place and an hour or two before it goes into the oven.",
    "A sourdough starter has to be fed with flour and water every day.",
    "The recipe asks for three eggs and a cup of sugar.",
    "Steam in the oven gives a baguette its thin, crisp crust.",
    "The price of wheat went up again after the dry summer.",
    "The sun rises in the east and sets in the west.",
    "Share prices rose sharply when the central bank cut its rate.",
    "My bicycle has a flat tyre.",
    "The orchestra rehearsed the slow movement all afternoon.",
    "A compiler turns a program into instructions for a machine.",
    "Tree frogs breathe partly through their skin.",
]


def command(*arguments):
    """Shows a command line the way a user would type it, and runs it."""
    shown = " ".join(os.path.relpath(a, ROOT) if isinstance(a, Path) else str(a) for a in arguments)
    print(f"$ {shown}", flush=True)
    start = time.perf_counter()
    subprocess.run([str(a) for a in arguments], check=True, cwd=ROOT)
    return time.perf_counter() - start


def tokenize(sentences):
    tokenizer = Tokenizer.from_file(str(export_minilm.package_folder() / "tokenizer.json"))
    tokenizer.enable_padding()
    encodings = tokenizer.encode_batch(sentences)
    return {name: np.array([getattr(e, field) for e in encodings], np.int64)
            for name, field in (("input_ids", "ids"), ("attention_mask", "attention_mask"), ("token_type_ids", "type_ids"))}


def cosines(embeddings):
    return embeddings[1:] @ embeddings[0]


def run():
    FOLDER.mkdir(parents=True, exist_ok=True)
    model, compiled = FOLDER / "minilm.onnx", FOLDER / "minilm.tenon"
    inputs, outputs = FOLDER / "sentences.npz", FOLDER / "embeddings.npz"
    if not model.exists():
        print("== export all-MiniLM-L6-v2 as ONNX", flush=True)
        command(sys.executable, ROOT / "tools/scripts/export_minilm.py", model)
    print("== compile and run", flush=True)
    compile_seconds = command(TENON, "compile", model, "-o", compiled)
    feeds = tokenize([QUESTION] + SENTENCES)
    np.savez(inputs, **feeds)
    command(TENON, "run", compiled, "--inputs", inputs, "--outputs", outputs)
    with np.load(outputs) as file:
        ours = dict(file)

    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    theirs = dict(zip(names, session.run(names, feeds)))

    ranking = cosines(ours["sentence_embedding"])
    print(f"\n{QUESTION}")
    for index in np.argsort(-ranking, kind="stable"):
        print(f"  {ranking[index]:+.3f}  {SENTENCES[index]}")

    threads = str(os.cpu_count())
    measured = json.loads(subprocess.run(
        [str(TENON), "bench", str(compiled), "--model", str(model), "--inputs", str(inputs), "--threads", threads,
         "--against", "onnxruntime", "--python", sys.executable, "--json"],
        check=True, capture_output=True, text=True, cwd=ROOT).stdout)
    other = measured["onnxruntime"]
    print(f"\ncompiled in {compile_seconds:.1f} s")
    print(f"{len(SENTENCES) + 1} sentences of up to {feeds['input_ids'].shape[1]} tokens, {threads} threads, medians of runs in turns: "
          f"tenon {measured['median_ms']:.2f} ms, onnxruntime {other['median_ms']:.2f} ms "
          f"({measured['median_ms'] / other['median_ms']:.2f} x)")
    for name in names:
        print(f"largest difference from onnxruntime in {name}: {np.abs(ours[name] - theirs[name]).max():.1e}")
    difference = float(np.abs(ranking - cosines(theirs["sentence_embedding"])).max())
    print(f"largest difference of a cosine: {difference:.1e} (allowed: {LARGEST_COSINE_DIFFERENCE:.0e})")
    return 0 if difference <= LARGEST_COSINE_DIFFERENCE else 1


def main():
    try:
        return run()
    except subprocess.CalledProcessError as failure:
        print(f"the command above failed with exit code {failure.returncode}", file=sys.stderr)
        if failure.stderr:
            print(failure.stderr, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
