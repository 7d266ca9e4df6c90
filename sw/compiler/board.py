"""Who is busy when: the reservations of a schedule, which can be taken back to a mark.

A value that is driven onto a stream stays on one diagonal, cycle - stop eastward and cycle + stop westward; until its
last consumer it owns an interval of stops on it. Everything else (an issue slot, a port of a memory, a result register)
is one number for a unit and a cycle.
"""

from collections.abc import Callable

#: Cycles that a unit's numbers have room for.
SPAN = 1 << 32


class Board:
    """Reservations and the instructions that were issued with them."""

    def __init__(self):
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

    def claim(self, unit: int, cycle: int, value: int = 0) -> bool:
        """Takes a unit's cycle; False if it is taken."""
        key = unit * SPAN + cycle
        if cycle < 0 or key in self._points:
            return False
        self._points[key] = value
        self._log.append(key)
        return True

    def release(self, unit: int, cycle: int) -> None:
        """Gives a unit's cycle back for good, after everything before has been decided."""
        del self._points[unit * SPAN + cycle]

    def free(self, code: int, diagonal: int, low: int, high: int) -> bool:
        """Whether nobody has any of the stops low … high of a diagonal of a stream."""
        return not any(low <= b and a <= high for a, b in self._spans.get((code, diagonal), ()))

    def span(self, code: int, diagonal: int, low: int, high: int) -> bool:
        """Takes stops low … high of a diagonal of a stream; False if any of them is taken."""
        spans = self._spans.setdefault((code, diagonal), [])
        for a, b in spans:
            if low <= b and a <= high:
                return False
        taken = (low, high)
        spans.append(taken)
        self._log.append(lambda: spans.remove(taken))
        return True

    def issue(self, queue: int, cycle: int, name: str, values: dict[str, int]) -> None:
        """Records an instruction whose resources have been claimed."""
        self.issued.append((queue, cycle, name, values))
        self._log.append(self._unissue)

    def _unissue(self) -> None:
        self.issued.pop()
