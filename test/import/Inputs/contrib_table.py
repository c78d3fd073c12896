# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares the importer's table of contrib operators with the schemas of ONNX Runtime: number and types of operands,
attributes and their defaults. Every operator that the table lacks must have a reason. `contrib_table.py PROGRAM...` runs the
program that prints the table; exit code 1 when there is a difference."""
import subprocess
import sys

import onnx
from onnxruntime.capi.onnxruntime_pybind11_state import get_all_operator_schema

KINDS = {"INT": "int", "INTS": "ints", "FLOAT": "float", "FLOATS": "floats", "STRING": "string", "STRINGS": "strings"}


def word(enumerator):
    return str(enumerator).split(".")[-1]


def describe(schema):
    """A schema as {part: {name: what the table says}}."""
    allowed = {c.type_param_str: {t[len("tensor("):-1] for t in c.allowed_type_strs} for c in schema.type_constraints}

    def ports(parameters):
        signs = {"Optional": "?", "Variadic": "*", "Single": ""}
        return [(p.name, frozenset(allowed.get(p.typeStr, {p.typeStr[len("tensor("):-1]})), signs[word(p.option)]) for p in parameters]

    attributes = {}
    for name, attribute in schema.attributes.items():
        preset = onnx.AttributeProto()
        preset.ParseFromString(attribute._default_value)
        kind, value = KINDS[word(attribute.type)], None
        if preset.type:
            value = onnx.helper.get_attribute_value(preset)
            value = value.decode() if isinstance(value, bytes) else value
        attributes[name] = (kind, attribute.required, value)
    return ports(schema.inputs), ports(schema.outputs), attributes


def parse(line):
    name, inputs, outputs, attributes, types = line.split("|")
    allowed = {key: frozenset(values.split(",")) for key, values in (word.split("=") for word in types.split())}

    def port(text):
        sign = text[-1] if text[-1] in "?*" else ""
        label, kind = text.rstrip("?*").split(":")
        return label, allowed.get(kind, frozenset([kind])), sign

    declared = {}
    for text in attributes.split():
        required, text = text.endswith("!"), text.rstrip("!")
        label, kind = text.split("=")[0].split(":")
        value = text.partition("=")[2] if "=" in text else None
        declared[label] = (kind, required, value if value is None or kind == "string" else float(value))
    return name, ([port(text) for text in inputs.split()], [port(text) for text in outputs.split()], declared)


def same_attribute(ours, theirs):
    close = ours[2] == theirs[2] or (None not in (ours[2], theirs[2]) and not isinstance(ours[2], str) and abs(ours[2] - theirs[2]) < 1e-6 * abs(ours[2]))
    # A default that ONNX Runtime's kernel has, but its schema does not, is ours to write down.
    return ours[:2] == theirs[:2] and (close or theirs[2] is None)


def main():
    schemas = {s.name: s for s in get_all_operator_schema() if s.domain == "com.microsoft"}
    early = {s.name: s for s in get_all_operator_schema() if s.domain == "" and s.since_version == 1}
    lines = subprocess.run(sys.argv[1:], input="\n".join(sorted(schemas)), capture_output=True, text=True, check=True).stdout.splitlines()
    wrong = [f"{line}no reason" for line in lines if line.endswith(": ")]
    for line in (line for line in lines if "|" in line):
        name, ours = parse(line)
        schema = schemas.get(name) or early.get(name)
        if not schema:
            wrong.append(f"{name}: ONNX Runtime has no such operator")
            continue
        theirs = describe(schema)
        for part, mine, other in zip(("inputs", "outputs"), ours, theirs):
            # Names are for people; an operand may be left out here that ONNX Runtime insists on.
            if len(mine) != len(other) or any(p[2] != o[2] and (p[2], o[2]) != ("?", "") for p, o in zip(mine, other)):
                wrong.append(f"{name}: {part} {mine} differ from {other}")
            # Kinds of elements that nothing computes with here may be missing.
            wrong += [f"{name}: {p[0]} may not be {sorted(p[1] - o[1])}" for p, o in zip(mine, other) if not p[1] <= o[1]]
        if ours[2].keys() != theirs[2].keys():
            wrong.append(f"{name}: attributes {sorted(ours[2].keys() ^ theirs[2].keys())} are in one of both")
        else:
            wrong += [f"{name}: attribute {key} {ours[2][key]} differs from {theirs[2][key]}" for key in ours[2] if not same_attribute(ours[2][key], theirs[2][key])]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
