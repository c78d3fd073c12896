# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models with If, Loop and Scan: `control_flow.py FOLDER` writes NAME.onnx and, for each set of inputs, NAME.I.npz."""

import sys
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64, BOOL, UINT8 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.UINT8
node = helper.make_node
random = numpy.random.default_rng(0)


def value(name, shape=None, type=FLOAT):
    return helper.make_tensor_value_info(name, type, shape)


def constant(name, array):
    return node("Constant", [], [name], value=numpy_helper.from_array(numpy.asarray(array), name))


def graph(nodes, inputs, outputs, name="graph", **options):
    return helper.make_graph(nodes, name, inputs, outputs, **options)


def body(nodes, carried, outputs):
    """The body of a Loop; `carried` and `outputs` are value infos."""
    return graph(nodes, [value("i", [], INT64), value("go", [], BOOL)] + carried, outputs, "body")


def floats(*shape):
    return random.standard_normal(shape).astype(numpy.float32)


def integer(n):
    return numpy.array(n, numpy.int64)


def branches():
    """Two levels, results whose size depends on the branch, values of the outer graphs inside."""
    inner = node("If", ["second"], ["r"], then_branch=graph([node("Mul", ["x", "t"], ["a"])], [], [value("a")]),
                 else_branch=graph([node("Concat", ["x", "x"], ["b"], axis=0)], [], [value("b")]))
    then = graph([node("Neg", ["x"], ["t"]), inner], [], [value("r")])
    other = graph([node("Identity", ["x"], ["o"])], [], [value("o")])
    main = [node("If", ["first"], ["y"], then_branch=then, else_branch=other), node("Exp", ["y"], ["z"])]
    sets = [dict(first=numpy.array(a), second=numpy.array(b), x=floats(n, 3)) for a in (0 < 1, False)
            for b in (0 < 1, False) for n in (2, 5)]
    return (main, [value("first", [], BOOL), value("second", [], BOOL), value("x", ["n", 3])],
            [value("z", [None, 3]), value("y", [None, 3])], sets)


def grows():
    """A carried value that is longer after each iteration, and one row of it collected; any number of iterations."""
    nodes = [node("Concat", ["x", "w"], ["x_next"], axis=0), node("ReduceSum", ["x_next"], ["row"], keepdims=0),
             node("Identity", ["go"], ["go_next"])]
    loop = node("Loop", ["n", "", "x0"], ["last", "sums"],
                body=body(nodes, [value("x", [None, 4])], [value("go_next", [], BOOL), value("x_next", [None, 4]), value("row", [])]))
    sets = [dict(n=integer(n), x0=floats(k, 4), w=floats(2, 4)) for n, k in ((0, 3), (1, 1), (5, 2), (17, 0))]
    return ([loop], [value("n", [], INT64), value("x0", ["k", 4]), value("w", [2, 4])],
            [value("last", [None, 4]), value("sums", [None])], sets)


def exchange():
    """Carried values that change places, one that stays, one given twice, an outer value handed on."""
    nodes = [node("Add", ["a", "b"], ["sum"]), node("Identity", ["go"], ["go_next"]), node("Relu", ["sum"], ["r"])]
    nodes += [node("Identity", [old], [new]) for old, new in (("b", "b1"), ("c", "c1"), ("r", "r1"), ("w", "w1"), ("a", "a1"))]
    infos = [value(name, [8, 16]) for name in "abcdef"]
    gives = ["b1", "sum", "c1", "r", "r1", "w1"]
    loop = node("Loop", ["n", "", "w", "x", "x", "w", "x", "x"], ["ya", "yb", "yc", "yd", "ye", "yf", "all"],
                body=body(nodes, infos, [value("go_next", [], BOOL)] + [value(g, [8, 16]) for g in gives] + [value("a1", [8, 16])]))
    sets = [dict(n=integer(n), x=floats(8, 16), w=floats(8, 16)) for n in (0, 1, 2, 7)]
    return ([loop], [value("n", [], INT64), value("x", [8, 16]), value("w", [8, 16])],
            [value(name, [8, 16]) for name in ("ya", "yb", "yc", "yd", "ye", "yf")] + [value("all", [None, 8, 16])], sets)


