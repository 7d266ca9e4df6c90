"""The command line: what it prints, and that every error of the user is one sentence with status 1."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import takt
from sw.arch.config import PRESETS, load
from sw.arch.floorplan import floorplan
from sw.asm.image import Image
from takt.cli import COMMANDS

ROOT = Path(__file__).parents[2]
COPY = ROOT / "examples" / "copy.takt"


def test_help_teaches_every_command(run):
    status, out, _ = run()
    assert status == 0
    assert [line.split()[0] for line in out.split("Commands:\n")[1].splitlines()] == list(COMMANDS)
    for command in COMMANDS:
        status, out, _ = run(command, "--help")
        assert status == 0 and f"  takt {command}" in out.split("Example:")[1]


def test_full_is_the_published_chip(run):
    _, out, _ = run("info", "--config", "full", "--json")
    known = json.loads(out)
    assert known["peaks"]["int8"] == 819_200
    assert known["peaks"]["fp16"] == 204_800
    assert known["vl"] == 320
    assert known["memory"]["bytes"] == 88 * 8192 * 320
    assert sum(one["count"] for one in known["queues"].values()) >= 144


@pytest.mark.parametrize("name", PRESETS)
def test_info_lists_what_the_host_port_numbers(run, name):
    known = json.loads(run("info", "--config", name, "--json")[1])
    host, plan = known["host"], floorplan(load(name))
    assert all(plan.queue(queue).index == index for index, queue in enumerate(host["queues"]))
    assert host["slices"] == [f"MEM_{side}{n}" for side in "WE" for n in range(known["config"]["mem"]["slices"])]
    assert sorted(host["units"]) == sorted(unit for stop in known["stops"] for unit in stop)


@pytest.mark.parametrize("name", PRESETS)
def test_info_draws_every_stop(run, name):
    status, out, _ = run("info", "--config", name)
    assert status == 0
    known = json.loads(run("info", "--config", name, "--json")[1])
    for stop in known["stops"]:
        if not stop[0].startswith("MEM"):
            assert all(unit in out for unit in stop)
    assert "819,200  int8" in out or name != "full"


def test_a_program_goes_to_an_image_and_back(run, tmp_path):
    image, text = tmp_path / "copy.img", tmp_path / "copy.takt"
    assert run("asm", COPY, "-o", image) == (0, f"{image}: small, 10 cycles an iteration.\n", "")
    assert run("dis", image, "-o", text)[0] == 0
    again = tmp_path / "again.img"
    assert run("asm", text, "-o", again)[0] == 0
    assert again.read_bytes() == image.read_bytes()
    assert Image.from_bytes(image.read_bytes(), load("small")).inputs[0].name == "x"


def test_run_reads_and_writes_arrays(run, tmp_path):
    x = np.arange(4 * 30, dtype=np.int16).reshape(4, 30)
    np.save(tmp_path / "x.npy", x)
    trace = tmp_path / "trace.csv"
    files = ("--input", f"x={tmp_path / 'x.npy'}", "--output", f"y={tmp_path / 'y.npy'}", "--trace", trace)
    status, out, err = run("run", COPY, *files, "--iterations", 2)
    assert (status, err) == (0, "")
    y = np.load(tmp_path / "y.npy")
    assert y.dtype == np.uint8 and (y[:, :60].copy().view(np.int16) == x).all() and not y[:, 60:].any()
    first, *rows = trace.read_text().splitlines()
    assert first.startswith("cycle,event,place,item,superlane")
    assert rows[0].split(",")[:5] == ["5", "drive", "stop 10", "E4", "0"]
    writes = [row.split(",") for row in rows if ",write," in row]
    assert len(writes) == 2 * 4 * 4 and writes[0][2:4] == ["MEM_E5", "32"]


def test_run_gives_json(run, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((4, 64), np.uint8))
    out = run("run", COPY, "--json", "--input", f"x={tmp_path / 'x.npy'}")[1]
    result = json.loads(out)
    assert result["cycles"] == result["predicted"] == 10
    assert result["outputs"]["y"] == [[1] * 64] * 4


BROKEN = "@0 MEM_E0 READ 99999, E4\n"
ERRORS = {
    "no such preset": ("info --config nope", "neither a preset"),
    "no such command": ("frobnicate", "No such command"),
    "no such option": ("info --colour", "No such option"),
    "nothing to assemble": ("asm", "Missing argument"),
    "missing file": ("asm nowhere.takt -o out.img", "nowhere.takt: No such file or directory."),
    "bad text": ("asm bad.takt -c tiny -o out.img", "bad.takt:1:16: READ: addr is 99999"),
    "text is no text": ("asm noise.bin -o out.img", "neither a Takt image nor text"),
    "truncated image": ("dis short.img", "truncated"),
    "damaged image": ("run damaged.img", "CRC"),
    "foreign image": ("run copy.img -c tiny", "this chip is 'tiny'"),
    "output cannot be written": ("asm copy.takt -o nowhere/out.img", "nowhere"),
    "no such region": ("run copy.img --input q=x.npy", "has no input 'q'; it has x."),
    "no such output": ("run copy.img --output q=y.npy", "has no output 'q'; it has y."),
    "not an assignment": ("run copy.img --input x", "NAME=FILE"),
    "no array": ("run copy.img --input x=noise.bin", "no array file of numpy"),
    "empty array": ("run copy.img --input x=empty.npy", "no array file of numpy"),
    "broken archive of arrays": ("run copy.img --input x=broken.npz", "no array file of numpy"),
    "too large": ("run copy.img --input x=large.npy", "takes 4 of 64"),
    "unwritten input": ("run copy.img", "nobody has written"),
    "waves of the golden model": ("run copy.img --waves w.fst", "--on rtl"),
    "no iterations": ("run copy.img --iterations 0", "0 is not in the range"),
}


@pytest.fixture
def folder(run, tmp_path, monkeypatch):
    """A folder with good and broken files, in which commands run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "copy.takt").write_text(COPY.read_text())
    run("asm", "copy.takt", "-o", "copy.img")
    data = (tmp_path / "copy.img").read_bytes()
    (tmp_path / "short.img").write_bytes(data[:20])
    (tmp_path / "damaged.img").write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    (tmp_path / "noise.bin").write_bytes(bytes(range(128, 256)))
    (tmp_path / "bad.takt").write_text(BROKEN)
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04" + bytes(40))
    np.save("large.npy", np.zeros((5, 64), np.uint8))
    return tmp_path


