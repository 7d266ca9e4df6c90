"""The harness says no whenever something did not run as it should, and builds nothing twice."""

import re
import textwrap

import pytest

from tb.harness import BuildError, SimulationError, Sources, build, run

COUNTER = """
module step(input clk, input rst, output reg [7:0] q);
  always @(posedge clk) q <= rst ? 8'd0 : q + 8'd1;
endmodule
module counter(input clk, input rst, output [7:0] q);
  wire [7:0] a, b;
  reg [7:0] seen [0:3];
  step one(.clk(clk), .rst(rst), .q(a));
  step two(.clk(clk), .rst(rst), .q(b));
  assign q = a & b;
  always @(posedge clk) seen[q[1:0]] <= q;
endmodule
"""

BENCH = """
import os

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, Timer


async def count(dut, cycles):
    Clock(dut.clk, 10, unit="ns").start()
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    await ClockCycles(dut.clk, cycles)
    await FallingEdge(dut.clk)
    return dut.q.value.to_unsigned()


@cocotb.test()
async def counts(dut):
    assert await count(dut, int(os.environ.get("CYCLES", "10"))) == 10


@cocotb.test()
@cocotb.parametrize(cycles=[3, 300])
async def wraps(dut, cycles):
    assert await count(dut, cycles) == cycles % 256


@cocotb.test(skip="WRONG" not in os.environ)
async def is_wrong(dut):
    assert await count(dut, 10) == 11, "the counter is right"


@cocotb.test(skip=True)
async def hangs(dut):
    while True:
        await Timer(1, unit="ns")


@cocotb.test(skip=True)
async def remembers(dut):
    dut.seen[2].value = 77
    await Timer(1, unit="ns")
    assert dut.seen[2].value.to_unsigned() == 77
"""

SOURCES = Sources("counter", {"counter.v": COUNTER})


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("verilator")


@pytest.fixture(scope="module")
def counter(root):
    return build(SOURCES, root=root)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    (tmp_path / "bench_counter.py").write_text(textwrap.dedent(BENCH))
    monkeypatch.syspath_prepend(tmp_path)
    return "bench_counter"


def test_all_tests_of_a_module_run(counter, bench, tmp_path):
    results = run(counter, bench, test_dir=tmp_path / "run")
    assert results.passed == ("counts", "wraps/cycles=3", "wraps/cycles=300")
    assert "wraps" in results.log.read_text()


def test_a_testcase_is_chosen_by_name(counter, bench, tmp_path):
    assert run(counter, bench, testcase="counts", test_dir=tmp_path / "run").passed == ("counts",)
    assert len(run(counter, bench, testcase="wraps", test_dir=tmp_path / "run").passed) == 2


def test_the_environment_given_beats_the_one_around(counter, bench, tmp_path, monkeypatch):
    monkeypatch.setenv("CYCLES", "11")
    assert run(counter, bench, testcase="counts", env={"CYCLES": "10"}, test_dir=tmp_path / "run").passed


def test_a_failing_test_raises_with_its_message(counter, bench, tmp_path):
    with pytest.raises(SimulationError, match=r"1 of \d tests of bench_counter failed \(is_wrong\)") as error:
        run(counter, bench, env={"WRONG": "1"}, test_dir=tmp_path / "run")
    assert "the counter is right" in str(error.value)


