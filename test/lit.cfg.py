# The configuration of lit: which files are tests, and what they may use.
#
# Substitutions: %tenon-source, %python, %cmake, %shared (a folder of larger models beside the checkout; feature `shared`).
# Features: the host's architecture, qemu-aarch64, onnxruntime, limited-disk (a way to fill a disk), sanitizers.
import importlib.util
import os
import platform
import shutil
import sys

import lit.formats

config.name = "Tenon"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "models", "conformance", "example"]
config.test_source_root = os.path.join(config.source, "test")
config.test_exec_root = os.path.join(config.build, "test")

config.environment["PATH"] = os.pathsep.join([config.binaries, config.llvm_binaries, config.environment.get("PATH", "")])
# The Python that runs lit is the one that tools/setup has given numpy, onnx and onnxruntime.
config.environment["TENON_PYTHON"] = sys.executable
for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

shared = os.path.join(os.path.dirname(config.source), "shared")
config.substitutions += [
    ("%tenon-source", config.source),
    ("%tenon-build", config.build),
    ("%python", sys.executable),
    ("%cmake", config.cmake),
    ("%clang", config.compilers[0]),
    ("%cxx", config.compilers[1]),
    ("%shared", shared),
    # A processor that this computer's is not.
    ("%{other-cpu}", "cpu:x86-64-v3" if platform.machine() == "aarch64" else "cpu:aarch64"),
]

config.available_features.add(platform.machine().replace("amd64", "x86_64"))
if os.path.isdir(os.path.join(shared, "models")):
    config.available_features.add("shared")
if shutil.which("qemu-aarch64"):
    config.available_features.add("qemu-aarch64")
if importlib.util.find_spec("onnxruntime"):
    config.available_features.add("onnxruntime")
if config.sanitizers:
    config.available_features.add("sanitizers")
