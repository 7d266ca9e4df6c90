"""A timeline as flat arrays: every instance of every instruction, in numpy instead of objects.

An *entry* is one instruction of one burst, a *node* one of its issues. Nodes of an entry have consecutive
numbers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import Queue
from sw.arch.stream import Stream
from sw.asm.burst import Burst
from sw.isa.spec import Op, Timing


@dataclass(frozen=True, slots=True)
class Entry:
    """One instruction of one burst; `codes` and `driven` are the streams it reads and drives, one by one."""

    queue: Queue
    op: Op
    burst: Burst
    timing: Timing
    codes: tuple[int, ...]
    driven: tuple[int, ...]


def _single(groups) -> tuple[int, ...]:
    return tuple(first + j for first, count in groups for j in range(count))


def fan(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For groups of these sizes laid end to end: the group of every member, and its number within it."""
    group = np.repeat(np.arange(len(counts)), counts)
    return group, np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)


class Ports:
    """One row per stream register that a node reads (or drives): who, which stream, where and when."""

    def __init__(self, counts, width, codes, stop, start, gap, first_node):
        self.first = np.cumsum(counts * width) - counts * width
        self.width = width
        self.entry, local = fan(counts * width)
        per = width[self.entry]
        copy, j = local // per, local % per
        flat = np.array([code for group in codes for code in group], np.int64)
        self.code = flat[(np.cumsum(width) - width)[self.entry] + j]
        self.stop = stop[self.entry]
        self.cycle = start[self.entry] + gap[self.entry] * copy
        self.node = first_node[self.entry] + copy


class Events:
    """All nodes of a program.

    `issue` and `entry` are arrays over nodes; `count`, `first` (node) and `mask` are arrays over entries;
    `uses` and `drives` are the stream registers that they read and drive.
    """

    def __init__(self, config: Config, bursts: Iterable[Burst]):
        self.config = config
        self.entries = [
            Entry(b.queue, op, b, op.timing(config), _single(op.reads(config)), _single(op.drives(config)))
            for b in bursts
            for op in b.word
        ]
        entries = self.entries
        self.count = self._column(lambda e: e.burst.count)
        start, gap = self._column(lambda e: e.burst.start), self._column(lambda e: e.burst.gap)
        self.full = (1 << config.superlanes) - 1
        self.mask = self._column(lambda e: e.burst.mask & self.full)
        self.first = np.cumsum(self.count) - self.count
        self.entry, copy = fan(self.count)
        self.issue = start[self.entry] + gap[self.entry] * copy
        stop = self._column(lambda e: e.queue.unit.stop)
        skew = self._column(lambda e: e.timing.d_skew or 0)
        func = self._column(lambda e: e.timing.d_func or 0)
        self.uses = Ports(
            self.count, self._column(lambda e: len(e.codes)), [e.codes for e in entries], stop,
            start + skew, gap, self.first,
        )
        self.drives = Ports(
            self.count, self._column(lambda e: len(e.driven)), [e.driven for e in entries], stop,
            start + func, gap, self.first,
        )
        self.drives.stop = self.drives.stop + np.where(self.drives.code >= config.streams, -1, 1)
        #: More than any cycle in which a program of these events does anything.
        latest = self._column(lambda e: max(filter(None, vars(e.timing).values()), default=0))
        self.horizon = 2 + int(max([0, *(start + self.count * gap + latest)]))

    def __len__(self) -> int:
        return len(self.issue)

    def _column(self, of: Callable[[Entry], int]) -> np.ndarray:
        return np.array([of(entry) for entry in self.entries], np.int64)

    def select(self, *names: str) -> "Selection":
        """The nodes of the instructions with these names."""
        return Selection(self, [i for i, entry in enumerate(self.entries) if entry.op.instr.name in names])

    def of_class(self, *classes: str) -> "Selection":
        """The nodes of the queues of these classes, instruction control left out."""
        return Selection(
            self,
            [
                i
                for i, entry in enumerate(self.entries)
                if entry.queue.cls in classes and entry.op.instr.slot != "icu"
            ],
        )

    def where(self, node: int) -> str:
        """A node in words, for errors."""
        entry = self.entries[self.entry[node]]
        return f"{entry.op.instr.name} of queue {entry.queue.name} at cycle {self.issue[node]}"

    def stream(self, code: int) -> str:
        """A stream's name, for errors."""
        return str(Stream.of(int(code), self.config.streams))


class Selection:
    """Some entries of a program and all of their nodes; arrays over these nodes."""

    def __init__(self, events: Events, entries: list[int]):
        self.events = events
        self.index = np.array(entries, np.int64)
        self.entries = [events.entries[i] for i in entries]
        self._counts = events.count[self.index]
        group, self.copy = fan(self._counts)
        self.entry = self.index[group]
        self.node = events.first[self.entry] + self.copy
        self.issue = events.issue[self.node]
        self.mask = events.mask[self.entry]

    def __len__(self) -> int:
        return len(self.node)

    def each(self, of: Callable[[Entry], int]) -> np.ndarray:
        """A property of the entry, for every node."""
        return np.repeat(np.array([of(entry) for entry in self.entries], np.int64), self._counts)

    def field(self, name: str) -> np.ndarray:
        """A field of the instruction, advanced by REPEAT; 0 where a row does not have it."""
        value = self.each(lambda e: e.op.values.get(name, 0))
        stride = self.each(lambda e: e.op.values.get(dict(e.op.instr.strides).get(name), 0))
        return value + stride * self.copy

    def operand(self, j: int) -> np.ndarray:
        """Number in `events.uses` of each node's operand j; only for nodes that have one."""
        uses = self.events.uses
        return uses.first[self.entry] + self.copy * uses.width[self.entry] + j

    def result(self, j: int) -> np.ndarray:
        """Number in `events.drives` of each node's driven stream j; only for nodes that have one."""
        drives = self.events.drives
        return drives.first[self.entry] + self.copy * drives.width[self.entry] + j
