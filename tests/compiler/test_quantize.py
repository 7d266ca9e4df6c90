"""INT8 products as a pass, on graphs of any kind."""

import numpy as np
import pytest

from sw.arch.dtype import DType
from sw.compiler.calibrate import Recorder, products
from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import Graph, GraphError
from sw.compiler.quantize import Scheme, quantized
from sw.compiler.quantize_report import compared
from sw.compiler.rounding import corrected, nearest, row_scales


def two_layers(seed):
    """x [3, 20] through a hidden layer of 32 to 12; its weights in float64 too; prints the seed."""
    print("seed", seed)
    rng = np.random.default_rng(seed)
    first, second = rng.standard_normal((32, 20)), rng.standard_normal((12, 64))
    graph = Graph("two")
    x = graph.input("x", (3, 20), "fp32")
    graph.scope = "first"
    hidden = graph.dot(x.to("fp16"), graph.constant(first, "fp16"))
    graph.scope = "relu"
    hidden = graph.elementwise("RELU", hidden).to("fp16")
    # A move stands between the rounding and the product: each row twice, the second time backwards.
    index = np.arange(96).reshape(3, 32)
    wide = graph.move(hidden, np.concatenate([index, index[:, ::-1]], axis=1))
    graph.scope = "second"
    out = graph.dot(wide, graph.constant(second, "fp16"))
    graph.scope = "sum"
    total = graph.state("total", np.zeros((3, 12), np.float32)) + out
    graph.store("total", total)
    graph.output("y", total)

    def plain(x):
        hidden = np.maximum(x @ first.T, 0)
        return np.concatenate([hidden, hidden[:, ::-1]], axis=1) @ second.T

    return graph, plain, rng


def calibrated(graph, rng, vl=16):
    recorder = Recorder(graph, vl)
    for _ in range(40):
        recorder.run({"x": rng.standard_normal((3, 20)).astype(np.float32)})
    return recorder.samples


