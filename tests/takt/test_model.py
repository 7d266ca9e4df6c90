"""Compiled models on the command line and in Python, on the golden model."""

import json
import struct

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import takt
from sw.arch.config import ConfigError, load
from sw.compiler.compiled import CompileError
from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import Graph, GraphError
from sw.compiler.llama.build import decoder
from sw.compiler.llama.tokenizer import Tokenizer
from tests.compiler.llama_reference import random_model
from tests.compiler.test_llama_files import write_llama2c

SMALL = load("small")
SEED = 17
PIECES = ("<unk>", "\n<s>\n", "\n</s>\n", " ", *"abcdefghijklmnopqrstuvwxyz", *"ABCDEFGHIJ")


def network(path, operator="Relu"):
    """y = x w through an operator, b whether y is above 1, and n, which no input decides."""
    weights = np.random.default_rng(SEED).standard_normal((20, 5)).astype(np.float32)
    inside = [("one", np.ones(1, np.float32)), ("w", weights), ("n", np.arange(3, dtype=np.int64))]
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"], name="product"),
        helper.make_node(operator, ["a"], ["y"], name="activation", **({"axes": [0]} if operator == "Odd" else {})),
        helper.make_node("Greater", ["y", "one"], ["b"], name="above"),
    ]
    ports = [("x", TensorProto.FLOAT, [3, 20]), ("y", TensorProto.FLOAT, [3, 5]), ("b", TensorProto.BOOL, [3, 5])]
    ports.append(("n", TensorProto.INT64, [3]))
    x, *outputs = [helper.make_tensor_value_info(*port) for port in ports]
    graph = helper.make_graph(nodes, "net", [x], outputs, [numpy_helper.from_array(a, name) for name, a in inside])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return weights


