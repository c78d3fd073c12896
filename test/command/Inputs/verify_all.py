# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs `tenon verify` on every NAME.onnx of a folder with each of its inputs NAME.I.npz: `verify_all.py FOLDER [options]`."""

import subprocess
import sys
from pathlib import Path

folder, options = Path(sys.argv[1]), sys.argv[2:]
count = wrong = 0
for model in sorted(folder.glob("*.onnx")):
    for inputs in sorted(folder.glob(f"{model.stem}.*.npz")):
        result = subprocess.run(["tenon", "verify", str(model), "--inputs", str(inputs), *options], capture_output=True, text=True)
        count += 1
        if result.returncode != 0:
            wrong += 1
            print(f"{inputs.name}: {result.stdout}{result.stderr}")
print(f"{count} sets of inputs, {'all equal' if wrong == 0 else f'{wrong} wrong'}")
sys.exit(wrong != 0)
