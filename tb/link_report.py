"""What went wrong on the links of a simulated system, in numbers and sentences."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sw.arch.config import Config
from sw.arch.system import Port, System
from sw.asm.image import Image
from sw.asm.struck import LINK_FAULTS
from sw.asm.timeline import timeline
from sw.machine import Fault, MachineError, Run
from tb.machine import CocotbChip

#: Bit of LINK_STATE: the mark was heard.
_HEARD = 1 << 17


@dataclass(frozen=True)
class LinkCounts:
    """Of one link in one run: bytes that RECEIVE corrected, and frames that were passed on damaged."""

    corrected: int
    damaged: int


@dataclass(frozen=True)
class Failure:
    """A link that failed a chip: its fault, or in `waits` what it waited for in vain."""

    chip: int
    fault: Fault | None
    waits: str = ""

    def __str__(self) -> str:
        return f"Chip {self.chip}: {self.fault or self.waits}"


def counted(chip: CocotbChip, port: int) -> LinkCounts:
    """What a chip counted at a receive port in its last run."""
    chip.request("set_register", "LINK_INDEX", port)
    return LinkCounts(chip.counters(_receiver(chip.config, port)).corrected, chip.register("LINK_DAMAGED"))


def linked(system: System, chip: int, run: Run) -> Run:
    """How a chip's run ended, with the link by name that a fault came from."""
    if not run.fault or not run.fault.struck:
        return run
    link = system.to_port(Port(chip, run.fault.struck.port))
    return replace(run, fault=replace(run.fault, struck=replace(run.fault.struck, link=link)))


def failure(system: System, chips: Sequence[CocotbChip], runs: list[Run], problems: list[str | None]) -> Failure | None:
    """The link that failed first in a run of all chips, if one did. MachineError if a run has no end for another reason."""
    faults = [(chip, run.fault) for chip, run in enumerate(runs) if run.fault and run.fault.kind in LINK_FAULTS]
    if faults:
        chip, fault = min(faults, key=lambda found: found[1].cycle)
        return Failure(chip, fault)
    if any(run.fault for run in runs):
        return None
    late = {chip: problem for chip, problem in enumerate(problems) if problem}
    for chip in late:
        port = _waits_at(chips[chip].image)
        if port is not None:
            chips[chip].request("set_register", "LINK_INDEX", port)
            if not chips[chip].register("LINK_STATE") & _HEARD:
                link = system.to_port(Port(chip, port)) or f"the link to port {port}"
                return Failure(chip, None, f"DESKEW waits for the mark of {link}, which has not come.")
    for chip, problem in late.items():
        raise MachineError(f"Chip {chip}: {problem}")
    return None


def _waits_at(image: Image) -> int | None:
    """The port at whose mark DESKEW waits, if it does."""
    for burst in timeline(image).bursts:
        if burst.word[0].instr.name == "DESKEW" and burst.word[0]["wait"]:
            return burst.queue.unit.hemisphere * image.config.c2c.links + burst.queue.number
    return None


def _receiver(c: Config, port: int) -> str:
    """Name of the queue of a receive port."""
    return f"C2C_{'WE'[port // c.c2c.links]}_RECEIVE{port % c.c2c.links}"
