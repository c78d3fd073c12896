#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""AArch64 from another machine: the runtime is cross-compiled, models are compiled for AArch64, and both run under qemu.

    run.py          the runtime's unit tests, four whole models, every 16th of ONNX's node tests and of the tests of types
    run.py --all    all unit tests, more models, every node test and type; and a sample of them on each named chip

Everything is built in build/cross. Where a tool is missing (tools/setup installs them all) the tests are skipped and the
reason is printed. Exit code 1 when one fails.
"""
import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "cross"
TREE = BUILD / "tenon"
TOOLCHAIN = Path(__file__).with_name("aarch64.cmake")
SYSROOT = Path("/usr/aarch64-linux-gnu")
GOOGLETEST = Path("/usr/src/googletest")
CMAKE = Path(sys.executable).with_name("cmake")
# The chips of targets/cpu/chips, with the processor that qemu has for each; qemu's default is "max".
CHIPS = {"neoverse-n1": "neoverse-n1", "neoverse-v1": "max"}
MODELS = ["digits", "minilm", "light_shufflenet_seeded", "light_squeezenet_seeded"]
MORE_MODELS = MODELS + ["light_densenet121_seeded", "light_inception_v2_seeded", "light_resnet50_seeded", "mobilenet_v3_large",
                        "vit_b16", "bert_base", "gpt2_kv"]
# Seconds for each of these under emulation; natively they run with the other unit tests.
SLOW_UNIT_TESTS = ["Damage.flippedBitsAtEveryByte"]


def reason_to_skip():
    if platform.machine() == "aarch64":
        return "this machine is an AArch64 one, on which all other tests have run"
    for program in ("qemu-aarch64", "clang++-22", "ld.lld-22", "ninja"):
        if not shutil.which(program):
            return f"there is no {program}"
    for folder, package in ((SYSROOT / "include", "libc6-dev-arm64-cross"), (SYSROOT / "include/c++", "libstdc++-12-dev-arm64-cross"),
                            (GOOGLETEST, "googletest")):
        if not folder.is_dir():
            return f"the package {package} is not installed"
    return None


def qemu(program, cpu="max"):
    return ["qemu-aarch64", "-cpu", cpu, "-L", str(SYSROOT), str(program)]


def call(command):
    """Runs a build step; its output is shown only if it fails."""
    process = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             errors="replace")
    if process.returncode:
        print(process.stdout[-4000:])
        raise SystemExit(f"failed: {' '.join(str(word) for word in command)}")


def configure(source, tree, options):
    if (tree / "build.ninja").exists():
        return
    launcher = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    call([CMAKE, "-G", "Ninja", "-S", source, "-B", tree, "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_TOOLCHAIN_FILE={TOOLCHAIN}"]
         + launcher + options)


def build():
    """The runtime, its tests and tenon-run for AArch64. Debian has GoogleTest's sources, but no library for other machines."""
    os.environ.setdefault("CCACHE_DIR", str(ROOT / "build" / "ccache"))
    installed = BUILD / "googletest"
    if not installed.exists():
        configure(GOOGLETEST, BUILD / "googletest-build", [f"-DCMAKE_INSTALL_PREFIX={installed}", "-DCMAKE_INSTALL_LIBDIR=lib"])
        call([CMAKE, "--build", BUILD / "googletest-build", "--target", "install"])
    configure(ROOT, TREE, ["-DTENON_RUNTIME_ONLY=ON", f"-DGTest_DIR={installed}/lib/cmake/GTest"])
    call([CMAKE, "--build", TREE, "--target", "test-artifact", "test-runtime", "tenon-run", "tenon_runtime"])


def run_unit_tests(folder, everything):
    result = {"passed": 0, "failed": 0, "skipped": 0}
    chosen = [] if everything else ["--gtest_filter=-" + ":".join(SLOW_UNIT_TESTS)]
    for name in ("test-artifact", "test-runtime"):
        report = folder / f"{name}.json"
        process = subprocess.run(qemu(TREE / "bin" / name) + ["--gtest_brief=1", f"--gtest_output=json:{report}"] + chosen,
                                 cwd=folder)
        if not report.exists():
            print(f"{name} ended with exit code {process.returncode} before its report")
            result["failed"] += 1
            continue
        summary = json.loads(report.read_text())
        failed = max(summary["failures"] + summary.get("errors", 0), 1 if process.returncode else 0)
        result["failed"] += failed
        result["passed"] += summary["tests"] - failed
    return result


def run_script(name, folder, target, cpu, arguments):
    """test/NAME/run.py with models compiled for `target` and run on qemu's `cpu`."""
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    runner = " ".join(qemu(TREE / "bin" / "tenon-run", cpu))
    process = subprocess.run([sys.executable, str(ROOT / "test" / name / "run.py"), "--target", target, "--runner", runner,
                              "--report", str(report)] + arguments)
    if not report.exists():
        print(f"{name} for {target} ended with exit code {process.returncode} before its report")
        return {"passed": 0, "failed": 1, "skipped": 0}
    return json.loads(report.read_text())


def run_all(folder, everything):
    yield run_unit_tests(folder, everything)
    yield run_script("models", folder, "cpu:aarch64", "max", MORE_MODELS if everything else MODELS)
    for suite in ("conformance", "types"):
        yield run_script(suite, folder, "cpu:aarch64", "max", ["--every", "1" if everything else "16"])
    for chip, cpu in CHIPS.items() if everything else ():
        for suite in ("conformance", "types"):
            yield run_script(suite, folder, f"cpu:{chip}", cpu, ["--every", "8"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="more models, every node test, every chip")
    parser.add_argument("--report", type=Path, help="write the counts as JSON")
    arguments = parser.parse_args()
    total = {"passed": 0, "failed": 0, "skipped": 0}
    if reason := reason_to_skip():
        print(f"skipped: {reason}")
        total["skipped"] = 1
    else:
        build()
        with tempfile.TemporaryDirectory() as temporary:
            for result in run_all(Path(temporary), arguments.all):
                for key in total:
                    total[key] += result[key]
    if arguments.report:
        arguments.report.write_text(json.dumps(total))
    print(f"cross: {total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
