"""Clock gates: a unit that has nothing to do stands still, which saves its power and its time in simulation."""

from dataclasses import astuple, dataclass
from importlib import resources
from typing import Protocol, runtime_checkable

from amaranth.hdl import (
    Cat,
    ClockDomain,
    ClockSignal,
    DomainRenamer,
    Elaboratable,
    Instance,
    Module,
    ResetSignal,
    Signal,
    Value,
)

from sw.arch.config import Config
from sw.isa.table import TABLE, timings

_GATE = resources.files("hdl.lib") / "verilog" / "takt_clock_gate.v"


def longest(c: Config, cls: str) -> int:
    """Cycles from issue to the last event of any instruction of a queue class."""
    rows = (instr for instr in TABLE if instr.cls == cls)
    return max(cycles or 0 for timing in timings(c, rows) for cycles in astuple(timing))


@dataclass(frozen=True)
class Awake:
    """When a unit has something to do.

    by : values in it; in a cycle in which any bit of them is set it must not stand still
    cycles : number of cycles after such a one in which its registers may still change
    """

    by: tuple[Value, ...]
    cycles: int


@runtime_checkable
class Sleeper(Protocol):
    """A unit that may stand still."""

    awake: Awake


class Gated(Elaboratable):
    """`unit`, a Sleeper, under a clock of its own that runs while it is awake or reset."""

    def __init__(self, unit: Sleeper):
        self._unit = unit

    def elaborate(self, platform):
        m = Module()
        m.domains.awake = ClockDomain("awake", local=True)
        when = self._unit.awake
        awake = Cat(when.by).any()
        if when.cycles:
            lingering = Signal(when.cycles)
            m.d.sync += lingering.eq(Cat(awake, lingering)[: len(lingering)])
            awake = awake | lingering.any()
        platform.primitives["takt_clock_gate"] = _GATE.read_text()
        m.submodules.gate = Instance(
            "takt_clock_gate",
            i_clk=ClockSignal(),
            i_en=awake | ResetSignal(),
            o_gclk=ClockSignal("awake"),
        )
        m.d.comb += ResetSignal("awake").eq(ResetSignal())
        m.submodules.unit = DomainRenamer("awake")(self._unit)
        return m
