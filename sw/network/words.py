"""Which word of a chip's memory a vector lies in, so that no slice is asked for two things at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sw.arch.config import Config
from sw.arch.floorplan import Unit, floorplan
from sw.asm.flow import lead
from sw.network.costs import near


class RoomError(ValueError):
    """A schedule that does not fit a chip; the text names the chip, what is asked of it and what it has."""


@dataclass(frozen=True)
class Drive:
    """A vector on a stream that flows `west` or east, in the register next to `unit` in `cycle`."""

    unit: Unit
    cycle: int
    west: bool

    def at(self, unit: Unit) -> int | None:
        """Cycle in which it stands at another unit's stop; None if it never does."""
        distance = (self.unit.stop - unit.stop) if self.west else (unit.stop - self.unit.stop)
        return self.cycle + distance - 1 if distance > 0 else None


@dataclass(frozen=True)
class Wanted:
    """A vector has to stand at the stop of `unit` in `cycle`, on its way `west` or east; `stream` is its number."""

    unit: Unit
    cycle: int
    west: bool
    stream: int


@dataclass(frozen=True)
class Copy:
    """A vector in a word, written in cycle `written` (None: before anything begins), and what it is read for."""

    slice: Unit
    addr: int
    written: int | None
    wanted: list[Wanted]


class Words:
    """The words and ports of one chip's slices. What is there before lies in the first bank, what is written in the second: so
    reading the one never meets writing the other. A word is taken once, and never given back.

    slices : slices that may be used, all of the chip if None
    """

    def __init__(self, config: Config, slices: Iterable[str] | None = None):
        plan = floorplan(config)
        names = None if slices is None else {f"MEM_{name}" for name in slices}
        self.config = config
        self._slices = [unit for unit in plan.slices if names is None or unit.name in names]
        #: (slice, port of it or its second bank, cycle)
        self._taken: set[tuple[str, str, int]] = set()
        self.given = dict.fromkeys((unit.name for unit in self._slices), 0)
        self.written = dict(self.given)
        self._load = dict(self.given)

    def place(self, drive: Drive | None, wanted: Sequence[Wanted]) -> list[Copy]:
        """Finds words for a vector that is driven, or there before, and read as `wanted` says: one if a slice can do it all.
        At least one. Slices of which less is asked come first, for sums those near the vector unit. RoomError if there
        are none."""
        copies: list[Copy] = []
        left = sorted(wanted, key=lambda one: one.cycle)
        while left or not copies:
            copy = self._copy(drive, left)
            copies.append(copy)
            left = [one for one in left if one not in copy.wanted]
        return copies

    def _copy(self, drive: Drive | None, left: list[Wanted]) -> Copy:
        """A new copy that serves all that is left, or else the first of it and what more it can."""
        best: tuple[list[Wanted], Unit] | None = None
        for unit in sorted(self._slices, key=lambda unit: (self._far(unit, drive), self._load[unit.name])):
            served = self._served(unit, drive, left)
            if served is None or (left and left[0] not in served):
                continue
            if best is None or len(served) > len(best[0]):
                best = (served, unit)
            if len(served) == len(left):
                break
        if best is None:
            what = f"is to stand at {left[0].unit.name} in cycle {left[0].cycle}" if left else "comes"
            raise RoomError(f"no slice has a free port and a free word for a vector that {what}")
        return self._take(best[1], drive, best[0])

    def _far(self, unit: Unit, drive: Drive | None) -> bool:
        """Whether a sum would lie so far from the vector unit that it could not be sent in time by every port."""
        return drive is not None and drive.unit.kind == "VXM" and abs(unit.stop - drive.unit.stop) > near(self.config)

    def _served(self, unit: Unit, drive: Drive | None, left: list[Wanted]) -> list[Wanted] | None:
        """What of `left` a copy in this slice would serve; None if it cannot be there."""
        name, written = unit.name, None
        if drive is None:
            if self.given[name] >= self.config.bank_words:
                return None
        else:
            written = drive.at(unit)
            if written is None or self.written[name] >= self.config.bank_words:
                return None
            if not self._free(name, ("write", "second"), written):
                return None
        served, reads = [], set()
        for one in left:
            read = one.cycle - lead(self.config, unit, one.unit)
            ports = ("read",) if drive is None else ("read", "second")
            late = written is None or read > written
            comes = unit.stop > one.unit.stop if one.west else unit.stop < one.unit.stop
            if late and comes and read not in reads and self._free(name, ports, read):
                served.append(one)
                reads.add(read)
        return served

    def _take(self, unit: Unit, drive: Drive | None, served: list[Wanted]) -> Copy:
        name, count = unit.name, self.given if drive is None else self.written
        addr = count[name] + (0 if drive is None else self.config.bank_words)
        count[name] += 1
        written = None if drive is None else drive.at(unit)
        if written is not None:
            self._taken |= {(name, "write", written), (name, "second", written)}
        for one in served:
            read = one.cycle - lead(self.config, unit, one.unit)
            self._taken.add((name, "read", read))
            if drive is not None:
                self._taken.add((name, "second", read))
        self._load[name] += 1 + len(served)
        return Copy(unit, addr, written, served)

    def _free(self, name: str, ports: Iterable[str], cycle: int) -> bool:
        return not any((name, port, cycle) in self._taken for port in ports)
