"""How a simulated design comes to life."""

from cocotb.clock import Clock
from cocotb.triggers import ClockCycles

RESET_CYCLES = 4


async def power_up(dut) -> None:
    """Starts the clock, a cycle every 10 ns, and holds reset for RESET_CYCLES."""
    Clock(dut.clk, 10, unit="ns").start()
    dut.rst.value = 1
    await ClockCycles(dut.clk, RESET_CYCLES)
    dut.rst.value = 0
