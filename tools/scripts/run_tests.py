#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The second half of tools/test: runs every kind of test, adds up, and says how long it took.

Each kind reports its counts as JSON; nothing is parsed from text that is meant for people. The numbers also go to
build/test-results.json, from which tools/scripts/update_readme.py fills in what the README says works.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "tenon"
SANITIZED = ROOT / "build" / "sanitized"
PYTHON = sys.executable
# lit's names for the ways in which a test can end.
LIT_PASSED, LIT_FAILED = {"PASS", "XFAIL", "FLAKYPASS"}, {"FAIL", "XPASS", "UNRESOLVED", "TIMEOUT"}


def counts(passed=0, failed=0, skipped=0, **more):
    return {"passed": passed, "failed": failed, "skipped": skipped, **more}


def heading(text):
    print(f"== {text}", flush=True)


def run_lit(folder, build=BUILD, timeout=300):
    heading("lit")
    report = folder / "lit.json"
    report.unlink(missing_ok=True)
    lit = Path(PYTHON).with_name("lit")
    process = subprocess.run([str(lit), "-sv", "--timeout", str(timeout), "--output", str(report), str(build / "test")])
    if not report.exists():
        return counts(failed=1)
    codes = [test["code"] for test in json.loads(report.read_text())["tests"]]
    result = counts(sum(c in LIT_PASSED for c in codes), sum(c in LIT_FAILED for c in codes))
    result["skipped"] = len(codes) - result["passed"] - result["failed"]
    if process.returncode and not result["failed"]:
        result["failed"] = 1  # lit itself could not do its work
    return result


def run_unit_tests(folder, build=BUILD):
    result = counts()
    for program in sorted((build / "bin").glob("test-*")):
        heading(program.name)
        report = folder / f"{program.name}.json"
        report.unlink(missing_ok=True)
        process = subprocess.run([str(program), "--gtest_brief=1", f"--gtest_output=json:{report}"], cwd=folder)
        if not report.exists():
            print(f"{program.name} ended with exit code {process.returncode} before its report")
            result["failed"] += 1
            continue
        summary = json.loads(report.read_text())
        cases = [case for suite in summary["testsuites"] for case in suite["testsuite"]]
        failed = sum("failures" in case for case in cases)
        skipped = sum(case["result"] in ("SKIPPED", "SUPPRESSED") or case["status"] == "NOTRUN" for case in cases)
        result["failed"] += max(failed, 1 if process.returncode else 0)
        result["skipped"] += skipped
        result["passed"] += len(cases) - failed - skipped
    return result


def run_script(name, folder, *options):
    heading(name)
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    process = subprocess.run([PYTHON, str(ROOT / "test" / name / "run.py"), "--report", str(report), *options])
    if not report.exists():
        print(f"{name} ended with exit code {process.returncode} before its report")
        return counts(failed=1)
    return json.loads(report.read_text())


def run_sanitized(folder):
    """lit and the unit tests again, in a build with the address and undefined behaviour sanitizers."""
    heading("sanitized build")
    if subprocess.run([str(ROOT / "tools" / "build"), "--sanitized"]).returncode:
        return counts(failed=1)
    results = [run_lit(folder, SANITIZED, timeout=1800), run_unit_tests(folder, SANITIZED)]
    return {key: sum(result[key] for result in results) for key in ("passed", "failed", "skipped")}


def run_clang_tidy():
    heading("clang-tidy")
    database = json.loads((BUILD / "compile_commands.json").read_text())
    sources = [entry["file"] for entry in database
               if str(ROOT) in entry["file"] and not entry["file"].startswith(str(ROOT / "build"))]
    process = subprocess.run(["run-clang-tidy-22", "-quiet", "-p", str(BUILD)] + sources)
    return counts(failed=1) if process.returncode else counts(passed=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true",
                        help="also all cases in all ways, all types, everything for AArch64, a build with sanitizers, clang-tidy")
    arguments = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        results = {"lit": run_lit(folder), "unit": run_unit_tests(folder), "models": run_script("models", folder),
                   "conformance": run_script("conformance", folder, *["--way", "all"] if arguments.all else ["--sample", "10"]),
                   "types": run_script("types", folder, "--every", "1" if arguments.all else "8"),
                   "contrib": run_script("contrib", folder),
                   "cross": run_script("cross", folder, *["--all"] * arguments.all)}
        if arguments.all:
            results["sanitized"] = run_sanitized(folder)
            results["clang-tidy"] = run_clang_tidy()
    (ROOT / "build" / "test-results.json").write_text(json.dumps(results, indent=1))
    print()
    for kind, result in results.items():
        print(f"{kind + ':':13}{result['passed']} passed, {result['failed']} failed, {result['skipped']} skipped")
    for way, count in results["conformance"].get("ways", {}).items():
        print(f"conformance, {way}: {count['passed']} of {count['total']} of ONNX's cases, {count['inapplicable']} do not apply")
    print(f"test time: {time.monotonic() - start:.0f} s")
    total = {key: sum(result[key] for result in results.values()) for key in ("passed", "failed", "skipped")}
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped", flush=True)
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