def test_a_failing_test_raises_outside_pytest(counter, bench, tmp_path, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    with pytest.raises(SimulationError, match="is_wrong"):
        run(counter, bench, testcase="is_wrong", env={"WRONG": "1"}, test_dir=tmp_path / "run")


@pytest.mark.parametrize("name", ["count", "no_such_test"])
def test_a_filter_that_leaves_no_test_raises(counter, bench, tmp_path, name):
    with pytest.raises(SimulationError, match=f"No test named {name} in bench_counter ran"):
        run(counter, bench, testcase=name, test_dir=tmp_path / "run")


def test_a_module_that_is_not_there_raises(counter, tmp_path):
    with pytest.raises(SimulationError, match="no_such_module"):
        run(counter, "no_such_module", test_dir=tmp_path / "run")


def test_a_run_that_hangs_is_stopped(counter, bench, tmp_path):
    with pytest.raises(SimulationError, match="did not finish: it was stopped after its limit of 3 s"):
        run(counter, bench, testcase="hangs", test_dir=tmp_path / "run", timeout_s=3)


def test_broken_verilog_raises_with_the_reason(root):
    broken = COUNTER.replace("step two", "stride two")
    with pytest.raises(BuildError, match="counter.v:9.*'stride'"):
        build(Sources("counter", {"counter.v": broken}), root=root)
    with pytest.raises(BuildError):
        build(Sources("counter", {"counter.v": broken}), root=root)


def test_the_same_sources_are_built_once(counter, root):
    executable = counter / "counter"
    built = executable.stat().st_mtime_ns
    assert build(SOURCES, root=root) == counter
    assert executable.stat().st_mtime_ns == built


def test_other_verilog_is_another_build(counter, bench, root, tmp_path):
    by_two = Sources("counter", {"counter.v": COUNTER.replace("8'd1", "8'd2")})
    other = build(by_two, root=root)
    assert other != counter
    with pytest.raises(SimulationError):
        run(other, bench, testcase="counts", test_dir=tmp_path / "run")


def test_a_shared_module_simulates_alike(bench, root, tmp_path):
    apart = build(Sources("counter", {"counter.v": COUNTER}, shared=("step",)), root=root)
    assert len(run(apart, bench, test_dir=tmp_path / "run").passed) == 3


def test_instances_of_a_shared_module_share_their_code(counter, root):
    """The clocked function of `step` is there once, however many instances there are."""
    verilog = COUNTER.replace("step one", "(* keep *) step more [5:0] (.clk(clk), .rst(rst), .q()); step one")
    apart = build(Sources("counter", {"counter.v": verilog}, shared=("step",)), root=root)
    code = "".join(path.read_text() for path in apart.glob("Vtop_step*.cpp"))
    assert code.count("__nba_sequent__") >= 1
    assert len(set(re.findall(r"void (Vtop_step___nba_sequent__\w+)", code))) == 1


def test_a_memory_is_reached_only_when_public(counter, bench, root, tmp_path):
    public = build(SOURCES, public_vars=[("counter", "seen")], root=root)
    run(public, bench, testcase="remembers", test_dir=tmp_path / "public")
    with pytest.raises(SimulationError, match="seen"):
        run(counter, bench, testcase="remembers", test_dir=tmp_path / "private")


def test_waves_hold_the_names_and_need_no_library(bench, root, tmp_path):
    waves = run(
        build(SOURCES, waves=True, root=root), bench, testcase="wraps", test_dir=tmp_path / "run"
    ).waves
    blocks = dict(fst_blocks(waves.read_bytes()))
    assert {HEADER, HIERARCHY} <= blocks.keys()
    names = lz4_block(blocks[HIERARCHY][8:])
    assert len(names) == int.from_bytes(blocks[HIERARCHY][:8], "big")
    assert b"counter\0" in names and b"rst\0" in names and b"two\0" in names


HEADER, HIERARCHY = 0, 6


def fst_blocks(data):
    """(type, contents) of the blocks of an FST file: a type byte, then a length that counts itself."""
    position = 0
    while position < len(data):
        length = int.from_bytes(data[position + 1 : position + 9], "big")
        yield data[position], data[position + 9 : position + 1 + length]
        position += 1 + length


def lz4_block(data):
    """Plain LZ4 block decoder, straight from the format's description."""
    source, out = iter(data), bytearray()

    def length(nibble):
        more = 255 if nibble == 15 else 0
        while more == 255:
            more = next(source)
            nibble += more
        return nibble

    for token in source:
        out += bytes(next(source) for _ in range(length(token >> 4)))
        low = next(source, None)
        if low is None:
            return bytes(out)
        offset = low + 256 * next(source)
        for _ in range(length(token & 15) + 4):
            out.append(out[-offset])
    raise AssertionError("the block does not end with literals")
