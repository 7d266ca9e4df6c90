"""Runs a bench whose parts each have a clock of their own, until all say that they are done."""

import os

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

#: Periods of all clocks in ps, in the environment.
PERIODS = "TAKT_PERIODS_PS"


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def play(dut):
    periods = [int(period) for period in os.environ[PERIODS].split()]
    dut.rst.value = 1
    for k, period in enumerate(periods):
        Clock(getattr(dut, f"clk_{k}"), period, unit="ps").start()
    await Timer(4 * max(periods), unit="ps")
    dut.rst.value = 0
    await RisingEdge(dut.done)
