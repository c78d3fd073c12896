# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Keeps the first part of a file:  cut.py SOURCE DESTINATION FRACTION"""
import sys

with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as destination:
    content = source.read()
    destination.write(content[:int(len(content) * float(sys.argv[3]))])
