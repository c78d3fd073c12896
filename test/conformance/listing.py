# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The checked-in lists: which cases fail in some way, and to which it does not apply, one a line with the reason, sorted."""

HEADERS = {
    "expected_failures": """\
# {what} that do not pass yet {way}, and why. Sorted. Written by `test/{title}/run.py --update`; a case listed here
# that passes is an error, so the list cannot grow stale.
""",
    "inapplicable": """\
# {what} that cannot run {way}, and why: a property of the case, not of the compiler. Sorted. Written by
# `test/{title}/run.py --update`.
"""}
WAYS = {"static": "as they ship", "dynamic": "with every dimension dynamic", "constant": "with every input but one constant"}


def read(path):
    reasons = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(": ")
            reasons[name] = reason
    return reasons


def write(suite, kind, way, reasons):
    header = HEADERS[kind].format(what=suite.what, title=suite.title, way=WAYS[way])
    suite.listed(kind, way).write_text(header + "".join(f"{name}: {reasons[name]}\n" for name in sorted(reasons)))


def update(suite, way, cases, results, failures):
    """Writes what fails now; of the cases that did not run, what the list says is kept."""
    kept = {name: reason for name, reason in read(suite.listed("expected_failures", way)).items()
            if name in cases.tolerances and name not in results}
    write(suite, "expected_failures", way, {**kept, **failures})
    if way != "static":
        write(suite, "inapplicable", way, cases.inapplicable[way])


def surprises(suite, way, cases, results, failures):
    """Yields what the lists do not say, or say wrongly."""
    expected = read(suite.listed("expected_failures", way))
    for name in sorted(failures.keys() - expected.keys()):
        yield f"{name}: {failures[name]}"
    for name in sorted(expected):
        if name not in cases.names(way):
            yield f"{name}: listed, but there is no such case"
        elif name in results and name not in failures:
            yield f"{name}: passes, but is listed as failing ({expected[name]}); run with --update"
    if way != "static":
        inapplicable = read(suite.listed("inapplicable", way))
        for name in sorted(inapplicable.keys() ^ cases.inapplicable[way].keys()):
            yield f"{name}: {'applies' if name in inapplicable else 'does not apply'}, but is listed otherwise; run with --update"
