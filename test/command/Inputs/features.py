# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models of one ai.onnx.ml operator each, as NAME.onnx with inputs NAME.npz, compared with ONNX Runtime by `tenon verify`:
`features.py FOLDER [options]`. Most of these operators have no node test in the standard."""

import subprocess
import sys
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper

random = numpy.random.default_rng(7)
FLOAT, DOUBLE, INT64, INT32, STRING = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.INT32, TensorProto.STRING
TYPES = {FLOAT: numpy.float32, DOUBLE: numpy.float64, INT64: numpy.int64, INT32: numpy.int32}
ROWS, COLUMNS = 7, 5


def floats(*shape):
    return random.standard_normal(shape).astype(numpy.float32)


def flat(values):
    return numpy.asarray(values, numpy.float32).ravel().tolist()


def tree(depth, tree_id, features, modes):
    """A complete tree: its nodes, numbered in the order of a heap."""
    inner = 2**depth - 1
    ids = list(range(2 * inner + 1))
    return dict(
        nodes_treeids=[tree_id] * len(ids), nodes_nodeids=ids,
        nodes_featureids=[int(random.integers(features)) if i < inner else 0 for i in ids],
        nodes_values=[float(numpy.float32(random.standard_normal())) if i < inner else 0.0 for i in ids],
        nodes_modes=[modes[i % len(modes)] if i < inner else "LEAF" for i in ids],
        nodes_truenodeids=[2 * i + 1 if i < inner else 0 for i in ids],
        nodes_falsenodeids=[2 * i + 2 if i < inner else 0 for i in ids],
        nodes_missing_value_tracks_true=[i % 2 if i < inner else 0 for i in ids]), ids[inner:]


def forest(prefix, targets, modes, positive=False, one_class=None):
    """Trees of three depths whose leaves have a weight for some of the targets."""
    attributes = {}
    leaves = {f"{prefix}_treeids": [], f"{prefix}_nodeids": [], f"{prefix}_ids": [], f"{prefix}_weights": []}
    for tree_id, depth in enumerate((1, 3, 2)):
        nodes, ends = tree(depth, tree_id, COLUMNS, modes)
        for name, values in nodes.items():
            attributes.setdefault(name, []).extend(values)
        for leaf in ends:
            for target in range(targets) if one_class is None else [one_class]:
                weight = float(numpy.float32(random.standard_normal()))
                for name, value in zip(leaves, (tree_id, leaf, target, abs(weight) / 3 if positive else weight)):
                    leaves[name].append(value)
    return attributes | leaves


def cases():
    x = floats(ROWS, COLUMNS)
    missing = x.copy()
    missing[1, 2] = missing[4, 0] = numpy.nan
    yield "binarizer", "Binarizer", [x], [FLOAT], dict(threshold=0.25)
    yield "scaler", "Scaler", [x], [FLOAT], dict(offset=flat(floats(COLUMNS)), scale=flat(floats(COLUMNS)))
    yield "scaler_of_integers", "Scaler", [random.integers(-9, 9, (ROWS, COLUMNS))], [FLOAT], dict(offset=[1.5], scale=[0.5])
    for norm in ("MAX", "L1", "L2"):
        yield "normalizer_" + norm, "Normalizer", [abs(x) if norm == "MAX" else x], [FLOAT], dict(norm=norm)
    yield "imputer", "Imputer", [missing], [FLOAT], dict(imputed_value_floats=flat(floats(COLUMNS)), replaced_value_float=float("nan"))
    yield "imputer_of_integers", "Imputer", [random.integers(0, 3, (ROWS, COLUMNS))], [INT64], dict(imputed_value_int64s=[42], replaced_value_int64=1)
    yield "one_hot", "OneHotEncoder", [random.integers(0, 6, (ROWS, COLUMNS))], [FLOAT], dict(cats_int64s=[1, 3, 4])
    yield "vectorizer", "FeatureVectorizer", [x, floats(ROWS, 2)], [FLOAT], dict(inputdimensions=[COLUMNS, 2])
    yield "extractor", "ArrayFeatureExtractor", [x, numpy.array([[3, 0]])], [FLOAT], {}
    yield "labels", "LabelEncoder", [random.integers(0, 6, (ROWS, COLUMNS))], [FLOAT], dict(keys_int64s=[5, 1, 3], values_floats=[0.5, -1.0, 7.0], default_float=-2.5)
    yield "labels_to_integers", "LabelEncoder", [numpy.round(x)], [INT64], dict(keys_floats=[0.0, 1.0], values_int64s=[10, 20], default_int64=-7)
    for transform in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"):
        yield "regressor_" + transform, "LinearRegressor", [x], [FLOAT], dict(coefficients=flat(floats(3, COLUMNS)), intercepts=flat(floats(3)), targets=3, post_transform=transform)
        yield "classifier_" + transform, "LinearClassifier", [x], [INT64, FLOAT], dict(coefficients=flat(floats(3, COLUMNS)), intercepts=flat(floats(3)), classlabels_ints=[4, -1, 9], multi_class=1, post_transform=transform)
    yield "classifier_of_two", "LinearClassifier", [x], [INT64, FLOAT], dict(coefficients=flat(floats(2, COLUMNS)), intercepts=flat(floats(2)), classlabels_ints=[0, 1], post_transform="LOGISTIC")
    for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID"):
        yield "svm_" + kernel, "SVMRegressor", [x], [FLOAT], dict(coefficients=flat(floats(4)), support_vectors=flat(floats(4, COLUMNS)), n_supports=4, rho=[0.3], kernel_type=kernel, kernel_params=[0.4, 0.7, 3.0])
    yield "svm_one_class", "SVMRegressor", [x], [FLOAT], dict(coefficients=flat(floats(4)), support_vectors=flat(floats(4, COLUMNS)), n_supports=4, rho=[0.3], kernel_type="RBF", kernel_params=[0.4, 0.7, 3.0], one_class=1)
    for aggregate in ("SUM", "AVERAGE", "MIN", "MAX"):
        yield "trees_" + aggregate, "TreeEnsembleRegressor", [missing], [FLOAT], dict(n_targets=2, aggregate_function=aggregate, base_values=[0.5, -0.5]) | forest("target", 2, ["BRANCH_LEQ"])
    yield "trees_of_all_modes", "TreeEnsembleRegressor", [missing], [FLOAT], dict(n_targets=1) | forest("target", 1, ["BRANCH_GT", "BRANCH_LT", "BRANCH_GTE", "BRANCH_LEQ", "BRANCH_EQ", "BRANCH_NEQ"])
    for transform in ("NONE", "SOFTMAX"):
        yield "tree_classes_" + transform, "TreeEnsembleClassifier", [x], [INT64, FLOAT], dict(classlabels_int64s=[3, 8, 5], post_transform=transform) | forest("class", 3, ["BRANCH_LEQ"])
    for weighted in (0, 1):
        yield f"tree_two_classes_{weighted}", "TreeEnsembleClassifier", [x], [INT64, FLOAT], dict(classlabels_int64s=[0, 1], post_transform="LOGISTIC") | forest("class", 1, ["BRANCH_LT"], one_class=weighted)
        yield f"tree_two_positive_{weighted}", "TreeEnsembleClassifier", [x], [INT64, FLOAT], dict(classlabels_int64s=[0, 1]) | forest("class", 1, ["BRANCH_LT"], positive=True, one_class=weighted)
    yield "tree_two_both", "TreeEnsembleClassifier", [x], [INT64, FLOAT], dict(classlabels_int64s=[0, 1]) | forest("class", 2, ["BRANCH_LT"], positive=True)


def machine(vectors, transform, kernel="RBF", probabilities=False, labels=None):
    """A support vector classifier with that many vectors for each class."""
    classes, count = len(vectors), sum(vectors)
    pairs = classes * (classes - 1) // 2
    attributes = dict(coefficients=flat(floats(classes - 1, count)), support_vectors=flat(floats(count, COLUMNS)),
                      vectors_per_class=vectors, rho=flat(floats(pairs)), kernel_type=kernel, kernel_params=[0.4, 0.7, 3.0],
                      post_transform=transform)
    attributes.update(dict(classlabels_strings=labels) if labels else dict(classlabels_ints=[7 * i - 5 for i in range(classes)]))
    if probabilities:
        attributes.update(prob_a=flat(-abs(floats(pairs)) - 1), prob_b=flat(floats(pairs)))
    return attributes


def words(*shape):
    return random.choice(numpy.array(["cat", "dog", "", "c\u00e9", "bird"]), shape)


def cases_of_strings():
    x = floats(ROWS, COLUMNS)
    names = dict(keys_strings=["dog", "", "c\u00e9"])
    yield "labels_of_strings", "LabelEncoder", [words(ROWS, 2)], [INT64], names | dict(values_int64s=[3, 1, 2], default_int64=9)
    yield "labels_of_strings_to_numbers", "LabelEncoder", [words(ROWS)], [FLOAT], names | dict(values_floats=[3.5, 1, -2], default_float=0.25)
    yield "labels_of_strings_to_strings", "LabelEncoder", [words(ROWS)], [STRING], names | dict(values_strings=["a", "b", "c"], default_string="none")
    yield "labels_to_strings", "LabelEncoder", [random.integers(0, 6, (ROWS, 2))], [STRING], dict(keys_int64s=[5, 1, 3], values_strings=["a", "\u00e9", "c"])
    yield "labels_of_floats_to_strings", "LabelEncoder", [numpy.array([1, numpy.nan, 2], numpy.float32)], [STRING], dict(keys_floats=[2.0, float("nan")], values_strings=["two", "none"])
    categories = dict(cats_strings=["dog", "cat", "bird"], cats_int64s=[4, 5, -6], default_int64=77, default_string="other")
    yield "mapper_of_strings", "CategoryMapper", [words(ROWS, 2)], [INT64], categories
    yield "mapper_of_integers", "CategoryMapper", [random.integers(4, 8, (ROWS, 2))], [STRING], categories
    yield "one_hot_of_strings", "OneHotEncoder", [words(ROWS, 2)], [FLOAT], dict(cats_strings=["bird", "c\u00e9", "dog"])
    yield "extractor_of_strings", "ArrayFeatureExtractor", [words(ROWS, COLUMNS), numpy.array([[3, 0]])], [STRING], {}
    yield "classifier_of_strings", "LinearClassifier", [x], [STRING, FLOAT], dict(coefficients=flat(floats(3, COLUMNS)), intercepts=flat(floats(3)), classlabels_strings=["p", "q", "r"], multi_class=1)
    yield "tree_classes_of_strings", "TreeEnsembleClassifier", [x], [STRING, FLOAT], dict(classlabels_strings=["p", "q", "r"]) | forest("class", 3, ["BRANCH_LEQ"])


def cases_of_machines():
    x = floats(ROWS, COLUMNS)
    for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID"):
        yield "machine_" + kernel, "SVMClassifier", [x], [INT64, FLOAT], machine([3, 2, 4], "NONE", kernel)
    for transform in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"):
        for probabilities in (False, True):
            name = transform + ("_probable" if probabilities else "")
            yield "machine_of_two_" + name, "SVMClassifier", [x], [INT64, FLOAT], machine([3, 2], transform, probabilities=probabilities)
            yield "machine_of_three_" + name, "SVMClassifier", [x], [INT64, FLOAT], machine([3, 2, 4], transform, probabilities=probabilities)
    yield "machine_of_five", "SVMClassifier", [x], [STRING, FLOAT], machine([3, 2, 4, 1, 2], "NONE", probabilities=True, labels=list("abcde"))
    yield "machine_linear", "SVMClassifier", [x], [INT64, FLOAT], dict(coefficients=flat(floats(3, COLUMNS)), rho=[0.2], classlabels_ints=[4, 5, 6], kernel_type="LINEAR", kernel_params=[0.0, 0.0, 0.0])
    yield "machine_linear_of_two", "SVMClassifier", [x], [INT64, FLOAT], dict(coefficients=flat(floats(2, COLUMNS)), rho=[0.2], classlabels_ints=[4, 5], kernel_type="LINEAR", kernel_params=[0.0, 0.0, 0.0])


def main():
    folder, options = Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    kinds = {numpy.dtype(array): kind for kind, array in TYPES.items()}
    count = wrong = 0
    for name, operator, inputs, outputs, attributes in [*cases(), *cases_of_strings(), *cases_of_machines()]:
        names = [f"x{i}" for i in range(len(inputs))]
        results = [f"y{i}" for i in range(len(outputs))]
        node = helper.make_node(operator, names, results, name=name, domain="ai.onnx.ml", **attributes)
        graph = helper.make_graph([node], name, [helper.make_tensor_value_info(n, kinds.get(v.dtype, STRING), v.shape) for n, v in zip(names, inputs)],
                                  [helper.make_tensor_value_info(n, kind, None) for n, kind in zip(results, outputs)])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("ai.onnx.ml", 4), helper.make_opsetid("", 21)])
        model.ir_version = 10
        onnx.save(model, folder / f"{name}.onnx")
        numpy.savez(folder / f"{name}.npz", **dict(zip(names, inputs)))
        done = subprocess.run(["tenon", "verify", str(folder / f"{name}.onnx"), "--inputs", str(folder / f"{name}.npz"), *options],
                              capture_output=True, text=True)
        count += 1
        if done.returncode != 0:
            wrong += 1
            print(f"{name}: {done.stdout}{done.stderr}")
    print(f"{count} models, {'all equal' if wrong == 0 else f'{wrong} wrong'}")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
