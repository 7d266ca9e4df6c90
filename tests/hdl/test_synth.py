"""Synthesis for ECP5: memories become block RAM, multipliers DSPs, wide choices wide multiplexers; sums are right."""

import json

import pytest
from click.testing import CliRunner

from hdl.export import export
from hdl.lib.slots import Pick
from hdl.lib.sram import Sram
from hdl.mxm.column import SupercellColumn
from hdl.mxm.shape import Shape
from hdl.synth import PART, Sizes, Synthesis
from sw.arch.config import load
from takt.commands.synth import command


def sizes(component, top):
    """Sizes of a component exported on its own, with all that it contains."""
    return Synthesis(export(component, top).text, top, (top,)).unit(top).one


def test_an_sram_is_block_ram_alone():
    one = sizes(Sram(1024, 72), "bank")
    assert (one.ram, one.ff, one.dsp) == (4, 0, 0) and one.lut < 8


def test_products_of_bytes_are_dsps():
    """A column of the matrix plane: a multiplier for each lane, weights, a sum and the chain in registers."""
    shape = Shape.of(load("fpga"))
    one = sizes(SupercellColumn(shape), "column")
    assert (one.dsp, one.ram) == (shape.lanes, 0)
    assert one.ff == 8 * shape.lanes + shape.int8_sum_bits + shape.int8_bits


def test_a_word_of_sixteen_takes_eight_luts_a_bit():
    unit = Pick(8, 8)
    assert Synthesis(unit.text(), unit.name, (unit.name,)).unit(unit.name).one == Sizes(lut=64)


def test_units_are_counted_apart_and_parts_inside_them():
    text = """
    module half(input clk, input [7:0] d, output reg [7:0] q); always @(posedge clk) q <= d; endmodule
    module inner(input clk, input [7:0] d, output [7:0] q); half part(.clk(clk), .d(d), .q(q)); endmodule
    module outer(input clk, input [7:0] d, output [7:0] q, output [3:0] r);
      wire [7:0] a, b;
      inner first(.clk(clk), .d(d), .q(a));
      inner second(.clk(clk), .d(8'd0), .q(b));
      assign q = a ^ ~b;
      half third(.clk(clk), .d(d), .q(r));
    endmodule
    """
    synthesis = Synthesis(text, "outer", ("outer", "inner"))
    assert synthesis.instances == {"outer": 1, "inner": 2}
    assert synthesis.unit("inner").one == Sizes(ff=8)
    outer = synthesis.unit("outer").one
    assert outer == Sizes(lut=8, ff=4)


@pytest.mark.slow
def test_fpga_leaves_room_on_its_part():
    done = CliRunner().invoke(command, ["--config", "fpga", "--json"])
    assert done.exit_code == 0, done.output
    known = json.loads(done.stdout)
    assert known["tight"] == []
    assert all(known["whole"][kind] <= 0.85 * limit for kind, limit in PART.items())
    units = known["units"]
    assert units["mem_bank"]["each"]["ram"] > 0 and units["mem_bank"]["each"]["ff"] == 0
    for kind in PART:
        assert known["whole"][kind] == sum(u["instances"] * u["each"][kind] for u in units.values())