def until():
    """The condition depends on data; the number of the iteration and the condition are collected."""
    nodes = [node("Mul", ["x", "two"], ["x_next"]), node("ReduceMax", ["x_next"], ["top"], keepdims=0),
             node("Less", ["top", "limit"], ["go_next"]), node("Identity", ["i"], ["number"]), node("Identity", ["go_next"], ["go_too"])]
    loop = node("Loop", ["", "start", "x0"], ["last", "numbers", "goes"],
                body=body(nodes, [value("x", ["m"])], [value("go_next", [], BOOL), value("x_next", ["m"]), value("number", [], INT64),
                                                       value("go_too", [], BOOL)]))
    sets = [dict(x0=numpy.arange(1, 4, dtype=numpy.float32), limit=numpy.array(limit, numpy.float32), start=numpy.array(start))
            for limit, start in ((1000, True), (0, True), (1000, False))]
    return ([constant("two", numpy.float32(2)), loop],
            [value("x0", ["m"]), value("limit", []), value("start", [], BOOL)],
            [value("last", ["m"]), value("numbers", [None], INT64), value("goes", [None], BOOL)], sets)


def nested():
    """A Loop in a Loop, the trip count of the inner one is the number of the outer iteration; an If inside."""
    odd = [constant("two", integer(2)), node("Mod", ["j", "two"], ["rest"]), node("Cast", ["rest"], ["is_odd"], to=BOOL),
           node("If", ["is_odd"], ["step"], then_branch=graph([node("Mul", ["v", "outer"], ["p"])], [], [value("p", [3])]),
                else_branch=graph([node("Add", ["v", "x"], ["q"])], [], [value("q", [3])])),
           node("Sigmoid", ["step"], ["v_next"]), node("Identity", ["jgo"], ["jgo_next"])]
    inner_body = graph(odd, [value("j", [], INT64), value("jgo", [], BOOL), value("v", [3])],
                       [value("jgo_next", [], BOOL), value("v_next", [3]), value("step", [3])], "inner")
    nodes = [node("Sub", ["u", "x"], ["outer"]), node("Loop", ["i", "", "outer"], ["u_next", "steps"], body=inner_body),
             node("ReduceSum", ["steps", "axis"], ["row"], keepdims=0), node("Identity", ["go"], ["go_next"])]
    loop = node("Loop", ["n", "", "x"], ["y", "rows"],
                body=body(nodes, [value("u", [3])], [value("go_next", [], BOOL), value("u_next", [3]), value("row", [3])]))
    sets = [dict(n=integer(n), x=floats(3)) for n in (0, 1, 6)]
    return ([constant("axis", numpy.array([0])), loop], [value("n", [], INT64), value("x", [3])],
            [value("y", [3]), value("rows", [None, 3])], sets)


def recurrent():
    """A cell with weights over a named dimension: products, bias and activation in one kernel each."""
    weights = [numpy_helper.from_array(floats(32, 64) / 8, "w"), numpy_helper.from_array(floats(64, 64) / 8, "r"),
               numpy_helper.from_array(floats(64), "bias")]
    nodes = [node("MatMul", ["x_t", "w"], ["xw"]), node("MatMul", ["h", "r"], ["hr"]), node("Add", ["xw", "hr"], ["s"]),
             node("Add", ["s", "bias"], ["sb"]), node("Tanh", ["sb"], ["h_next"]), node("Identity", ["h_next"], ["h_all"])]
    scan = node("Scan", ["h0", "x"], ["last", "all"], num_scan_inputs=1, scan_input_axes=[1], scan_output_axes=[1],
                body=graph(nodes, [value("h", ["batch", 64]), value("x_t", ["batch", 32])],
                           [value("h_next", ["batch", 64]), value("h_all", ["batch", 64])], "cell"))
    sets = [dict(h0=floats(b, 64), x=floats(b, t, 32)) for b, t in ((1, 4), (3, 1), (2, 9))]
    return ([scan], [value("h0", ["batch", 64]), value("x", ["batch", "time", 32])],
            [value("last", ["batch", 64]), value("all", ["batch", "time", 64])], sets, weights)


