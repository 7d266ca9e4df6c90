"""Bring-up as a command, and its table as what models are compiled for."""

import json
from dataclasses import asdict, replace

import numpy as np
import onnx
import pytest
import tomli_w
from onnx import TensorProto, helper, numpy_helper

from sw.arch.config import load
from sw.arch.links import link_latency
from sw.arch.system import System
from sw.bringup.table import Table
from sw.network.topology import node
from takt.model import Model
from tests.systems import CHIP
from tests.takt.test_model import language_model, network

LINKED = load("linked")
#: As small as a chip can be that has tables of INT32.
MINE = CHIP.replace(name="mine", mem={"slices_per_stop": 4})
SEED = 61


def measured(latency: int) -> System:
    """Two chips `linked`, whose links take so long and longer."""
    system = node(LINKED, 2, each=4)
    return replace(system, links=tuple(replace(link, latency=latency + k) for k, link in enumerate(system.links)))


def written(system: System) -> str:
    return Table(system, tuple(0 for _ in system.links), {}).to_toml()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with models, tables, and what are none."""
    folder = tmp_path_factory.mktemp("made")
    network(folder / "net.onnx")
    language_model(folder)
    np.save(folder / "x.npy", np.random.default_rng(SEED).standard_normal((3, 20)).astype(np.float32))
    (folder / "links.toml").write_text(written(measured(24)))
    (folder / "short.toml").write_text(written(measured(3)))
    (folder / "foreign.toml").write_text(written(node(MINE, 2)))
    (folder / "noise.toml").write_bytes(bytes(range(128, 256)))
    return folder


COMPILE = "compile net.onnx --precision fp16 -o out"
ERRORS = {
    "one chip": ("bringup --chips 1", "1 is not in the range x>=2"),
    "too few ports": ("bringup --chips 6", "6 chips that are all joined need 5 ports each, one of 'linked' has 4"),
    "no ports": ("bringup -c small", "2 chips that are all joined need 1 port each, one of 'small' has 0"),
    "a clock too far off": ("bringup --ppm 0,-101", "--ppm has -101 for chip 1, clocks of 'linked' are at most 100 off"),
    "clocks in words": ("bringup --ppm fast", "'fast' is not of the form N,N,..."),
    "a negative cable": ("bringup --cables 9,-1", "-1 is not in the range 0 to 4095"),
    "a cable too long": ("bringup --cables 9,5000", "5000 is not in the range 0 to 4095"),
    "output cannot be written": ("bringup -o nowhere/links.toml", "nowhere/links.toml: No such file or directory"),
    "no table": (f"{COMPILE} --links nowhere.toml", "nowhere.toml: No such file"),
    "a table of noise": (f"{COMPILE} --links noise.toml", "noise.toml is no table of links"),
    "a model as a table": (f"{COMPILE} --links net.onnx", "net.onnx is no table of links"),
    "chips besides a table": (f"{COMPILE} --links links.toml --chips 2", "--chips is 2, but links.toml says it"),
    "a table of other chips": (f"{COMPILE} --links links.toml -c small", "links.toml was measured on chips 'linked' ("),
    "a table of chips that nobody knows": (f"{COMPILE} --links foreign.toml", "'mine', which is no preset"),
    "other chips for a language model": ("llama model.bin --links links.toml -c small", "these are 'small' ("),
    "chips for a language model twice": ("llama model.bin --links links.toml --chips 4", "--chips is 4, but links.toml"),
    "a table of other chips for a program": ("check net.prog --links links.toml", "measured on chips 'linked' ("),
    "compiled already": ("llama net.prog --links links.toml", "its chips, links, precision, tokenizer and context are fixed"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_are_one_sentence_and_nothing_is_left(run, refused, made, monkeypatch, case):
    command, sentence = ERRORS[case]
    monkeypatch.chdir(made)
    if "net.prog" in command and not (made / "net.prog").exists():
        assert run("compile", "net.onnx", "--precision", "fp16", "-o", "net.prog")[0] == 0
    refused(command, sentence)


def test_programs_are_made_by_the_latencies_of_a_table(run, made, monkeypatch, tmp_path):
    monkeypatch.chdir(made)
    cycles = {}
    for name in ("links", "short"):
        program = tmp_path / name
        how = ("--precision", "fp16", "--scheme", "pipeline")
        status, out, err = run("compile", "net.onnx", *how, "--links", f"{name}.toml", "-o", program)
        assert (status, err) == (0, "") and f"{name}: 2 chips 'linked', fp16 products, " in out
        cycles[name] = Model.read(program).cycles
        assert Model.read(program).system == Table.load(made / f"{name}.toml").system
        assert run("run", program, "--input", "x=x.npy", "--output", f"y={tmp_path / name}.npy")[0] == 0
    assert cycles["short"] < cycles["links"]
    assert (np.load(tmp_path / "short.npy") == np.load(tmp_path / "links.npy")).all()
    status, _, err = run("run", tmp_path / "short", "--on", "rtl", "--input", "x=x.npy")
    assert status == 1 and "port 0 of chip 0 has a latency of 3, a wire has 15 or more." in err


def test_programs_are_proven_by_the_latencies_of_a_table(run, made, monkeypatch, tmp_path):
    monkeypatch.chdir(made)
    how = ("--precision", "fp16", "--scheme", "pipeline", "--links", "links.toml")
    assert run("compile", "net.onnx", *how, "-o", tmp_path / "net.prog")[0] == 0
    (tmp_path / "later.toml").write_text(written(measured(25)))
    (tmp_path / "more.toml").write_text(written(node(LINKED, 3)))
    cycles = Model.read(tmp_path / "net.prog").cycles
    good = f"{tmp_path}/net.prog is right: {cycles} cycles an iteration on 2 chips 'linked'.\n"
    assert run("check", tmp_path / "net.prog") == (0, good, "")
    assert run("check", tmp_path / "net.prog", "--links", "links.toml") == (0, good, "")
    status, out, err = run("check", tmp_path / "net.prog", "--links", tmp_path / "later.toml", "--json")
    found = json.loads(out)
    # What is sent comes a cycle after it is expected.
    assert {one["rule"] for one in found} <= {"link-lost", "link-meet"} and {one["chip"] for one in found} == {0, 1}
    assert status == 1 and err.endswith(f"net.prog has {len(found)} findings.\n")
    status, _, err = run("check", tmp_path / "net.prog", "--links", tmp_path / "more.toml")
    assert status == 1 and err.endswith(f"net.prog is for 2 chips, {tmp_path}/more.toml has the links of 3.\n")


def test_the_shipped_model_is_shared_by_the_chips_of_a_table(run, made):
    status, out, err = run("llama", "--links", made / "links.toml", "--tokens", 2)
    assert (status, out) == (0, "And the\n"), err
    assert "2 tokens on the golden model: " in err


def sums(path) -> None:
    """y = |x + a| + b in integers, which a chip of one ALU can do."""
    rng = np.random.default_rng(SEED)
    inside = [(name, rng.integers(-99, 99, (6, 8), np.int32)) for name in "ab"]
    nodes = [
        helper.make_node("Add", ["x", "a"], ["first"]),
        helper.make_node("Abs", ["first"], ["second"]),
        helper.make_node("Add", ["second", "b"], ["y"]),
    ]
    x, y = (helper.make_tensor_value_info(name, TensorProto.INT32, [6, 8]) for name in "xy")
    graph = helper.make_graph(nodes, "sums", [x], [y], [numpy_helper.from_array(array, name) for name, array in inside])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


@pytest.mark.slow
def test_what_is_brought_up_runs_programs_on_the_rtl(run, tmp_path, monkeypatch):
    """Two small chips, of whose four cables one is too long to be used."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chip.toml").write_text(tomli_w.dumps(asdict(MINE)))
    status, out, err = run("bringup", "-c", "chip.toml", "--ppm", "100,-100", "--cables", "0,40,3000,9", "-o", "links.toml")
    assert status == 1 and err.endswith("2 of 8 links fail; links.toml has the others.\n")
    print(out)
    for here, there in ((0, 1), (1, 0)):
        start = f"The link from port 2 of chip {here} to port 2 of chip {there} fails: "
        assert out.count(f"{start}its mark is not heard within 2000 cycles, no latency is that great.") == 1
    table = Table.load(tmp_path / "links.toml", MINE)
    assert len(table.system.links) == 6 and list(table.follows) == [1]
    for link in table.system.links:
        row = next(line for line in out.splitlines() if f"│ {link.source} │ {link.target} │" in line)
        cable, latency = (int(cell) for cell in row.split("│")[3:5])
        assert latency == link.latency and abs(latency - link_latency(MINE, cable)) < 8
    sums(tmp_path / "sums.onnx")
    np.save("x.npy", np.arange(48, dtype=np.int32).reshape(6, 8) - 24)
    how = ("--scheme", "pipeline", "-c", "chip.toml", "--links", "links.toml")
    status, out, err = run("compile", "sums.onnx", *how, "-o", "sums.prog")
    assert status == 0, err
    results = {}
    for machine in ("golden", "rtl"):
        status, out, err = run("run", "sums.prog", "--on", machine, "--json", "--input", "x=x.npy")
        assert status == 0, err
        results[machine] = json.loads(out)["outputs"], json.loads(out)["cycles"]
    assert results["golden"] == results["rtl"]
