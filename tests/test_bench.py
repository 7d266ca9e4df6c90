"""The bench: which figures there are, what a row looks like, and that goals are judged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: Read by others; they stay as they are.
KEYS = """
digits.accuracy digits.accuracy_float digits.cycles_predicted digits.cycles_measured mxm.stream_utilisation
gemm.512.small gemm.2560.full duel.64 duel.128 duel.256 duel.gemv256 mxm.full_weight_load sim.small_cps
sim.plane_cps golden.small_cps export.full_s export.full_lines setup.cold_s setup.warm_s
llama.cycles_predicted llama.cycles_measured llama.shipped.fp16 llama.shipped.int8 llama.260k.fp16 llama.260k.int8
llama.shipped.full llama.260k.exact llama.260k.int8_agree llama.rtl_tps llama.golden_tps ffn.decode ffn.prefill128
dense.autoencoder compile.260k_s compile.scaling onnx.passed onnx.failed
llama.chips dense.chips llama.chips_pay
link.efficiency link.hop_cycles link.forward_cycles link.errors link.heavy
net.p2p net.allreduce.8k net.allreduce.64k net.264 net.10440 net.10440.nodes net.schedule
net.allreduce.run
""".split()


def python(*arguments):
    """Runs Python on this repository, installed or not."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def bench(*options):
    return python("scripts/bench.py", *options)


def rows(path):
    return {row["key"]: row for row in json.loads(path.read_text())}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """The file after the cheapest figure was measured."""
    path = tmp_path_factory.mktemp("bench") / "bench.json"
    done = bench("--only", "mxm.full_weight_load", "--check", "--output", str(path))
    assert done.returncode == 0, done.stderr
    assert "mxm.full_weight_load" in done.stdout
    return path


def test_every_key_is_in_the_file(loaded):
    found = json.loads(loaded.read_text())
    assert sorted(row["key"] for row in found) == sorted(KEYS)
    for row in found:
        assert list(row) == ["key", "value", "unit", "yardstick", "goal", "met"]
        assert row["unit"] and isinstance(row["yardstick"], dict)


def test_what_was_not_measured_has_neither_value_nor_verdict(loaded):
    assert all(
        row["value"] is None and row["met"] is None
        for key, row in rows(loaded).items()
        if key != "mxm.full_weight_load"
    )


def test_all_planes_load_in_the_cycles_of_the_published_chip(loaded):
    row = rows(loaded)["mxm.full_weight_load"]
    assert row["met"] is True and row["value"] < 40
    # 20 superlanes
    assert row["yardstick"]["stagger"] == 19


def test_other_rows_stay_when_one_is_measured(loaded, tmp_path):
    path = tmp_path / "bench.json"
    found = json.loads(loaded.read_text())
    for row in found:
        if row["key"] == "duel.64":
            row["value"], row["met"] = 331, True
        if row["key"] == "mxm.full_weight_load":
            row["value"], row["met"] = 99, False
    path.write_text(json.dumps(found))
    assert bench("--only", "mxm.full_weight_load", "--output", str(path)).returncode == 0
    assert rows(path)["duel.64"]["value"] == 331
    assert rows(path)["mxm.full_weight_load"] == rows(loaded)["mxm.full_weight_load"]


def test_an_unknown_key_is_refused():
    done = bench("--only", "duel.65")
    assert done.returncode == 2 and "duel.65" in done.stderr


JUDGE = """
import sys
sys.path.insert(0, "scripts")
from figures.figure import Bound, Figure, Found


def fails():
    raise RuntimeError("The simulator is gone.")


found = Found(100, {"memory": 9, "plane": 1000, "predicted": [1, 2]})
cases = [
    (Bound("<=", 100), True),
    (Bound("<", 100), False),
    (Bound(">=", "plane", share=0.1), True),
    (Bound(">=", "plane", share=0.11), False),
    (Bound("<=", 8, of="memory"), False),
]
for bound, met in cases:
    row = Figure("a.key", "s", lambda: found, (Bound(">=", 1), bound)).row()
    assert row["value"] == 100 and row["met"] is met, (str(bound), row)
assert Figure("a.key", "s", lambda: found).row()["met"] is None
row = Figure("a.key", "s", fails, (Bound("<=", 100),)).row()
assert row["value"] is None and row["met"] is False
assert row["yardstick"] == {"error": "The simulator is gone."} and row["goal"] == "<= 100"
"""


def test_goals_are_judged_and_a_failed_measurement_is_unmet():
    done = python("-c", JUDGE)
    assert done.returncode == 0, done.stderr


BOUNDS = """
import sys
sys.path.insert(0, "scripts")
from figures import dense, ffn
from sw.arch.config import load

small = load("small")
# tiles: 10 x 2, 2 x 2 six times, 2 x 1 and 1 x 2, 2 x 10; four beats each, two planes
assert dense.weight_bandwidth(small) == (20 + 24 + 2 + 2 + 20) * 4 // 2
# a layer: ABC 7, ACC 7, 7 stops on, CONVERT 4, MUL 4, RELU 1, CONVERT 7; 7 stops between layers; ADD in all but one;
# READ 2 and one stop on; WRITE and HALT
assert dense.dependency_latency(small) == 10 * 37 + 9 * 7 + 9 + 3 + 2
chip = ffn.chip()
assert chip.vl == 32 and chip.mxm.west + chip.mxm.east == 4
"""


def test_bounds_of_dense_layers_are_those_worked_out_by_hand():
    done = python("-c", BOUNDS)
    assert done.returncode == 0, done.stderr