@pytest.mark.parametrize("smoothing", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("rounding", [False, True])
@pytest.mark.parametrize(("bits", "dynamic", "bound"), [(8, False, 0.05), (8, True, 0.04), (16, False, 0.02), (16, True, 0.02)])
def test_every_scheme_stays_near_the_float_graph(bits, dynamic, bound, rounding, smoothing):
    graph, plain, rng = two_layers(3)
    integer = quantized(graph, calibrated(graph, rng), Scheme(bits, dynamic, rounding, smoothing))
    assert {t.operands[1].dtype for t in integer.tensors if t.op == "dot"} == {DType.INT8}
    machine, expected = Evaluator(integer, 16), np.zeros((3, 12))
    for _ in range(3):
        x = rng.standard_normal((3, 20)).astype(np.float32)
        expected += plain(x)
        error = machine.run({"x": x})["y"] - expected
        assert np.sqrt(np.mean(error**2) / np.mean(expected**2)) < bound


def test_sixteen_bits_saturate_beyond_the_samples_and_do_not_wrap():
    graph = Graph("one")
    x = graph.input("x", (1, 4), "fp32")
    graph.scope = "w"
    graph.output("y", graph.dot(x.to("fp16"), graph.constant(np.eye(4), "fp16")))
    samples = {"w": np.float32([[1, -1, 1, 1]])}
    machine = Evaluator(quantized(graph, samples, Scheme(16, False, False, 0.0)), 4)
    y = machine.run({"x": np.float32([[1.9, -1.9, 1e6, -1e6]])})["y"]
    assert np.abs(y - [[1.9, -1.9, 2.0, -2.0]]).max() < 0.03


@pytest.mark.parametrize("bits", [8, 16])
def test_dynamic_scales_fit_any_size_of_input_and_zeros(bits):
    graph, plain, rng = two_layers(4)
    integer = quantized(graph, calibrated(graph, rng), Scheme(bits, dynamic=True))
    x = rng.standard_normal((3, 20)).astype(np.float32)
    for size in (1e-2, 1e3):
        expected = plain(size * x)
        error = Evaluator(integer, 16).run({"x": np.float32(size * x)})["y"] - expected
        assert np.sqrt(np.mean(error**2) / np.mean(expected**2)) < 0.05
    assert (Evaluator(integer, 16).run({"x": np.zeros((3, 20), np.float32)})["y"] == 0).all()


def test_only_chosen_products_change():
    graph, _, rng = two_layers(5)
    integer = quantized(graph, calibrated(graph, rng), where=lambda name: name == "second")
    kinds = {t.name: t.operands[1].dtype for t in integer.tensors if t.op == "dot"}
    assert kinds == {"first": DType.FP16, "second": DType.INT8}
    with pytest.raises(GraphError, match="The product 'first' has no samples"):
        quantized(graph, {}, where=lambda name: True)


@pytest.mark.parametrize("samples", [np.ones((3, 5)), np.ones(20), np.ones((0, 20)), np.full((2, 20), np.nan)])
def test_samples_that_do_not_fit_are_refused(samples):
    with pytest.raises(GraphError, match=r"The samples of 'first' are \[.*\], they must be finite numbers \[rows, 20\]"):
        quantized(two_layers(9)[0], {"first": samples})


def test_a_product_of_a_name_already_taken_is_numbered():
    graph = Graph("same")
    x = graph.input("x", (1, 4), "fp16")
    graph.scope = "w"
    for _ in range(3):
        graph.dot(x, graph.constant(np.eye(4), "fp16"))
    assert list(products(graph)) == ["w", "w#2", "w#3"]


def test_corrected_rounding_errs_less_on_its_samples_than_the_nearest():
    rng = np.random.default_rng(6)
    weights = rng.standard_normal((24, 32))
    weights[:, 5] = 0
    inputs = rng.standard_normal((400, 8)) @ rng.standard_normal((8, 32)) + 0.1 * rng.standard_normal((400, 32))
    scales = row_scales(weights)
    errors = [
        np.mean(((rounded * scales - weights) @ inputs.T) ** 2)
        for rounded in (nearest(weights, scales), corrected(weights, scales, inputs))
    ]
    assert errors[1] < errors[0] / 2
    assert not corrected(weights, scales, inputs)[:, 5].any()


def test_rows_of_zeros_have_a_scale():
    weights = np.array([[0.0, 0.0], [254.0, -127.0]])
    assert row_scales(weights).tolist() == [[1.0], [2.0]]
    assert nearest(weights, row_scales(weights)).tolist() == [[0, 0], [127, -64]]


def test_the_report_finds_the_product_that_is_wrong():
    graph, _, rng = two_layers(7)
    samples = calibrated(graph, rng)
    samples["second"] = samples["second"] / 20
    inputs = [{"x": rng.standard_normal((3, 20)).astype(np.float32)} for _ in range(4)]
    report = compared(graph, quantized(graph, samples, Scheme(8, corrected=False)), inputs, 16)
    first, second = report.products
    assert (first.name, second.name, report.outputs[0].name) == ("first", "second", "y")
    assert first.sqnr_db > 30 > 10 > second.sqnr_db
    assert second.largest > 0.5 * second.rms


def test_a_graph_equals_itself():
    graph, _, rng = two_layers(8)
    report = compared(graph, graph, [{"x": rng.standard_normal((3, 20)).astype(np.float32)}], 16)
    assert report.products == () and report.outputs[0].sqnr_db == np.inf
    with pytest.raises(GraphError, match="no inputs"):
        compared(graph, graph, [], 16)


def test_schemes_that_are_none_are_refused():
    with pytest.raises(GraphError, match="8 or 16 bits, not 12"):
        Scheme(12)
    with pytest.raises(GraphError, match="0 to 1, it is 2"):
        Scheme(smoothing=2)
