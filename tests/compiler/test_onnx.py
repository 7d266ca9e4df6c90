"""The ONNX front end through the evaluator: a sample of the suite, importing, static inputs, types and refusals."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sw.compiler.evaluate import Evaluator
from sw.compiler.onnx.backend import TaktBackend
from sw.compiler.onnx.importer import import_model
from sw.compiler.onnx.node import NeedsValue
from sw.compiler.onnx.types import OnnxError
from tests.compiler import onnx_suite

SEED = 20260403
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64

#: One test or a few of each theme of the suite, by the whole of their names.
SAMPLE = """
abs add_bcast add_uint8 and_bcast3v2d argmax_keepdims_random_select_last_index attention_3d_gqa attention_4d_causal
batchnorm_epsilon bitshift_left_int8_overflow cast_FLOAT_to_FLOAT16 cast_FLOAT16_to_FLOAT clip_default_inbounds
concat_3d_axis_negative_2 cumsum_2d_int32 depthtospace_crd_mode_example dequantizelinear_axis div_int8
dynamicquantizelinear dynamicquantizelinear_expanded erf expand_dim_changed floor gather_1
gather_elements_0 gelu_default_1 gelu_tanh_2 gemm_all_attributes group_normalization_epsilon hardmax_axis_1 instancenorm_epsilon
layer_normalization_3d_axis1_epsilon less_equal_bcast log logsoftmax_large_number matmul_4d matmulinteger
max_int16 mod_mixed_sign_float32 mul_int16 not_3d onehot_with_negative_axis pow_bcast_array pow_types_int32_int32
prelu_broadcast qlinearmatmul_3D_uint8_float32 quantizelinear_axis reduce_l2_negative_axes_keep_dims_random
reduce_log_sum_exp_empty_set reduce_prod_keepdims_random reshape_negative_extended_dims rms_normalization_3d_axis1_epsilon
rotary_embedding_interleaved round sce_mean_weight_ii_3d slice_neg_steps softmax_axis_1 split_variable_parts_2d_opset18
swiglu_float16 tile transpose_all_permutations_4 tril_neg where_long_example wrap_pad xor_bcast4v2d
""".split()


def model(nodes, inputs, outputs, constants=(), functions=(), opset=23):
    """A model of nodes; inputs are (name, type, shape), outputs names, constants (name, array)."""
    ports = [helper.make_tensor_value_info(*port) for port in inputs]
    results = [helper.make_value_info(name, onnx.TypeProto()) for name in outputs]
    values = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants]
    graph = helper.make_graph(nodes, "g", ports, results, values)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=opsets, functions=list(functions))


def run(built, *inputs):
    return TaktBackend.prepare(built).run(list(inputs))


def refused(built, *sentences):
    with pytest.raises(OnnxError) as caught:
        import_model(built)
    for sentence in sentences:
        assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not TaktBackend.is_compatible(built)


def test_a_sample_of_the_suite():
    report = onnx_suite.run(wanted=lambda name: name.removeprefix("test_") in SAMPLE)
    assert {outcome.name for outcome in report.outcomes} == set(SAMPLE)
    wrong = [outcome for outcome in report.outcomes if outcome.kind not in (onnx_suite.PASSED, onnx_suite.FOLDED)]
    assert not wrong
    assert report.count(onnx_suite.FOLDED) == 1


@pytest.mark.slow
def test_the_whole_suite():
    report = onnx_suite.run()
    print(report.table())
    assert not [outcome for outcome in report.outcomes if outcome.kind in (onnx_suite.FAILED, onnx_suite.LATE)]
    assert report.count(onnx_suite.PASSED) >= 1150


def test_the_driver_sees_a_wrong_machine():
    class Wrong(Evaluator):
        def run(self, inputs):
            return {name: value + value.dtype.type(1) for name, value in super().run(inputs).items()}

    class WrongBackend(TaktBackend):
        executor = Wrong

    report = onnx_suite.run(WrongBackend, lambda name: name in ("test_abs", "test_relu"))
    assert [outcome.kind for outcome in report.outcomes] == [onnx_suite.FAILED] * 2
    assert "failed" in report.table()


def test_a_model_with_constants_shapes_and_several_outputs():
    print("seed", SEED)
    rng = np.random.default_rng(SEED)
    x, w, b = (rng.normal(size=shape).astype(np.float32) for shape in ((2, 3, 8), (8, 4), (4,)))
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"]),
        helper.make_node("Add", ["p", "b"], ["sum"]),
        helper.make_node("Shape", ["sum"], ["shape"], end=1),
        helper.make_node("Concat", ["shape", "rest"], ["flat"], axis=0),
        helper.make_node("Reshape", ["sum", "flat"], ["y"]),
        helper.make_node("Softmax", ["y"], ["z"]),
    ]
    built = model(nodes, [("x", FLOAT, (2, 3, 8))], ["y", "z", "shape"], [("w", w), ("b", b), ("rest", np.array([-1]))])
    y, z, shape = run(built, x)
    expected = (x.astype(np.float64) @ w + b).reshape(2, 12)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(z, np.exp(expected) / np.exp(expected).sum(1, keepdims=True), rtol=1e-5)
    np.testing.assert_array_equal(shape, [2])
    assert (y.dtype, shape.dtype) == (np.float32, np.int64)


def test_functions_of_the_model_with_attributes():
    body = [
        helper.make_node("LeakyRelu", ["a"], ["b"]),
        helper.make_node("Neg", ["b"], ["c"]),
    ]
    body[0].attribute.append(onnx.AttributeProto(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT))
    function = helper.make_function("own", "Leak", ["a"], ["c"], body, [helper.make_opsetid("", 23)], ["slope"])
    node = helper.make_node("Leak", ["x"], ["y"], domain="own", slope=0.5)
    built = model([node], [("x", FLOAT, (2,))], ["y"], (), [function])
    np.testing.assert_array_equal(run(built, np.array([-2, 3], np.float32))[0], [1, -3])


@pytest.mark.parametrize(("condition", "expected"), [(True, 2.0), (False, -1.0)])
def test_a_constant_condition_takes_one_branch(condition, expected):
    def branch(op):
        result = helper.make_value_info("r", onnx.TypeProto())
        return helper.make_graph([helper.make_node(op, ["x", "x"] if op == "Add" else ["x"], ["r"])], op, [], [result])

    node = helper.make_node("If", ["c"], ["y"], then_branch=branch("Add"), else_branch=branch("Neg"))
    built = model([node], [("x", FLOAT, (1,))], ["y"], [("c", np.array(condition))])
    assert run(built, np.ones(1, np.float32))[0] == [expected]


def test_rows_of_a_constant_table_are_gathered_by_data():
    table = np.random.default_rng(SEED).normal(size=(10, 4)).astype(np.float32)
    index = np.array([[3, 0], [-1, 9]])
    node = helper.make_node("Gather", ["table", "i"], ["y"])
    built = model([node], [("i", INT64, (2, 2))], ["y"], [("table", table)])
    assert "gather" in {tensor.op for tensor in import_model(built).graph.tensors}
    np.testing.assert_array_equal(run(built, index)[0], table[index])


def test_rows_of_data_are_gathered_by_data():
    data = np.random.default_rng(SEED).normal(size=(3, 5, 2)).astype(np.float32)
    index = np.array([4, -5, 2])
    node = helper.make_node("Gather", ["x", "i"], ["y"], axis=1)
    built = model([node], [("x", FLOAT, (3, 5, 2)), ("i", INT64, (3,))], ["y"])
    np.testing.assert_array_equal(run(built, data, index)[0], data[:, index])


@pytest.mark.parametrize(("axis", "shape"), [(1, (3, 1, 2)), (1, (2, 4, 2)), (0, (5, 5, 2)), (2, (3, 5, 1))])
def test_elements_of_data_are_gathered_by_data(axis, shape):
    rng = np.random.default_rng(SEED)
    data = rng.normal(size=(3, 5, 2)).astype(np.float32)
    index = rng.integers(-data.shape[axis], data.shape[axis], shape)
    node = helper.make_node("GatherElements", ["x", "i"], ["y"], axis=axis)
    built = model([node], [("x", FLOAT, data.shape), ("i", INT64, shape)], ["y"])
    cut = data[tuple(slice(None if k == axis else length) for k, length in enumerate(shape))]
    np.testing.assert_array_equal(run(built, data, index)[0], np.take_along_axis(cut, index, axis))


def test_inputs_that_shapes_depend_on_are_compiled_in():
    built = model([helper.make_node("Reshape", ["x", "s"], ["y"])], [("x", FLOAT, (2, 6)), ("s", INT64, (2,))], ["y"])
    with pytest.raises(NeedsValue, match="Node 'y' \\(Reshape\\) has input 1 computed at run time") as caught:
        import_model(built)
    assert caught.value.inputs == {"s"}
    assert import_model(built, {"s": np.array([3, 4])}).graph.outputs["y"].shape == (3, 4)
    prepared, x = TaktBackend.prepare(built), np.arange(12, dtype=np.float32).reshape(2, 6)
    for shape in ((3, 4), (12, 1)):
        np.testing.assert_array_equal(prepared.run([x, np.array(shape)])[0], x.reshape(shape))


@pytest.mark.timeout(60)
def test_a_shape_that_no_input_changes_is_known():
    nodes = [helper.make_node("Pow", ["s", "zero"], ["ones"]), helper.make_node("Reshape", ["x", "ones"], ["y"])]
    ports = [("x", FLOAT, (1, 1)), ("s", INT64, (3,))]
    built = model(nodes, ports, ["y"], [("zero", np.array(0))])
    assert run(built, np.float32([[5]]), np.array([7, 8, 9]))[0].tolist() == [[[5]]]


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_integers_wrap_as_theirs_do(dtype):
    wide = np.dtype(dtype).itemsize >= 4
    x = np.array([1, 50, 100, 120], dtype) if wide else np.array([1, 50, 100, np.iinfo(dtype).max], dtype)
    y = np.array([3, 7, 100, 101], dtype)
    code = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    for op, expected in (("Add", x + y), ("Sub", x - y), ("Mul", x * y)):
        built = model([helper.make_node(op, ["x", "y"], ["z"])], [("x", code, (4,)), ("y", code, (4,))], ["z"])
        result = run(built, x, y)[0]
        assert result.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(result, expected)


def test_integers_that_do_not_fit_are_named():
    built = model([helper.make_node("Neg", ["x"], ["y"])], [("x", INT64, (1,))], ["y"])
    with pytest.raises(OnnxError, match="INT64 tensor 'x' has values from 4294967296 to 4294967296"):
        run(built, np.array([1 << 32]))


def test_refusals_name_node_finding_and_possibility():
    x, double = [("x", FLOAT, (1, 2, 4, 4))], [("x", TensorProto.DOUBLE, (2,))]
    refused(model([helper.make_node("Det", ["x"], ["y"], name="d")], x, ["y"]), "'d'", "Det", "no lowering", "docs/onnx.md")
    refused(model([helper.make_node("Abs", ["x"], ["y"])], double, ["y"]), "'x'", "DOUBLE", "FLOAT16")
    refused(model([helper.make_node("Abs", ["x"], ["y"])], [("x", FLOAT, ("n", 2))], ["y"]), "'x'", "'n'", "axis 0", "number")
    refused(model([helper.make_node("Who", ["x"], ["y"], domain="own")], x, ["y"]), "'own'", "functions made of them")
    refused(model([helper.make_node("Cast", ["x"], ["y"], name="c", to=TensorProto.INT4)], x, ["y"]), "'c'", "INT4", "INT8")
    refused(model([helper.make_node("Softmax", ["x"], ["y"], axis=7)], x, ["y"]), "'y'", "axis 7 of 4")
    mismatched = model([helper.make_node("Add", ["x", "w"], ["y"])], x, ["y"], [("w", np.ones(3, np.float32))])
    refused(mismatched, "'y' (Add)", "[1, 2, 4, 4] and [3]", "do not broadcast")
    refused(model([helper.make_node("Gelu", ["x"], ["y"])], x, ["y"], opset=18), "Gelu of operator set 18, which does not have")
    refused(model([helper.make_node("Abs", ["x"], ["y"])], x, []), "The model has no outputs.")
    branches = {name: helper.make_graph([], name, [], []) for name in ("then_branch", "else_branch")}
    built = model([helper.make_node("If", ["c"], [], name="i", **branches)], [("c", TensorProto.BOOL, ())], [])
    refused(built, "'i' (If)", "constant")


@pytest.mark.parametrize(
    ("op", "constant", "attributes", "sentence"),
    [
        ("Reshape", np.array([4, 2]), {}, "'y' (Reshape) does not compile: cannot reshape array of size 6 into shape (4,2)."),
        ("Transpose", None, {"perm": [0, 5]}, "'y' (Transpose) does not compile: axis 5 is out of bounds"),
        ("Gather", np.array([7]), {}, "'y' (Gather) does not compile: index 7 is out of bounds"),
        ("Split", np.array([1, 1]), {"axis": 1}, "'y' (Split) splits 3 elements along axis 1 into [1, 1], which are 2."),
        ("Einsum", None, {"equation": "ij->k"}, "'y' (Einsum) does not compile"),
        ("Add", None, {}, "'y' (Add) does not compile: Node 'y': ADD has 1 operands, it takes 2."),
        ("Cast", None, {}, "'y' (Cast): its result is of type None; possible are FLOAT"),
        ("Cast", None, {"to": 999}, "'y' (Cast): its result is of type 999; possible are FLOAT"),
    ],
)
def test_nodes_that_contradict_themselves_are_named(op, constant, attributes, sentence):
    names = ["x"] if constant is None else ["x", "k"]
    outputs = ["y", "z"] if op == "Split" else ["y"]
    constants = [] if constant is None else [("k", constant)]
    refused(model([helper.make_node(op, names, outputs, **attributes)], [("x", FLOAT, (2, 3))], outputs, constants), sentence)


@pytest.mark.parametrize("exponent", [0.0, np.inf, -np.inf])
def test_powers_at_the_ends(exponent):
    built = model([helper.make_node("Pow", ["x", "e"], ["y"])], [("x", FLOAT, (4,))], ["y"], [("e", np.float32([exponent]))])
    x = np.array([0.5, 1, 2, np.inf], np.float32)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(run(built, x)[0], x**exponent)


def test_one_device():
    assert TaktBackend.supports_device("CPU") and not TaktBackend.supports_device("CUDA")


def test_a_missing_input_is_named():
    built = model([helper.make_node("Neg", ["x"], ["y"])], [("x", FLOAT, (1,))], ["y"])
    with pytest.raises(OnnxError, match="The input 'x' is missing; given are z"):
        TaktBackend.prepare(built).run({"z": np.ones(1)})


@pytest.mark.parametrize("equation", ["bij,bjk->bik", "ij,kj->ik", "i,j->ji", "abc,cd", "bhqd,bhkd->bhqk"])
def test_einsum_of_two(equation):
    sizes = dict(zip("abcdhijkq", range(2, 11), strict=True))
    rng = np.random.default_rng(SEED)
    x, y = (rng.normal(size=[sizes[c] for c in term]).astype(np.float32) for term in equation.split("->")[0].split(","))
    node = helper.make_node("Einsum", ["x", "y"], ["z"], equation=equation)
    built = model([node], [("x", FLOAT, x.shape), ("y", FLOAT, y.shape)], ["z"])
    np.testing.assert_allclose(run(built, x, y)[0], np.einsum(equation, x, y), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("exclusive", [0, 1])
def test_running_sums(reverse, exclusive):
    x = np.random.default_rng(SEED).normal(size=(3, 6)).astype(np.float32)
    node = helper.make_node("CumSum", ["x", "axis"], ["y"], reverse=reverse, exclusive=exclusive)
    built = model([node], [("x", FLOAT, x.shape)], ["y"], [("axis", np.array(1))])
    turned = x[:, :: -1 if reverse else 1]
    sums = np.cumsum(turned, 1) - exclusive * turned
    np.testing.assert_allclose(run(built, x)[0], sums[:, :: -1 if reverse else 1], rtol=1e-5, atol=1e-6)
