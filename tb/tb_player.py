"""Runs a bench that plays a file by itself until it says that it is done."""

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def play(dut):
    dut.rst.value = 1
    Clock(dut.clk, 10, unit="ns").start()
    await ClockCycles(dut.clk, 2)
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    await RisingEdge(dut.done)
