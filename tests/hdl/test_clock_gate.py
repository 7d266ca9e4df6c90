"""A gated unit answers as an ungated one, cycle for cycle, and stands still when it has nothing to do."""

from pathlib import Path

import pytest

import hdl.lib
from tb.harness import Sources, build, run

GATE = (Path(hdl.lib.__file__).parent / "verilog" / "takt_clock_gate.v").read_text()

UNIT = """
module unit(input clk, input rst, input valid, input [31:0] a, output reg out_valid, output reg [31:0] out,
            output reg [15:0] edges);
  reg v0;
  reg [31:0] square;
  always @(posedge clk) begin
    v0 <= rst ? 1'b0 : valid;
    out_valid <= rst ? 1'b0 : v0;
    square <= a * a;
    out <= square ^ {out[0], out[31:1]} & {32{out_valid}};
    edges <= rst ? 16'd0 : edges + 16'd1;
  end
endmodule
module gated(input clk, input rst, input valid, input [31:0] a, output out_valid, output [31:0] out,
             output [15:0] edges);
  wire gclk;
  reg busy;
  always @(posedge clk) busy <= valid;
  takt_clock_gate gate(.clk(clk), .en(rst | valid | busy | out_valid), .gclk(gclk));
  unit it(.clk(gclk), .rst(rst), .valid(valid), .a(a), .out_valid(out_valid), .out(out), .edges(edges));
endmodule
module top(input clk, input rst, input valid, input [31:0] a,
           output reg [15:0] wrong, output reg [15:0] answers, output [15:0] edges, output [15:0] all_edges);
  reg v;
  reg [31:0] x;
  wire ov0, ov1, ov2;
  wire [31:0] o0, o1, o2;
  always @(posedge clk) begin
    v <= valid & ~rst;
    x <= a;
    answers <= rst ? 16'd0 : answers + {15'd0, ov0};
    wrong <= rst ? 16'd0 : wrong + {15'd0, ov0 != ov1 | ov0 != ov2 | ov0 & (o0 != o1 | o0 != o2)};
  end
  unit plain(.clk(clk), .rst(rst), .valid(v), .a(x), .out_valid(ov0), .out(o0), .edges(all_edges));
  gated one(.clk(clk), .rst(rst), .valid(v), .a(x), .out_valid(ov1), .out(o1), .edges(edges));
  gated two(.clk(clk), .rst(rst), .valid(v), .a(x), .out_valid(ov2), .out(o2), .edges());
endmodule
"""

BENCH = """
import os
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge


@cocotb.test()
async def random_valid(dut):
    Clock(dut.clk, 10, unit="ns").start()
    dut.valid.value = 0
    dut.a.value = 0
    dut.rst.value = 1
    await ClockCycles(dut.clk, 5)
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    sent = 0
    for _ in range(1000):
        await FallingEdge(dut.clk)
        valid = random.random() < 0.2
        sent += valid
        dut.valid.value = int(valid)
        dut.a.value = random.getrandbits(32)
    dut.valid.value = 0
    await ClockCycles(dut.clk, 100)
    await FallingEdge(dut.clk)
    assert dut.answers.value.to_unsigned() == sent > 100
    assert dut.wrong.value.to_unsigned() == 0
    edges, all_edges = dut.edges.value.to_unsigned(), dut.all_edges.value.to_unsigned()
    if "GATED" in os.environ:
        assert sent <= edges < 0.7 * all_edges
    else:
        assert edges == all_edges
"""


@pytest.mark.parametrize("how", ["plain", "shared"])
@pytest.mark.parametrize("gated", [True, False])
def test_gated_units_answer_alike(tmp_path, monkeypatch, how, gated):
    sources = Sources(
        "top",
        {"gate.v": GATE, "top.v": UNIT},
        shared=("unit",) if how == "shared" else (),
        defines=("TAKT_GATED_CLOCKS",) if gated else (),
    )
    (tmp_path / "bench_gate.py").write_text(BENCH)
    monkeypatch.syspath_prepend(tmp_path)
    run(build(sources), "bench_gate", env={"GATED": "1"} if gated else {}, test_dir=tmp_path / "run")
