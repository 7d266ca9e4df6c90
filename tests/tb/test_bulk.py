"""Packets that are sent from within the simulator arrive whole, in order and by the rules, whenever the port pauses."""

import textwrap

from tb.harness import Sources, build, run

SINK = """
module sink(
  input clk, input rst, input [63:0] s_axis_tdata, input [7:0] s_axis_tkeep, input s_axis_tlast, input s_axis_tuser,
  input s_axis_tvalid, output s_axis_tready, output reg [63:0] digest, output reg [15:0] beats, output reg [15:0] packets,
  output reg broken);
  reg [6:0] pauses;
  reg waiting;
  reg [72:0] last;
  wire [72:0] beat = {s_axis_tlast, s_axis_tkeep, s_axis_tdata};
  assign s_axis_tready = pauses[0] | pauses[3];
  always @(posedge clk) begin
    pauses <= {pauses[5:0], pauses[6] ^ pauses[5]};
    waiting <= s_axis_tvalid & ~s_axis_tready;
    last <= beat;
    if (waiting && (!s_axis_tvalid || beat != last)) broken <= 1;
    if (s_axis_tvalid && s_axis_tready) begin
      digest <= {digest[62:0], digest[63]} ^ s_axis_tdata;
      beats <= beats + 1;
      packets <= packets + s_axis_tlast;
      if (s_axis_tkeep != 8'hff) broken <= 1;
    end
    if (rst) begin pauses <= 7'h5a; waiting <= 0; digest <= 0; beats <= 0; packets <= 0; broken <= 0; end
  end
endmodule
"""

BENCH = """
import random

import cocotb
from cocotb.triggers import ClockCycles, with_timeout
from cocotbext.axi import AxiStreamBus, AxiStreamFrame

from tb.bulk import BulkSource
from tb.power_up import power_up


@cocotb.test()
async def packets(dut):
    rng, digest = random.Random(5), 0
    source = BulkSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
    await power_up(dut)
    sizes = (1, 2, 300, 1, 7)
    for beats in sizes:
        data = rng.randbytes(8 * beats)
        await source.send(AxiStreamFrame(data))
        await with_timeout(source.wait(), 20 * beats + 20, "us")
        for k in range(0, len(data), 8):
            digest = (digest << 1 & 2**64 - 1 | digest >> 63) ^ int.from_bytes(data[k : k + 8], "little")
    await ClockCycles(dut.clk, 2)
    assert dut.digest.value.to_unsigned() == digest
    assert dut.beats.value.to_unsigned() == sum(sizes) and dut.packets.value.to_unsigned() == len(sizes)
    assert dut.broken.value == 0
"""


def test_packets_arrive_whole_and_in_order(tmp_path, monkeypatch):
    (tmp_path / "bulk_bench.py").write_text(textwrap.dedent(BENCH))
    monkeypatch.syspath_prepend(tmp_path)
    print("seed 5")
    simulator = build(Sources("sink", {"sink.v": SINK}))
    assert run(simulator, "bulk_bench", test_dir=tmp_path / "run").passed == ("packets",)
