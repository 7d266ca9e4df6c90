"""Coverage of a design whose covered and uncovered places are known."""

import pytest

from tb.coverage import holes, merge, summary
from tb.harness import Sources, build, run

GATE = """
module gate(input clk, input a, input b, output reg q);
  always @(posedge clk) begin
    if (a)
      q <= b;
    else
      q <= 1'b0;
  end
endmodule
"""

BENCH = """
import os

import cocotb
from cocotb.triggers import Timer


@cocotb.test()
async def drive(dut):
    for a in map(int, os.environ["A"]):
        dut.a.value = a
        dut.b.value = 0
        for clk in (0, 1):
            dut.clk.value = clk
            await Timer(1, unit="ns")
"""


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    sources = Sources("gate", {"gate.v": GATE})
    return build(sources, coverage=True, root=tmp_path_factory.mktemp("verilator"))


@pytest.fixture
def drive(gate, tmp_path, monkeypatch):
    (tmp_path / "bench_gate.py").write_text(BENCH)
    monkeypatch.syspath_prepend(tmp_path)
    return lambda a: run(gate, "bench_gate", env={"A": a}, test_dir=tmp_path / a).coverage


def uncovered_branches(hits):
    return {point.what for point in holes(hits) if point.kind == "branch"}


def test_what_never_ran_is_a_hole(drive):
    assert uncovered_branches(merge([drive("11")])) == {"else"}
    assert uncovered_branches(merge([drive("00")])) == {"if"}


def test_runs_add_up(drive):
    ones, zeros = drive("11"), drive("00")
    both = merge([ones, zeros])
    assert not uncovered_branches(both)
    assert sum(both.values()) == sum(merge([ones]).values()) + sum(merge([zeros]).values())


def test_a_signal_that_never_moves_is_a_hole(drive):
    hits = merge([drive("1010")])
    toggled = {point.what for point in hits if point.kind == "toggle" and hits[point]}
    still = {point.what for point in holes(hits) if point.kind == "toggle"}
    assert any(name.startswith("a") for name in toggled)
    assert any(name.startswith("b") for name in still) and not any(name.startswith("b") for name in toggled)
    assert {(module, kind) for module, kind, *_ in summary(hits)} >= {("gate", "toggle")}
