# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a command and succeeds only if it ends with the given exit code:  exit_code.py 2 tenon compile"""
import subprocess
import sys

code = subprocess.run(sys.argv[2:]).returncode
if code != int(sys.argv[1]):
    print(f"exit code {code}; expected {sys.argv[1]}", file=sys.stderr)
    sys.exit(1)
