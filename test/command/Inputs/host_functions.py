# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models of operators on strings, n-grams and boxes, as NAME.onnx with inputs NAME.npz, compared with ONNX Runtime by `tenon
verify`: `host_functions.py FOLDER [options]`. What ONNX's node tests leave out: attributes, types, shapes that are not known,
and strings that are moved on their way through a model, its branches and its loops."""

import subprocess
import sys
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper

random = numpy.random.default_rng(11)
KINDS = {numpy.dtype(numpy.float32): TensorProto.FLOAT, numpy.dtype(numpy.int64): TensorProto.INT64,
         numpy.dtype(numpy.int32): TensorProto.INT32, numpy.dtype(numpy.bool_): TensorProto.BOOL,
         numpy.dtype(numpy.int8): TensorProto.INT8, numpy.dtype(numpy.float64): TensorProto.DOUBLE}
STRING, INT64, FLOAT, BOOL = TensorProto.STRING, TensorProto.INT64, TensorProto.FLOAT, TensorProto.BOOL


def words(*shape):
    return random.choice(numpy.array(["cat", "Dog", "the", "\u4e2d", "BIRD", "a,b", " x  y "]), shape)


def one(operator, inputs, outputs, **attributes):
    """A node whose inputs are x0, x1, ... and whose outputs, of these types, are y0, y1, ..."""
    node = helper.make_node(operator, [f"x{i}" for i in range(len(inputs))], [f"y{i}" for i in range(len(outputs))], name="node", **attributes)
    return [node], inputs, outputs


def constant(name, value):
    return helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(numpy.asarray(value), name))


def text_constant(name, *values):
    return helper.make_node("Constant", [], [name], value=helper.make_tensor(name, STRING, [len(values)], [v.encode() for v in values]))


def boxes(batches, count, centred):
    corners = random.random((batches, count, 4)).astype(numpy.float32)
    if not centred:
        corners[..., 2:] = corners[..., :2] + 0.4 * corners[..., 2:]
    return corners


def cases():
    for action in ("NONE", "LOWER", "UPPER"):
        for sensitive in (0, 1):
            yield f"normalizer_{action}_{sensitive}", *one("StringNormalizer", [words(9)], [STRING], locale="C", case_change_action=action, is_case_sensitive=sensitive, stopwords=["the", "bird", "Dog"])
    yield "normalizer_of_a_row", *one("StringNormalizer", [words(1, 9)], [STRING], locale="C", case_change_action="LOWER", stopwords=["the"])
    yield "split", *one("StringSplit", [words(3, 4)], [STRING, INT64], delimiter=",")
    yield "split_at_space", *one("StringSplit", [words(5)], [STRING, INT64])
    yield "split_once", *one("StringSplit", [words(5)], [STRING, INT64], maxsplit=1, delimiter="a")
    yield "join", *one("StringConcat", [words(3, 1), words(4)], [STRING])
    yield "match", *one("RegexFullMatch", [words(4, 2)], [BOOL], pattern="(?i)[a-d].*")
    pool = dict(min_gram_length=1, max_gram_length=2, max_skip_count=1, ngram_counts=[0, 3], ngram_indexes=[4, 0, 1, 3, 2])
    strings = dict(pool_strings=["cat", "the", "Dog", "the", "cat", "Dog", "Dog"])
    for mode in ("TF", "IDF", "TFIDF"):
        yield "vectorizer_" + mode, *one("TfIdfVectorizer", [words(3, 8)], [FLOAT], mode=mode, weights=[0.5, 2.0, 3.0, -1.0, 4.0], **pool, **strings)
    yield "vectorizer_of_integers", *one("TfIdfVectorizer", [random.integers(0, 4, 20).astype(numpy.int32)], [FLOAT], mode="TF", pool_int64s=[1, 2, 3, 2, 1, 3, 3], **pool)
    for centred in (0, 1):
        for threshold in (0.1, 0.5):
            limits = [numpy.array([4]), numpy.array([threshold], numpy.float32), numpy.array([0.2], numpy.float32)]
            yield f"boxes_{centred}_{threshold}", *one("NonMaxSuppression", [boxes(2, 40, centred), random.random((2, 3, 40)).astype(numpy.float32), *limits], [INT64], center_point_box=centred)
    for kind in (numpy.float32, numpy.int64, numpy.int8, numpy.float64):
        yield f"unique_{kind.__name__}", *one("Unique", [random.integers(0, 3, (5, 4)).astype(kind)], [KINDS[numpy.dtype(kind)], INT64, INT64, INT64], sorted=0)
        yield f"unique_rows_{kind.__name__}", *one("Unique", [random.integers(0, 2, (3, 7, 2)).astype(kind)], [KINDS[numpy.dtype(kind)], INT64, INT64, INT64], axis=1)
    yield "unique_strings", *one("Unique", [words(12)], [STRING, INT64, INT64, INT64], sorted=1)

    # A chain of what moves strings, with a constant, and numbers that come of it.
    yield "chain", [
        text_constant("more", "x", "", "z"), constant("at", [[8, 0, -1], [6, 7, 1]]), constant("shape", [3, -1]), constant("twice", [1, 2]),
        helper.make_node("Concat", ["x0", "more"], ["all"], axis=0), helper.make_node("Gather", ["all", "at"], ["some"], axis=0),
        helper.make_node("Reshape", ["some", "shape"], ["table"]), helper.make_node("Tile", ["table", "twice"], ["y0"]),
        helper.make_node("Equal", ["y0", "x1"], ["same"]), helper.make_node("Where", ["same", "x2", "y0"], ["y1"]),
        helper.make_node("Shape", ["y1"], ["y2"])], [words(6), words(1), words(1)], [STRING, STRING, INT64]
    # Numbers and texts.
    yield "numbers", [
        helper.make_node("Cast", ["x0"], ["texts"], to=STRING), helper.make_node("StringConcat", ["texts", "x1"], ["longer"]),
        helper.make_node("Cast", ["longer"], ["y0"], to=FLOAT)], [random.integers(-99, 99, 6), numpy.array(["0"])], [FLOAT]
    # A branch that gives strings of another shape, and a loop that collects and carries them.
    branches = [helper.make_graph([node], name, [], [helper.make_tensor_value_info(name, STRING, None)]) for name, node in (
        ("yes", helper.make_node("Identity", ["x0"], ["yes"])), ("no", helper.make_node("StringConcat", ["x0", "x0"], ["no"])))]
    yield "branch", [helper.make_node("If", ["x1"], ["y0"], then_branch=branches[0], else_branch=branches[1])], [words(4), numpy.array(False)], [STRING]
    body = helper.make_graph([helper.make_node("StringConcat", ["text", "x0"], ["longer"]), helper.make_node("Identity", ["more"], ["on"])], "body",
                             [helper.make_tensor_value_info("i", INT64, []), helper.make_tensor_value_info("more", BOOL, []), helper.make_tensor_value_info("text", STRING, [3])],
                             [helper.make_tensor_value_info("on", BOOL, []), helper.make_tensor_value_info("longer", STRING, [3])])
    yield "loop", [helper.make_node("Loop", ["x1", "", "x0"], ["y0"], body=body)], [words(3), numpy.array(3)], [STRING]


def declare(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def main():
    folder, options = Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    count, wrong = 0, []
    for name, nodes, inputs, outputs in cases():
        # The standard's inference wants to know that there is one row.
        for dynamic in (False,) if name == "normalizer_of_a_row" else (False, True):
            names = [f"x{i}" for i in range(len(inputs))]
            shapes = [[f"{n}_{i}" if dynamic else size for i, size in enumerate(v.shape)] for n, v in zip(names, inputs)]
            graph = helper.make_graph(nodes, name, [declare(n, KINDS.get(v.dtype, STRING), s) for n, v, s in zip(names, inputs, shapes)],
                                      [declare(f"y{i}", kind, None) for i, kind in enumerate(outputs)])
            model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
            path = folder / f"{name}{'_dynamic' if dynamic else ''}"
            onnx.save(model, f"{path}.onnx")
            numpy.savez(f"{path}.npz", **dict(zip(names, inputs)))
            done = subprocess.run(["tenon", "verify", f"{path}.onnx", "--inputs", f"{path}.npz", *options], capture_output=True, text=True)
            count += 1
            if done.returncode != 0:
                wrong.append(path.name)
                print(f"{path.name}: {done.stdout}{done.stderr}")
    print(f"{count} models, {'all equal' if not wrong else 'wrong: ' + ', '.join(wrong)}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
