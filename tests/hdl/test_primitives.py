"""Verilog written by hand means the same to simulators and to synthesis."""

from importlib import resources

import pytest
from pyosys import libyosys as ys

SOURCE = resources.files("hdl.lib") / "verilog" / "takt_overlay.v"


@pytest.mark.parametrize(("width", "slots", "entries"), [(8, 2, 1), (9, 4, 3), (3, 8, 2), (1, 16, 4)])
def test_overlay_is_proven_the_same_in_both_forms(width, slots, entries):
    design = ys.Design()
    for name, define in (("loop", ""), ("select", "-DVERILATOR")):
        for command in (
            f"read_verilog {define} {SOURCE}",
            f"chparam -set WIDTH {width} -set SLOTS {slots} -set ENTRIES {entries} takt_overlay",
            f"rename takt_overlay {name}",
        ):
            ys.Pass.call(design, f"tee -q {command}")
    for command in (
        "proc",
        "opt",
        "miter -equiv -flatten -make_outputs loop select miter",
        "hierarchy -top miter",
        # The registers are equal from the first clock edge on.
        "sat -verify -tempinduct -seq 1 -prove trigger 0 miter",
    ):
        ys.Pass.call(design, f"tee -q {command}")
