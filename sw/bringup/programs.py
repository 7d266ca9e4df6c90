"""Programs that bring-up runs before anything is known of the links, and to learn of their periods."""

from sw.arch.system import System
from sw.asm.image import Image
from sw.asm.program import Program
from sw.network.start import Start

#: Cycles in which `calling` sends marks, again and again: long enough for all chips to run some of the time together.
_FIRST, _LAST, _EVERY = 500, 4_000, 50


def calling(system: System) -> list[Image]:
    """Sends marks from every port that a link begins at, without waiting for anybody."""
    programs = [Program(system.config) for _ in range(system.chips)]
    for link in system.links:
        mark = programs[link.source.chip].at(_FIRST).port(link.source.number).transmit()
        mark.repeat((_LAST - _FIRST) // _EVERY - 1, _EVERY)
    return _ended(programs, _LAST)


def waiting(system: System, cycles: int) -> list[Image]:
    """Does nothing for so long."""
    return _ended([Program(system.config) for _ in range(system.chips)], cycles)


def calling_in_time(start: Start, patience: int) -> tuple[list[Image], int]:
    """Releases all chips, sends a mark over every link so many cycles later, and goes on for as many; and the system time of
    these marks. Chips that go on by so much later than `start` says hear them in their program all the same."""
    programs, time = [Program(start.system.config) for _ in range(start.system.chips)], start.begin + patience
    for chip, program in enumerate(programs):
        start.write(chip, program)
        start.end(chip, program, time + patience)
    for link in start.system.links:
        programs[link.source.chip].at(start.cycle(link.source.chip, time)).port(link.source.number).transmit()
    return [program.image() for program in programs], time


def _ended(programs: list[Program], cycles: int) -> list[Image]:
    for program in programs:
        program.at(cycles).queue(program.floorplan.queues[0].name).halt()
    return [program.image() for program in programs]
