#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fills in what the README says works today, from the results of the last tools/test (build/test-results.json).

    update_readme.py            rewrites the block between the two marks
    update_readme.py --check    exit code 1 when the block is not what the results say
"""
import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- begin generated: tools/scripts/update_readme.py -->", "<!-- end generated -->"


def in_other_ways(results):
    """Where all of them ran (tools/test --all), what passes in the ways that do not ship."""
    names = {"dynamic": "with every dimension dynamic", "constant": "with every input but one a constant"}
    return "".join(f", {count['passed']} of {count['total']} {names[way]}"
                   for way, count in results["conformance"]["ways"].items() if way in names and count["complete"])


def block(results):
    static, models = results["conformance"]["ways"]["static"], results["models"]["names"]
    working = [name for name, outcome in models.items() if outcome == "passed"]
    lines = [f"- {static['passed']} of the {static['total']} cases that ship with ONNX pass{in_other_ways(results)}; the others "
             "are listed, each with its reason, in `test/conformance/expected_failures*.txt`.",
             f"- {len(working)} of {sum(o != 'skipped' for o in models.values())} whole models give the right numbers: "
             + ", ".join(f"`{name}`" for name in working) + ".",
             f"- {results['lit']['passed'] + results['unit']['passed']} tests of single passes, dialects, user mistakes and the "
             "runtime pass."]
    broken = [name for name, outcome in models.items() if outcome == "failed"]
    if broken:
        lines.append("- Not right yet: " + ", ".join(f"`{name}`" for name in broken) + ".")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing")
    arguments = parser.parse_args()
    readme, results = ROOT / "README.md", ROOT / "build" / "test-results.json"
    if not results.exists():
        raise SystemExit("build/test-results.json is not there; run tools/test first")
    text = readme.read_text()
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    updated = f"{before}{BEGIN}\n{block(json.loads(results.read_text()))}\n{END}{after}"
    if arguments.check:
        return 0 if updated == text else 1
    readme.write_text(updated)
    return 0


if __name__ == "__main__":
    sys.exit(main())
