"""A compiled program as one file: it comes back, and what is damaged is refused in a sentence."""

import io
import json
import zipfile

import numpy as np
import pytest

from sw.arch.config import load
from sw.compiler.compiled import compile_graph
from sw.compiler.container import MAGIC, About, Container, ContainerError
from sw.compiler.graph import Graph
from sw.golden.chip import GoldenMachine

CONFIG = load("small").replace(name="small two", mem={"words": 1024})
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
    return Container(compile_graph(counter(), CONFIG), "counter.onnx", about, {"arithmetic": 3})


def test_everything_comes_back_and_runs(container):
    back = Container.from_bytes(container.to_bytes(), "file")
    assert back.compiled.config == CONFIG
    assert back.compiled.image == container.compiled.image
    assert (back.source, back.bounds) == (container.source, container.bounds)
    for name in ("precision", "elements", "context", "tokenizer"):
        assert getattr(back.about, name) == getattr(container.about, name), name
    assert back.about.known["k"].dtype == np.int64 and (back.about.known["k"] == [[0, 1, 2], [3, 4, 5]]).all()
    machine = GoldenMachine(CONFIG)
    back.compiled.load(machine)
    print("seed", SEED)
    x = np.random.default_rng(SEED).standard_normal((2, 13)).astype(np.float32)
    for runs in range(3):
        y = back.compiled.step(machine, {"x": x})["y"]
        assert y.dtype == np.float32 and (y == x + np.float32(runs)).all()


def test_equal_programs_are_equal_bytes(container):
    again = Container(compile_graph(counter(), CONFIG), container.source, container.about, container.bounds)
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


@pytest.mark.parametrize(
    ("part", "change", "sentence"),
    [
        ("program.json", lambda old: None, "lacks 'program.json'"),
        ("image.bin", lambda old: None, "lacks 'image.bin'"),
        ("known/0.npy", lambda old: None, "lacks 'known/0.npy'"),
        ("program.json", lambda old: b"{", "does not read"),
        ("program.json", about(format="holiday pictures"), "but not of a compiled program"),
        ("program.json", about(version=2), "format version 2, this program reads version 1"),
        ("program.json", about(inputs={"x": {"shape": [2], "dtype": "fp64", "places": []}}), "does not read"),
        ("program.json", about(outputs=[1]), "does not read"),
        ("program.json", about(cycles=float("inf")), "does not read"),
        ("known/0.npy", lambda old: b"", "does not read"),
        ("config.toml", lambda old: old.replace(b"lanes =", b"lames ="), "no entry 'lames'"),
        ("config.toml", lambda old: old.replace(b"\nwords = 1024", b"\nwords = 512"), "made for configuration"),
        ("image.bin", lambda old: old[:100], "image is damaged"),
    ],
)
def test_archives_of_other_things_are_refused(container, part, change, sentence):
    with pytest.raises(ContainerError, match=sentence):
        Container.from_bytes(changed(container.to_bytes(), part, change), "file")
