# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the inputs of models whose shapes are inputs:  shape.py <output.npz> <rows of x> <size> <size>"""
import sys

import numpy

rows, *shape = (int(eval(argument, {})) for argument in sys.argv[2:])
numpy.savez(sys.argv[1], x=numpy.ones((rows, 1), numpy.float32), shape=numpy.array(shape, numpy.int64))
