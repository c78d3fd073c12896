#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the cases that ship with ONNX through `tenon verify`, in up to three ways.

    run.py                       all of them as they ship
    run.py --way all             and with every dimension dynamic, and with every input but one constant (variants.py)
    run.py --sample 10           as they ship all of them, in the other ways one in ten: others on each day
    run.py --only test_conv      those whose name contains test_conv, with what went wrong
    run.py --update              writes what fails now into the lists
    run.py --every 16 --target cpu:aarch64 --runner "qemu-aarch64 ... tenon-run"
                                 every 16th, compiled for another processor and run there

The cases are written to build/conformance, once. What does not work yet is listed, a list for each way, one case a line with
the reason; so is what a way does not apply to. A failure that is not listed is a failure, and so is a listed case that passes.
Exit code 1 when there is either. Each element must be within the case's own tolerance; cases that expect random numbers are
judged by their distribution (distributions.py).
"""
import argparse
import json
import os
import sys
import time
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:
    sys.path.append(str(HERE.parent))

from conformance import distributions, listing, running, shipped, suites, variants

SHIPPED = suites.Suite("conformance", "ONNX's cases", shipped.collect, __doc__, sources=[HERE / "shipped.py"])
TODAY = int(time.time()) // 86400


def parse_arguments(suite):
    parser = argparse.ArgumentParser(description=suite.description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--way", choices=(*variants.WAYS, "all"), default="static", help="how the cases run (default: static)")
    parser.add_argument("--sample", type=int, metavar="N", help="all cases as they ship; and one in N in the other ways")
    parser.add_argument("--turn", type=int, default=TODAY, metavar="NUMBER",
                        help="which of the N samples (default: the number of the day), to repeat one")
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases whose name contains TEXT")
    parser.add_argument("--update", action="store_true", help="rewrite the lists")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at once")
    parser.add_argument("--tenon", type=Path, default=suites.ROOT / "build" / "bin" / "tenon",
                        help="the command to test (default: build/bin/tenon)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth case, by name")
    parser.add_argument("--target", default="cpu", help="what to compile for (default: cpu, this computer's)")
    parser.add_argument("--runner", help="what runs the compiled models, as `tenon verify --runner` takes it")
    parser.add_argument("--report", type=Path, help="write the counts as JSON")
    return parser.parse_args()


def choose(names, way, arguments):
    names = [name for name in names if arguments.only in name][::arguments.every]
    if arguments.sample and way != "static":
        # As many turns later every case has had its own.
        names = [name for name in names if (zlib.crc32(name.encode()) + arguments.turn) % arguments.sample == 0]
    return names


def run_way(suite, way, cases, arguments):
    """Returns the counts, with the number of cases to which the way applies."""
    start = time.monotonic()
    tenon, folder = arguments.tenon.absolute(), suite.folder / way
    command = [str(tenon), "verify", "--verify-each", "--json", "--threads", "1", "--target", arguments.target]
    if arguments.runner:
        command += ["--runner", arguments.runner]
    names = choose(cases.names(way), way, arguments)
    if arguments.runner:
        names = [name for name in names if running.runs_elsewhere(folder / name / "model.onnx")]
    random = [name for name in names if suite is SHIPPED and name in distributions.CHECKS]
    results = running.run_all([name for name in names if name not in random], lambda name: [*cases.options(name), *suite.options(name)],
                              command, folder, arguments.jobs)
    runner = distributions.Runner.of(tenon, arguments.target, arguments.runner)
    for name in random:
        results[name] = distributions.run(distributions.CHECKS[name], name, folder, suite.folder / "static", runner)
    failures = {name: running.shorten(reason, folder) for name, reason in results.items() if reason is not None}
    if arguments.update:
        listing.update(suite, way, cases, results, failures)
    surprises = list(listing.surprises(suite, way, cases, results, failures))
    if arguments.only:
        for name in sorted(failures):
            print(f"{name}: {results[name]}")
    for surprise in surprises:
        print(f"FAIL {way} {surprise}")
    expected = listing.read(suite.listed("expected_failures", way))
    listed = sum(name in expected for name in failures)
    passed, all_cases = len(results) - len(failures), len(cases.names(way))
    sample = "" if len(results) == all_cases else f" (of {all_cases} that apply)"
    print(f"{suite.title}, {listing.WAYS[way]}: {passed} of {len(results)} pass{sample}, {listed} fail as listed, "
          f"{len(cases.inapplicable[way])} do not apply, {len(surprises)} surprises, {time.monotonic() - start:.0f} s", flush=True)
    stale = sum("passes, but" in surprise for surprise in surprises)
    return {"passed": passed - stale, "failed": len(surprises), "skipped": listed, "total": len(results),
            "inapplicable": len(cases.inapplicable[way]), "complete": len(results) == all_cases}


def main(suite=SHIPPED):
    arguments = parse_arguments(suite)
    ways = variants.WAYS if arguments.way == "all" or arguments.sample else (arguments.way,)
    cases = suites.generate(suite)
    if arguments.sample:
        print(f"one case in {arguments.sample} in the ways that do not ship, with --turn {arguments.turn}")
    counts = {way: run_way(suite, way, cases, arguments) for way in ways}
    if arguments.report:
        total = {key: sum(count[key] for count in counts.values()) for key in ("passed", "failed", "skipped", "total")}
        arguments.report.write_text(json.dumps({**total, "ways": counts}))
    return 1 if any(count["failed"] for count in counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
