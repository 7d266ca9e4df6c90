"""Moments of many places in one sorted array: what happened last, or in between."""

import numpy as np


class Moments:
    """Events, each with a place (a number >= 0) and a time (>= 0, below `horizon`)."""

    def __init__(self, place: np.ndarray, time: np.ndarray, horizon: int):
        self._horizon = horizon
        key = place * horizon + time
        self._order = np.argsort(key, kind="stable")
        self._key, self._place = key[self._order], place[self._order]

    def last_before(self, place: np.ndarray, time: np.ndarray) -> np.ndarray:
        """For every question the position of the last event of the place with a time below `time`, or -1."""
        at = self._rank(place, time) - 1
        found = np.full(len(at), -1)
        known = np.flatnonzero(at >= 0)
        known = known[self._place[at[known]] == place[known]]
        found[known] = self._order[at[known]]
        return found

    def at(self, place: np.ndarray, time: np.ndarray) -> np.ndarray:
        """For every question the position of an event of the place at exactly that time, or -1."""
        return self.between(place, time, time + 1)

    def between(self, place: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """For every question the position of an event of the place with start <= time < end, or -1."""
        low, high = self._rank(place, start), self._rank(place, end)
        found = np.full(len(low), -1)
        known = np.flatnonzero(high > low)
        found[known] = self._order[low[known]]
        return found

    def _rank(self, place: np.ndarray, time: np.ndarray) -> np.ndarray:
        return np.searchsorted(self._key, place * self._horizon + np.minimum(time, self._horizon - 1))
