# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Flips one bit at each of many places of a compiled model and runs it:  damage.py MODEL.tenon FOLDER

Succeeds when every damaged file is refused with exit code 1, or gives exactly the answer of the sound one (a bit of padding, or
of a weight, whose hashes are checked on demand).
"""
import os
import subprocess
import sys


def run(model, outputs):
    return subprocess.run(["tenon", "run", model, "--inputs", "random", "--outputs", outputs], capture_output=True, text=True)


source, folder = sys.argv[1:]
content = open(source, "rb").read()
damaged, refused = os.path.join(folder, "damaged.tenon"), 0
for index in range(24):
    place = index * len(content) // 24 + index % 7
    changed = bytearray(content)
    changed[place] ^= 1 << index % 8
    with open(damaged, "wb") as file:
        file.write(changed)
    process = run(damaged, os.path.join(folder, "out.npz"))
    assert process.returncode in (0, 1), f"bit {index % 8} of byte {place}: exit code {process.returncode}\n{process.stderr}"
    refused += process.returncode
assert refused >= 12, f"only {refused} of 24 damaged files were refused"
print(f"{refused} refused")
