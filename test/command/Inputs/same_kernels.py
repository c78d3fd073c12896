"""same_kernels.py EXPLAINED INSPECTED: the kernels that `tenon explain --json` names are those of `tenon inspect --json`, with the
same nodes."""
import json
import sys

explained, inspected = (json.load(open(path)) for path in sys.argv[1:])
by_kernel = {}
for node in explained["nodes"]:
    assert node["fate"] in ("kernel", "view"), node
    for kernel in node["kernels"]:
        by_kernel.setdefault(kernel, set()).add(node["name"])
expected = {kernel["name"]: set(kernel["nodes"]) for kernel in inspected["kernels"]}
assert by_kernel == expected, (by_kernel, expected)
