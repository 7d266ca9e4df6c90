"""Synthesis for ECP5: memories become block RAM, multipliers DSPs, and sums are right."""

import json

import pytest
from click.testing import CliRunner

from hdl.export import export
from hdl.lib.sram import Sram
from hdl.synth import PART, synthesise
from takt.commands.synth import command


def sizes(component, top):
    """Sizes of a component exported on its own."""
    design = export(component, top)
    (unit,) = synthesise(design.text, top, tuple(design.ports))
    assert (unit.name, unit.instances) == (top, 1)
    return unit.one


def test_an_sram_is_block_ram_alone():
    one = sizes(Sram(1024, 72), "bank")
    assert (one.ram, one.ff, one.dsp) == (4, 0, 0) and one.lut < 8


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