def language_model(folder):
    """A random model and a tokenizer of letters."""
    model = random_model(SEED, vocab=len(PIECES))
    write_llama2c(folder / "model.bin", model)
    data = struct.pack("<i", 8)
    for number, piece in enumerate(PIECES):
        data += struct.pack("<fi", -number, len(piece.encode())) + piece.encode()
    (folder / "tokenizer.bin").write_bytes(data)
    return model


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a network, an input and a language model."""
    monkeypatch.chdir(tmp_path)
    network(tmp_path / "net.onnx")
    np.save("x.npy", np.random.default_rng(SEED + 1).standard_normal((3, 20)).astype(np.float32))
    language_model(tmp_path)
    return tmp_path


def test_an_onnx_model_runs_with_its_own_shapes_and_types(run, folder):
    status, out, err = run("compile", "net.onnx", "--precision", "fp16", "-o", "net.prog")
    assert (status, err) == (0, "") and out.startswith("net.prog: small, fp16 products, ")
    files = ("--output", "y=y.npy", "--output", "b=b.npy", "--output", "n=n.npy")
    status, out, err = run("run", "net.prog", "--input", "x=x.npy", *files, "--iterations", 2)
    assert (status, err) == (0, ""), err
    weights, x = network(folder / "again.onnx"), np.load("x.npy")
    y, b, n = (np.load(f"{name}.npy") for name in "ybn")
    assert (y.dtype, b.dtype, n.dtype) == (np.float32, bool, np.int64)
    assert np.allclose(y, np.maximum(x @ weights, 0), rtol=0, atol=0.02)
    assert 0 < b.sum() < b.size and (b == (y > 1)).all() and (n == [0, 1, 2]).all()
    found = json.loads(run("run", "net.prog", "--input", "x=x.npy", "--json")[1])
    assert found["cycles"] == found["predicted"] and np.allclose(found["outputs"]["y"], y)
    assert run("check", "net.prog")[0] == 0
    trace = run("run", "net.prog", "--input", "x=x.npy", "--trace", "trace.csv")
    assert trace[0] == 0 and (folder / "trace.csv").read_text().startswith("cycle,event,place")


def test_python_does_what_the_command_line_does(folder):
    model = takt.compile("net.onnx", "small", "fp16")
    x = np.load("x.npy")
    first = model.run({"x": x})
    model.save("net.prog")
    back = takt.Model.read("net.prog")
    assert back.cycles == model.cycles == back.stats["cycles"]
    again = back.run({"x": x})
    assert set(first) == set(again) == {"y", "b", "n"}
    assert all((first[name] == again[name]).all() for name in first)
    with pytest.raises(CompileError, match=r"The input 'x' is float64\[3, 20\], the model takes float32"):
        model.run({"x": x.astype(float)})


def test_states_move_on_in_a_session_and_begin_anew_in_a_run():
    graph = Graph("counter")
    runs = graph.state("runs", np.zeros((1, 1), np.int32))
    graph.output("y", runs + 1)
    graph.store("runs", runs + 1)
    model = takt.compile(graph)
    with model.session() as session:
        assert [session.step({})["y"].item() for _ in range(3)] == [1, 2, 3]
        assert session.cycles == model.cycles
        assert session.step({}, 4)["y"].item() == 7
    assert [model.run({})["y"].item() for _ in range(2)] == [1, 1]
    with pytest.raises(ValueError, match="no machine 'paper'; there are golden and rtl"):
        model.run({}, on="paper")
    with pytest.raises(GraphError, match="none can be chosen"):
        takt.compile(graph, precision="fp16")
    with pytest.raises(GraphError, match="counter is no language model; tokenizer, context and greedy"):
        takt.compile(graph, context=5)
    with pytest.raises(GraphError, match="onnx.ModelProto or a path, this is of type int"):
        takt.compile(7)


def test_a_language_model_writes_what_its_graph_says(run, folder):
    model = random_model(SEED, vocab=len(PIECES))
    words, machine = Tokenizer.read("tokenizer.bin"), Evaluator(decoder(model, SMALL.vl), SMALL.vl)
    tokens = words.encode("ab")
    for position in range(len(tokens) + 5):
        given = {"token": np.int16([[tokens[position]]]), "position": np.int16([[position]])}
        best = int(machine.run(given)["logits"].argmax())
        tokens += [best] * (position + 1 == len(tokens))
    expected = words.decode(tokens)
    options = ("--prompt", "ab", "--tokens", 6)
    status, out, err = run("llama", "model.bin", *options)
    assert status == 0, err
    assert out == expected + "\n"
    assert f"{len(tokens) - 1} tokens on the golden model: " in err and err.count("\n") == 1
    assert run("compile", "model.bin", "-o", "model.prog")[0] == 0
    assert run("llama", "model.prog", *options)[1] == out
    # On the chip alone: one start, one iteration a token.
    prompt = np.full((model.context, 1), -1, np.int16)
    prompt[: len(words.encode("ab")) - 1, 0] = words.encode("ab")[1:]
    np.save("prompt.npy", prompt)
    assert run("compile", "model.bin", "--greedy", "-o", "greedy.prog")[0] == 0
    given = ("--iterations", len(tokens) - 1, "--input", "prompt=prompt.npy", "--output", "text=text.npy")
    assert run("run", "greedy.prog", *given)[0] == 0
    assert np.load("text.npy")[: len(tokens) - 1, 0].tolist() == tokens[1:]
    drawn = [run("llama", "model.prog", *options, "--temperature", 2, "--seed", seed)[1] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_stats_say_what_binds(run, folder):
    run("compile", "model.bin", "-o", "model.prog")
    status, out, err = run("stats", "model.prog")
    assert (status, err) == (0, "") and out.count("binds") == 1
    found = json.loads(run("stats", "model.prog", "--json")[1])
    assert f"{found['cycles']:,} cycles on small" in out
    assert 0 < max(found["bounds"].values()) <= found["cycles"]
    assert found["traffic"]["read"]["bytes"] > found["traffic"]["written"]["bytes"] > 0


def test_quantize_report_lists_every_product(run, folder):
    status, out, err = run("quantize-report", "model.bin", "--tokens", 4, "--bits", 8, "--json")
    assert status == 0, err
    products = {one["name"]: one["sqnr_db"] for one in json.loads(out)["products"]}
    assert {"layers.0.wo", "layers.1.w2", "classifier"} <= set(products)
    assert all(5 < ratio < 80 for ratio in products.values())
    finer = json.loads(run("quantize-report", "model.bin", "--tokens", 4, "--json")[1])["outputs"][0]
    assert finer["sqnr_db"] > json.loads(out)["outputs"][0]["sqnr_db"]


ERRORS = {
    "no model": ("compile x.npy -o out", "x.npy is no model that can be compiled"),
    "no onnx": ("compile noise.onnx -o out", "noise.onnx is no ONNX model"),
    "unknown operator": ("compile odd.onnx -o out", "Node 'activation' is of the operator Odd"),
    "precision": ("compile net.onnx --precision int8 -o out", "'int8'; possible are fp32, fp16"),
    "does not fit": ("compile net.onnx --precision fp16 -c tiny -o out", "there are 2"),
    "truncated checkpoint": ("llama short.bin --tokenizer tokenizer.bin", "short.bin has 100 bytes"),
    "no tokenizer": ("llama alone/model.bin", "no tokenizer.bin beside it"),
    "broken tokenizer": ("llama model.bin --tokenizer x.npy", "x.npy"),
    "tokenizer of another model": ("llama model.bin --tokenizer few.bin", "few.bin has 39 tokens, the model 40"),
    "output cannot be written": ("compile net.onnx --precision fp16 -o nowhere/out", "nowhere"),
    "missing input": ("run net.prog", "The input 'x' is missing"),
    "unknown input": ("run net.prog --input x=x.npy --input q=x.npy", "q"),
    "input of another shape": ("run net.prog --input x=small.npy", "float32[2, 2]"),
    "unknown output": ("run net.prog --input x=x.npy --output q=q.npy", "no output 'q'; it has y, b, n."),
    "other chip": ("run net.prog -c tiny --input x=x.npy", "compiled for 'small', not for 'tiny'"),
    "damaged program": ("run damaged.prog", "damaged.prog is damaged"),
    "no language model": ("llama net.prog", "net.prog is no language model"),
    "a language model for the host": ("llama greedy.prog", "leaves the choice of tokens to the host"),
    "greedy ONNX": ("compile net.onnx --greedy -o x.prog", "greedy belong to language models"),
    "compiled already": ("llama net.prog --precision int8", "are fixed"),
    "stats for another chip": ("stats net.prog -c tiny", "compiled for 'small', not for 'tiny'"),
    "prompt beyond the context": ("llama model.bin --prompt abcdef --context 3", "it must have 1 to 3"),
    "prompt of no text": ("llama model.bin --prompt \udcff", "no character"),
    "temperature": ("llama model.bin --temperature nan", "The temperature is nan"),
    "output is a folder": ("compile net.onnx --precision fp16 -o alone", "alone: Is a directory."),
    "empty model": ("compile empty.onnx -o out", "The model has no outputs"),
    "missing data": ("compile split.onnx -o out", "split.onnx lacks what it refers to"),
    "stats of nothing": ("stats nowhere", "nowhere: No such file"),
    "plot": ("quantize-report model.bin --plot errors.txt", "neither a PNG nor an SVG"),
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A folder with good and broken files."""
    made = tmp_path_factory.mktemp("broken")
    network(made / "net.onnx")
    network(made / "odd.onnx", "Odd")
    language_model(made)
    (made / "alone").mkdir()
    (made / "alone" / "model.bin").write_bytes((made / "model.bin").read_bytes())
    (made / "short.bin").write_bytes((made / "model.bin").read_bytes()[:100])
    words = (made / "tokenizer.bin").read_bytes()
    (made / "few.bin").write_bytes(words[: -8 - len(PIECES[-1])])
    (made / "noise.onnx").write_bytes(bytes(range(200, 256)))
    (made / "empty.onnx").write_bytes(b"")
    onnx.save(onnx.load(made / "net.onnx"), made / "split.onnx", save_as_external_data=True, location="w", size_threshold=0)
    (made / "w").unlink()
    np.save(made / "x.npy", np.zeros((3, 20), np.float32))
    np.save(made / "small.npy", np.zeros((2, 2), np.float32))
    takt.compile(made / "net.onnx", "small", "fp16").save(made / "net.prog")
    takt.compile(made / "model.bin", "small", greedy=True).save(made / "greedy.prog")
    data = (made / "net.prog").read_bytes()
    middle = len(data) // 2
    (made / "damaged.prog").write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    return made