def directions():
    """Scans backwards, along inner axes, of two inputs at once."""
    nodes = [node("Add", ["s", "p"], ["a"]), node("Mul", ["a", "q"], ["s_next"]), node("Neg", ["a"], ["b"])]
    scan = node("Scan", ["s0", "p_all", "q_all"], ["s_last", "a_all", "b_all"], num_scan_inputs=2, scan_input_axes=[0, -1],
                scan_input_directions=[1, 0], scan_output_axes=[-1, 0], scan_output_directions=[0, 1],
                body=graph(nodes, [value("s", [2, 3]), value("p", [2, 3]), value("q", [2, 3])],
                           [value("s_next", [2, 3]), value("a", [2, 3]), value("b", [2, 3])], "body"))
    sets = [dict(s0=floats(2, 3), p_all=floats(5, 2, 3), q_all=floats(2, 3, 5))]
    return ([scan], [value("s0", [2, 3]), value("p_all", [5, 2, 3]), value("q_all", [2, 3, 5])],
            [value("s_last", [2, 3]), value("a_all", [2, 3, 5]), value("b_all", [5, 2, 3])], sets)


def unsigned():
    """Carried values of an unsigned type, and a loop in a branch."""
    nodes = [node("Add", ["u", "u"], ["u_next"]), node("Identity", ["go"], ["go_next"]), node("Identity", ["u"], ["u_now"])]
    loop = node("Loop", ["n", "", "x"], ["t", "ts"],
                body=body(nodes, [value("u", ["k"], UINT8)], [value("go_next", [], BOOL), value("u_next", ["k"], UINT8), value("u_now", ["k"], UINT8)]))
    branch = node("If", ["c"], ["y"], then_branch=graph([loop, node("Div", ["t", "three"], ["a"])], [], [value("a", None, UINT8)]),
                  else_branch=graph([node("Div", ["x", "three"], ["b"])], [], [value("b", None, UINT8)]))
    sets = [dict(c=numpy.array(c), n=integer(3), x=numpy.arange(1, 31, dtype=numpy.uint8)) for c in (True, False)]
    return ([constant("three", numpy.uint8(3)), branch], [value("c", [], BOOL), value("n", [], INT64), value("x", ["k"], UINT8)],
            [value("y", ["k"], UINT8)], sets)


def chosen():
    """Sizes that depend on data, in a loop: what is left of a vector when its elements fall below zero."""
    nodes = [node("Sub", ["x", "one"], ["less"]), node("Greater", ["less", "zero"], ["keep"]), node("Compress", ["less", "keep"], ["x_next"], axis=0),
             node("NonZero", ["keep"], ["where"]), node("ReduceMax", ["where", "axis"], ["farthest"], keepdims=0),
             node("Size", ["x_next"], ["count"]), node("Greater", ["count", "two"], ["go_next"]), node("Identity", ["count"], ["left"])]
    loop = node("Loop", ["n", "", "x0"], ["last", "counts", "farthests"],
                body=body(nodes, [value("x", [None])], [value("go_next", [], BOOL), value("x_next", [None]), value("left", [], INT64),
                                                       value("farthest", [1], INT64)]))
    after = node("NonZero", ["last"], ["positions"])
    sets = [dict(n=integer(n), x0=random.permutation(numpy.arange(2, k + 2)).astype(numpy.float32)) for n, k in ((3, 7), (100, 40), (0, 5))]
    return ([constant("one", numpy.float32(1)), constant("zero", numpy.float32(0)), constant("two", integer(2)),
             constant("axis", numpy.array([1])), loop, after],
            [value("n", [], INT64), value("x0", ["k"])],
            [value("last", [None]), value("counts", [None], INT64), value("farthests", [None, 1], INT64), value("positions", [1, None], INT64)], sets)


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for case in (branches, grows, exchange, until, nested, recurrent, directions, unsigned, chosen):
        nodes, inputs, outputs, sets, *weights = case()
        made = helper.make_model(graph(nodes, inputs, outputs, case.__name__, initializer=sum(weights, [])),
                                 opset_imports=[helper.make_opsetid("", 21)])
        made.ir_version = 10
        onnx.checker.check_model(made)
        onnx.save(made, folder / f"{case.__name__}.onnx")
        for i, values in enumerate(sets):
            numpy.savez(folder / f"{case.__name__}.{i}.npz", **values)


if __name__ == "__main__":
    main()
