"""Directed programs: experiments one after the other, as many to a program as its queues and memories hold."""

from collections.abc import Callable, Iterable

import numpy as np

from sw.arch.config import Config
from sw.asm.program import Program
from sw.isa.codec import make

#: Longest burst of vectors that `Stage.bring` stores.
BURST = 18
#: Cycles before the first operand of an experiment, and after its last word: longer than any stream or result lives.
LEAD, TAIL = 40, 80


class Full(Exception):
    """The program has no room for this experiment."""


class Stage:
    """A program under construction; `now` is the cycle in which the operands of the next experiment stand."""

    def __init__(self, c: Config):
        self.config, self.program, self.now = c, Program(c), LEAD
        self.plan = self.program.floorplan
        self.full = (1 << c.superlanes) - 1
        #: (slice, contents) -> address; slice -> first free word.
        self._stored: dict[tuple[str, bytes], int] = {}
        self._free: dict[str, int] = {}
        self._owned: set[str] = set()

    def put(self, queue: str, cycle: int, name: str, copies: int = 0, gap: int = 1, **fields) -> None:
        """An instruction and its copies."""
        entry = self.program.place(self.program.queue(queue), cycle, make(name, **fields))
        if copies:
            entry.repeat(copies, gap)

    def own(self, name: str) -> None:
        """Fills a slice with numbers and keeps it for the experiments that own it; Full if others use it."""
        if name in self._free:
            raise Full
        if name not in self._owned:
            self._owned.add(name)
            words, lanes = np.arange(self.config.mem.words), np.arange(self.config.vl)
            self.program.data(name, 0, (words[:, None] * 5 + lanes * 3 & 255).astype(np.uint8))

    def upstream(self, unit: str, code: int) -> list[str]:
        """The slices from which a stream reaches a unit, nearest first."""
        stop, sign = self.plan.unit(unit).stop, -1 if code >= self.config.streams else 1
        slices = [s for s in self.plan.slices if sign * (stop - s.stop) > 0]
        return [s.name for s in sorted(slices, key=lambda s: abs(stop - s.stop))]

    def bring(self, unit: str, code: int, cycle: int, vectors, gap: int = 1) -> None:
        """READs by which row k of `vectors` (uint8 [n, VL]) stands on a stream at the unit in cycle + k*gap; Full if
        no slice upstream is free."""
        rows = np.atleast_2d(np.asarray(vectors, np.uint8))
        for name in self.upstream(unit, code):
            start = cycle - 1 - self.plan.hops(self.plan.unit(name), self.plan.unit(unit))
            words = self.program.entries[name].values()
            if name in self._owned or any(e.time <= start + (len(rows) - 1) * gap and e.last >= start for e in words):
                continue
            addr = self._store(name, rows)
            if addr is not None:
                self.put(name, start, "READ", len(rows) - 1, gap, addr=addr, stream=code, stride=int(len(rows) > 1))
                return
        raise Full

    def bring_group(self, unit: str, code: int, cycle: int, elements, size: int, gap: int = 1) -> None:
        """`bring` of elements [n, VL], low byte on the lowest of `size` streams."""
        numbers = np.asarray(elements, np.int64)
        for k in range(size):
            self.bring(unit, code + k, cycle, numbers >> 8 * k & 255, gap)

    def mask(self, queue: str, mask: int, first: int, last: int) -> None:
        """Powers only some superlanes of a queue for its words from cycle `first` to `last`."""
        if mask != self.full:
            self.put(queue, first - 1, "CONFIG", mask=mask)
            self.put(queue, last + 1, "CONFIG", mask=self.full)

    def _store(self, name: str, rows: np.ndarray) -> int | None:
        """Address of these rows in a slice; None if they do not fit between the edges of its banks."""
        key = name, rows.tobytes()
        if key not in self._stored:
            bank, words = self.config.bank_words, self.config.mem.words
            addr = self._free.get(name, 1)
            if addr < bank - 1 < addr + len(rows):
                addr = bank + 1
            if addr + len(rows) > words - 1:
                return None
            self.program.data(name, addr, rows)
            self._stored[key], self._free[name] = addr, addr + len(rows)
        return self._stored[key]

    def add(self, experiment: Callable[["Stage"], None]) -> None:
        """Runs an experiment, which schedules its words around `now`; Full if they are too many."""
        experiment(self)
        if any(len(words) > self.config.queue_words for words in self.program.lowered().values()):
            raise Full
        entries = [e for words in self.program.entries.values() for e in words.values()]
        self.now = max((e.last for e in entries), default=0) + LEAD + TAIL


def pack(c: Config, experiments: Iterable[Callable[[Stage], None]]) -> list[Program]:
    """Programs that make all experiments, in order; Full for one that fits into no program."""
    programs, batch = [], []
    for experiment in experiments:
        program = _program(c, [*batch, experiment])
        if program is None:
            programs.append(_program(c, batch))
            batch = []
            if _program(c, [experiment]) is None:
                raise Full
        batch.append(experiment)
    return [*programs, _program(c, batch)]


def _program(c: Config, experiments: list) -> Program | None:
    stage = Stage(c)
    try:
        for experiment in experiments:
            stage.add(experiment)
    except Full:
        return None
    return stage.program
