"""How a simulated design comes to life."""

from cocotb.clock import Clock
from cocotb.triggers import ClockCycles

RESET_CYCLES = 4


async def power_up(dut, period_ps: int = 10_000) -> None:
    """Starts the clock, and holds reset for RESET_CYCLES."""
    Clock(dut.clk, period_ps, unit="ps").start()
    dut.rst.value = 1
    await ClockCycles(dut.clk, RESET_CYCLES)
    dut.rst.value = 0
