"""A cocotb test that holds the inputs of a design and measures how fast it is simulated."""

import json
import os
import time
from pathlib import Path

import cocotb
from cocotb.triggers import ClockCycles

from tb.power_up import power_up

#: Environment variable: JSON of `cycles` and `ports`, name to value.
INPUTS = "TAKT_PLANE_INPUTS"
#: File in the run's directory: cycles per second.
RATE = "rate.txt"


@cocotb.test()
async def rate(dut):
    """Something must be driven, or the plane was idle."""
    given = json.loads(os.environ[INPUTS])
    for name, value in given["ports"].items():
        getattr(dut, name).value = value
    await power_up(dut)
    await ClockCycles(dut.clk, 100)
    assert dut.drive_0__valid.value, "no result is driven"
    begin = time.monotonic()
    await ClockCycles(dut.clk, given["cycles"])
    Path(RATE).write_text(str(given["cycles"] / (time.monotonic() - begin)))
