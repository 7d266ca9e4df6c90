"""How a tile of weights can come into a plane on the board as it is; nothing is reserved."""

from collections.abc import Iterator

from sw.arch.floorplan import Unit
from sw.compiler.chip import Chip
from sw.compiler.route import Router
from sw.compiler.vectors import Copy, Vector
from sw.compiler.ways import QUEUE, READ_ACCESS, READ_ISSUE, WRITE_ACCESS

#: A byte of a column: slice, word, the first cycle in which it can be read, and what to count reads by unless constant.
Byte = tuple[int, int, int, Vector | None, Copy | None]
#: Cycles by which the LWs of a tile may be apart from each other, all together.
GAPS = 32


class Fill:
    """The ways of one tile into a plane, its LWs after cycle `after`, as long as the board stays as it is: each cycle is
    looked at once, however many IWs are tried."""

    def __init__(self, chip: Chip, router: Router, unit: Unit, words: list[list[Byte]], after: int):
        self.chip, self.router, self.board, self.unit, self.after = chip, router, router.board, unit, after
        self._late = chip.timing("IW").d_func
        self._array, self._queue = (QUEUE + chip.queues[f"{unit.name}_{letter}"].index for letter in "AW")
        self._hops = {s: abs(chip.slice_stop[s] - unit.stop) + chip.read_lead for beat in words for s, *_ in beat}
        #: Beats that are read from the same banks are free in the same cycles.
        self._banks = [tuple((s, word // router.bank_words) for s, word, *_ in beat) for beat in words]
        kinds = {banks: number for number, banks in enumerate(dict.fromkeys(self._banks))}
        self._kind = [kinds[banks] for banks in self._banks]
        self._ready = [max(ready + self._hops[s] for s, _, ready, *_ in beat) for beat in words]
        self._codes = self._groups()
        self._opens: dict[tuple[int, int, int], bool] = {}
        self._ways: dict[int, list[tuple[int, int]] | None] = {}

    def first(self, first: int, free: int, limit: int) -> int:
        """The first cycle, from `first` on, for passes before which the tile can come in; `limit` if that is later."""
        return next((at for at in range(first, limit) if next(self.installs(at, free), None) is not None), limit)

    def installs(self, first: int, free: int) -> Iterator[int]:
        """Cycles in which an IW can bring the tile in for passes from cycle `first` on, into an array that is free from
        `free` on: earlier by as much as the LWs of the next tile take, if that can be."""
        beats, last = len(self._kind), first - self._late
        least = max(last - beats, self.after + beats, free - self._late)
        begin = last
        while begin > least and self.board.open(self._array, begin + self._late - 1):
            begin -= 1
        return (install for install in range(max(begin, least), last + 1) if self.way(install) is not None)

    def way(self, install: int) -> list[tuple[int, int]] | None:
        """Cycle and first stream of the LW of every beat, the last beat first, for an IW in a cycle; None if there is none.

        The weights queue has no other words between them.
        """
        if install not in self._ways:
            self._ways[install] = self._way(install)
        return self._ways[install]

    def _way(self, install: int) -> list[tuple[int, int]] | None:
        beats, codes, at, way = len(self._kind), self._codes, install, []
        begin = max(self.after, install - beats - GAPS)
        for beat in reversed(range(beats)):
            code = None
            while code is None:
                if at <= begin or not self.board.open(self._queue, at):
                    return None
                code = next((code for code in codes if self._open(beat, at, code)), None)
                at -= 1
            way.append((at + 1, code))
            codes = [code, *(other for other in codes if other != code)]
        return way

    def _groups(self) -> list[int]:
        """First streams of the groups that bring weights to a plane; those of a neighbour come last."""
        count, streams = self.chip.load_streams, self.chip.config.streams
        base = streams if self.unit.hemisphere == 0 else 0
        codes = list(range(base, base + streams, count))
        return codes[::-1] if self.unit.number % 2 else codes

    def _open(self, beat: int, at: int, code: int) -> bool:
        """Whether a beat can be at the plane in a cycle on the streams from `code` on."""
        if at < self._ready[beat]:
            return False
        key = self._kind[beat], at, code
        if key not in self._opens:
            self._opens[key] = self._free(self._banks[beat], at, code)
        return self._opens[key]

    def _free(self, banks: tuple[tuple[int, int], ...], at: int, code: int) -> bool:
        if len(dict(banks)) < len(banks):
            return False
        board, line, lead, end = self.board, self.router.line, self.chip.read_lead, self.unit.stop
        for j, (s, bank) in enumerate(banks):
            issue, stop = at - self._hops[s], self.chip.slice_stop[s]
            if (
                (stop < end) == (self.unit.hemisphere == 0)
                or not board.open(READ_ISSUE + s, issue)
                or not board.open(READ_ACCESS + s, issue)
                or board.held(WRITE_ACCESS + s, issue) == bank
                or not board.free(*line(code + j, stop, issue + lead + 1, end))
            ):
                return False
        return True
