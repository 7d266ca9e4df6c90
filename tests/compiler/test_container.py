"""A compiled program as one file: it comes back, and what is damaged is refused in a sentence."""

import io
import json
import zipfile

import numpy as np
import pytest

from sw.arch.config import load
from sw.arch.system import System
from sw.compiler.border import Border, Piece
from sw.compiler.compiled import compile_system
from sw.compiler.container import MAGIC, About, Container, ContainerError
from sw.compiler.graph import Graph
from sw.golden.chip import GoldenSystem
from sw.network.topology import node

CONFIG = load("small").replace(name="small two", mem={"words": 1024})
ONE = System(CONFIG, 1)
SEED = 5


def counter():
    """y = x + the number of runs so far, in FP32."""
    graph = Graph("counter")
    runs = graph.state("runs", np.zeros((1, 1), np.float32))
    graph.output("y", graph.input("x", (2, 13), "fp32") + runs)
    graph.store("runs", runs + 1.0)
    return graph


@pytest.fixture(scope="module")
def container():
    known = {"k": np.arange(6, dtype=np.int64).reshape(2, 3)}
    about = About("fp32", {"k": 7}, known, 12, b"words")
    return Container(compile_system(counter(), ONE), "counter.onnx", about, {"arithmetic": 3})


def test_everything_comes_back_and_runs(container):
    back = Container.from_bytes(container.to_bytes(), "file")
    assert back.compiled.config == CONFIG
    assert back.compiled == container.compiled
    assert (back.source, back.bounds) == (container.source, container.bounds)
    for name in ("precision", "elements", "context", "tokenizer"):
        assert getattr(back.about, name) == getattr(container.about, name), name
    assert back.about.known["k"].dtype == np.int64 and (back.about.known["k"] == [[0, 1, 2], [3, 4, 5]]).all()
    machine = GoldenSystem(ONE)
    back.compiled.load(machine)
    print("seed", SEED)
    x = np.random.default_rng(SEED).standard_normal((2, 13)).astype(np.float32)
    for runs in range(3):
        y = back.compiled.step(machine, {"x": x})["y"]
        assert y.dtype == np.float32 and (y == x + np.float32(runs)).all()


def test_programs_of_several_chips_come_back_and_run():
    system = node(CONFIG.replace(c2c={"links": 1}), 2, each=2)
    graph = Graph("pair")
    x = graph.input("x", (2, 13), "fp32")
    graph.chip = 1
    z = graph.input("x@1", (2, 13), "fp32")
    graph.output("y", graph.transfer(z, 0) + x)
    graph.output("y@1", z * 2.0)
    around = Border({"x": (Piece("x"), Piece("x@1"))}, {"y": (Piece("y", 0, 0, 2), Piece("y@1", 0, 2, 4))})
    written = Container(compile_system(graph, system), "pair", About("as given"), {}, around).to_bytes()
    back, machine = Container.from_bytes(written, "file"), GoldenSystem(system)
    back.compiled.load(machine)
    x = np.arange(26, dtype=np.float32).reshape(2, 13)
    outputs = back.border.join(back.compiled.step(machine, back.border.divide({"x": x})))
    assert outputs.keys() == {"y"} and (outputs["y"] == np.concatenate([2 * x, 2 * x])).all()


def test_equal_programs_are_equal_bytes(container):
    again = Container(compile_system(counter(), ONE), container.source, container.about, container.bounds)
    assert again.to_bytes() == container.to_bytes()
    assert container.to_bytes().startswith(MAGIC)


def test_no_truncated_file_is_a_program(container):
    data = container.to_bytes()
    for size in (0, 3, 40, len(data) // 2, len(data) - 1):
        with pytest.raises(ContainerError, match=r"^file is damaged, or no compiled program"):
            Container.from_bytes(data[:size], "file")


def test_a_damaged_file_is_refused_or_means_the_same(container):
    """Some bytes of an archive, such as a date, carry nothing."""
    data, refused = container.to_bytes(), 0
    print("seed", SEED)
    for at in np.random.default_rng(SEED).integers(len(data), size=60):
        broken = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        try:
            assert Container.from_bytes(broken, "file").to_bytes() == data
        except ContainerError as error:
            assert str(error).startswith("file") and str(error).endswith(".")
            refused += 1
    assert refused > 40


def changed(data, name, change):
    """The archive with one part replaced, or left out where `change` gives None."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(made, "w") as target:
        for part in source.namelist():
            new = change(source.read(part)) if part == name else source.read(part)
            if new is not None:
                target.writestr(part, new)
    return made.getvalue()


def about(**more):
    return lambda old: json.dumps(json.loads(old) | more).encode()


def chip(**more):
    return lambda old: json.dumps(json.loads(old) | {"chips": [json.loads(old)["chips"][0] | more]}).encode()


@pytest.mark.parametrize(
    ("part", "change", "sentence"),
    [
        ("program.json", lambda old: None, "lacks 'program.json'"),
        ("image_0.bin", lambda old: None, "lacks 'image_0.bin'"),
        ("known/0.npy", lambda old: None, "lacks 'known/0.npy'"),
        ("program.json", lambda old: b"{", "does not read"),
        ("program.json", about(format="holiday pictures"), "but not of a compiled program"),
        ("program.json", about(version=3), "format version 3, this program reads version 2"),
        ("program.json", chip(inputs={"x": {"shape": [2], "dtype": "fp64", "places": []}}), "does not read"),
        ("program.json", chip(outputs=[1]), "does not read"),
        ("program.json", chip(cycles=float("inf")), "does not read"),
        ("program.json", about(links=[[1, 2]]), "does not read"),
        ("program.json", about(links=[[[0, 0], [1, 0], 9]]), "names port 0 of chip"),
        ("program.json", about(border={"inputs": {"x": [{"nome": "x"}]}, "outputs": {}}), "does not read"),
        ("known/0.npy", lambda old: b"", "does not read"),
        ("config.toml", lambda old: old.replace(b"lanes =", b"lames ="), "no entry 'lames'"),
        ("config.toml", lambda old: old.replace(b"\nwords = 1024", b"\nwords = 512"), "made for configuration"),
        ("image_0.bin", lambda old: old[:100], "image is damaged"),
    ],
)
def test_archives_of_other_things_are_refused(container, part, change, sentence):
    with pytest.raises(ContainerError, match=sentence):
        Container.from_bytes(changed(container.to_bytes(), part, change), "file")