@pytest.mark.parametrize("case", ERRORS)
def test_errors_are_one_sentence(refused, folder, case):
    refused(*ERRORS[case])


def test_the_names_for_users_are_there_and_cheap():
    for name in takt.__all__:
        assert getattr(takt, name).__name__ == name
    code = "import sys, takt; sys.exit(len([m for m in sys.modules if m in ('numpy', 'amaranth', 'click')]))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_verilog_writes_the_package(run, tmp_path):
    status, out, _ = run("verilog", "--config", "tiny", "-o", tmp_path / "made" / "here")
    assert status == 0
    assert {file.name for file in (tmp_path / "made" / "here").iterdir()} == {
        *("takt_chip.v", "manifest.json", "takt.core", "waivers.vlt")
    }
    manifest = json.loads((tmp_path / "made" / "here" / "manifest.json").read_text())
    assert f"module {manifest['top']}, {len(manifest['modules'])} modules, {manifest['lines']:,} lines" in out


TINY = """
.config tiny
.input  x, MEM_E0, 4, 2
.output y, MEM_E2, 8, 2
@3 MEM_E0 READ  4, E4 stride=1 REPEAT 1
@5 MEM_E2 WRITE 8, E4 stride=1 REPEAT 1
"""


@pytest.mark.slow
def test_run_on_the_rtl_gives_what_the_golden_model_gives(run, tmp_path):
    (tmp_path / "copy.takt").write_text(TINY)
    np.save(tmp_path / "x.npy", np.arange(16, dtype=np.uint8).reshape(2, 8))
    results = {}
    for machine in ("golden", "rtl"):
        trace = tmp_path / f"{machine}.csv"
        source = ("--input", f"x={tmp_path / 'x.npy'}", "--trace", trace)
        status, out, err = run("run", tmp_path / "copy.takt", "--on", machine, "--json", *source)
        assert status == 0, err
        results[machine] = json.loads(out)["outputs"], json.loads(out)["cycles"], trace.read_text()
    assert results["golden"] == results["rtl"]
