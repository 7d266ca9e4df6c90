"""Who is busy when: the reservations of a schedule, which can be taken back to a mark.

A value that is driven onto a stream stays on one diagonal, cycle - stop eastward and cycle + stop westward; until its
last consumer it owns an interval of stops on it. Everything else (an issue slot, a port of a memory, a result register)
is one number for a unit and a cycle.
"""

from collections.abc import Callable
from dataclasses import dataclass

#: Cycles that a unit's numbers have room for.
SPAN = 1 << 32


@dataclass(frozen=True)
class Pauses:
    """Cycles that nobody may have, the last `length` of every `period`: clocks are put right in them, and nothing may be on
    its way meanwhile."""

    period: int
    length: int

    def meets(self, first: int, last: int) -> bool:
        """Whether any of the cycles first … last belongs to a pause."""
        return last % self.period >= self.period - self.length or first // self.period != last // self.period


class Board:
    """Reservations and the instructions that were issued with them; none that meets one of the pauses."""

    def __init__(self, streams: int, pauses: Pauses | None = None):
        self.pauses, self._streams = pauses, streams
        self._points: dict[int, int] = {}
        self._spans: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self._log: list[Callable[[], None] | int] = []
        #: Instructions: (queue index, cycle, name, field values).
        self.issued: list[tuple[int, int, str, dict[str, int]]] = []

    def mark(self) -> int:
        """The present state, to come back to."""
        return len(self._log)

    def undo(self, mark: int) -> None:
        """Takes back everything since the mark."""
        while len(self._log) > mark:
            entry = self._log.pop()
            if isinstance(entry, int):
                del self._points[entry]
            else:
                entry()

    def on_undo(self, action: Callable[[], None]) -> None:
        """What to do when this moment is taken back."""
        self._log.append(action)

    def held(self, unit: int, cycle: int) -> int | None:
        """What a unit's cycle was claimed with, or None."""
        return self._points.get(unit * SPAN + cycle)

    def open(self, unit: int, cycle: int) -> bool:
        """Whether a unit's cycle could be claimed."""
        return not (cycle < 0 or unit * SPAN + cycle in self._points or (self.pauses and self.pauses.meets(cycle, cycle)))

    def claim(self, unit: int, cycle: int, value: int = 0) -> bool:
        """Takes a unit's cycle; False if it cannot be."""
        if not self.open(unit, cycle):
            return False
        key = unit * SPAN + cycle
        self._points[key] = value
        self._log.append(key)
        return True

    def release(self, unit: int, cycle: int) -> None:
        """Gives a unit's cycle back for good, after everything before has been decided."""
        del self._points[unit * SPAN + cycle]

    def free(self, code: int, diagonal: int, low: int, high: int) -> bool:
        """Whether stops low … high of a diagonal of a stream could be taken."""
        if any(low <= b and a <= high for a, b in self._spans.get((code, diagonal), ())):
            return False
        return not (self.pauses and self.pauses.meets(*self._stands(code, diagonal, low, high)))

    def span(self, code: int, diagonal: int, low: int, high: int) -> bool:
        """Takes stops low … high of a diagonal of a stream; False if any of them cannot be."""
        if not self.free(code, diagonal, low, high):
            return False
        spans, taken = self._spans.setdefault((code, diagonal), []), (low, high)
        spans.append(taken)
        self._log.append(lambda: spans.remove(taken))
        return True

    def _stands(self, code: int, diagonal: int, low: int, high: int) -> tuple[int, int]:
        """The first and the last cycle in which a value stands at stops low … high."""
        return (diagonal + low, diagonal + high) if code < self._streams else (diagonal - high, diagonal - low)

    def issue(self, queue: int, cycle: int, name: str, values: dict[str, int]) -> None:
        """Records an instruction whose resources have been claimed."""
        self.issued.append((queue, cycle, name, values))
        self._log.append(self._unissue)

    def _unissue(self) -> None:
        self.issued.pop()