@pytest.mark.parametrize("case", ERRORS)
def test_errors_are_one_sentence_and_nothing_is_left(refused, broken, monkeypatch, case):
    monkeypatch.chdir(broken)
    refused(*ERRORS[case])


def test_chips_share_a_graph_by_any_scheme(tmp_path):
    rng, config = np.random.default_rng(3), load("linked")
    graph = Graph("layer")
    x = graph.input("x", (4, 64), "int8")
    graph.output("y", graph.dot(x, graph.constant(rng.integers(-9, 9, (128, 64), np.int8))))
    given = {"x": rng.integers(-99, 99, (4, 64), np.int8)}
    alone = takt.compile(graph, config).run(given)["y"]
    for scheme in ("auto", "rows", "columns"):
        takt.compile(graph, config, chips=2, scheme=scheme).save(tmp_path / "shared")
        model = takt.Model.read(tmp_path / "shared")
        assert model.system.chips == 2 and model.outputs == ("y",) and len(model.stats["chips"]) == 2
        np.testing.assert_array_equal(model.run(given)["y"], alone)
    with pytest.raises(GraphError, match="'heads' belongs to language models"):
        takt.compile(graph, config, chips=2, scheme="heads")
    with pytest.raises(ConfigError, match="6 chips that are all joined need 5 ports each, one of 'linked' has 4"):
        takt.compile(graph, config, chips=6)
