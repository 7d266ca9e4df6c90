"""Events at places (an ALU, a word, an accumulator row) and times, to be looked up by place and time."""

import numpy as np


class Moments:
    """A set of (place, time), times below `span`; answers are positions in the given arrays."""

    def __init__(self, place: np.ndarray, time: np.ndarray, span: int):
        self._span = span
        keys = place * span + time
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def at(self, place: np.ndarray, time: np.ndarray) -> np.ndarray:
        """The event at each place and time, -1 where there is none."""
        return self._exact(place * self._span + time)

    def before(self, place: np.ndarray, time: np.ndarray) -> np.ndarray:
        """The last event at each place and strictly before each time, -1 where there is none."""
        found = np.searchsorted(self._keys, place * self._span + time) - 1
        if not len(self._keys):
            return found
        return np.where((found >= 0) & (self._keys[found] // self._span == place), self._order[found], -1)

    def twice(self) -> tuple[int, int] | None:
        """Two events at one place and time, if there are any."""
        same = np.flatnonzero(self._keys[1:] == self._keys[:-1])
        return (int(self._order[same[0]]), int(self._order[same[0] + 1])) if same.size else None

    def _exact(self, keys: np.ndarray) -> np.ndarray:
        found = np.searchsorted(self._keys, keys, "right") - 1
        if not len(self._keys):
            return found
        return np.where((found >= 0) & (self._keys[found] == keys), self._order[found], -1)
