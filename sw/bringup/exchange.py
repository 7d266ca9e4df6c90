"""A random vector over every link of a system: what its links are tried with."""

from collections.abc import Sequence

import numpy as np

from sw.arch.links import frame_words
from sw.arch.system import Link
from sw.asm.flow import arrival, read_time
from sw.asm.program import Program
from sw.network.start import Start

#: Where a memory slice next to the ports holds what is sent, and where one further in keeps what comes.
_SENT, _KEPT = "{}0", "{}1"


class Exchange:
    """Sends a random vector over every link in use, one after the other where they would meet in a chip.

    `expected` are (chip, name of its output, vector); `end` is the system time in which all have been written.
    """

    def __init__(self, start: Start, programs: Sequence[Program], time: int, seed: int, addr: int = 0):
        self.expected: list[tuple[int, str, np.ndarray]] = []
        self.end = time
        self._start, self._programs, self._seed, self._addr = start, programs, seed, addr
        self._random = np.random.default_rng(seed)
        self._config = start.system.config
        self._sending: dict[tuple[int, str], set[int]] = {}
        self._taking: dict[tuple[int, str], set[int]] = {}
        for number, link in enumerate(start.links):
            self._send(link, number, time + 40)

    def _send(self, link: Link, number: int, time: int) -> None:
        words = range(-frame_words(self._config), frame_words(self._config) + 1)
        out, into = ((port.chip, self._side(port.number)) for port in (link.source, link.target))
        sending, taking = self._sending.setdefault(out, set()), self._taking.setdefault(into, set())
        while time in sending or not taking.isdisjoint(time + link.latency + k for k in words):
            time += 1
        vector = self._random.integers(0, 256, self._config.vl, np.uint8)
        self._leave(link, number, time, vector, self._addr + len(sending))
        self._come(link, number, time + link.latency, vector, self._addr + len(taking))
        sending.add(time)
        taking.add(time + link.latency)

    def _leave(self, link: Link, number: int, time: int, vector: np.ndarray, addr: int) -> None:
        chip, side = link.source.chip, self._side(link.source.number)
        program, cycle, name = self._programs[chip], self._start.cycle(chip, time), _SENT.format(side)
        program.data(name, addr, vector)
        program.at(read_time(self._config, f"MEM_{name}", f"C2C_{side}", cycle)).mem(name).read(addr, f"{side}3")
        program.at(cycle).port(link.source.number).send(f"{side}3", number)

    def _come(self, link: Link, number: int, time: int, vector: np.ndarray, addr: int) -> None:
        chip, side = link.target.chip, self._side(link.target.number)
        program, cycle, name = self._programs[chip], self._start.cycle(chip, time), _KEPT.format(side)
        stream = f"{'E' if side == 'W' else 'W'}5"
        entry = program.at(cycle).port(link.target.number).receive(stream, number)
        written = arrival(entry, f"MEM_{name}")
        program.at(written).mem(name).write(addr, stream)
        output = f"{self._seed}_{number}"
        program.output(output, name, addr)
        self.expected.append((chip, output, vector))
        self.end = max(self.end, time + written - cycle + 4)

    def _side(self, port: int) -> str:
        return "W" if port < self._config.c2c.links else "E"

    def wrong(self, chips: Sequence) -> list[str]:
        """The outputs that are not what should have come."""
        found = ((chip, name, data, chips[chip].read(name, 0, 1)) for chip, name, data in self.expected)
        return [f"chip {chip}: {name}" for chip, name, data, got in found if not (got == data).all()]
