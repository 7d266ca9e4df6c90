"""Which drive every operand comes from, found from timing alone.

A value lives on a diagonal of space and time from the register that its producer drives downstream, until a
later driver of the same stream replaces it. Westward streams are mirrored, so that all flow goes to higher
positions.
"""

import numpy as np

from sw.arch.floorplan import floorplan
from sw.golden.error import GoldenError
from sw.golden.events import Events
from sw.golden.graph import Graph
from sw.golden.merge import Merges


class Streams:
    """`row[u]` is the row that operand u (of `events.uses`) takes."""

    def __init__(self, events: Events, graph: Graph, merges: Merges):
        self._events = events
        self._stops = len(floorplan(events.config).stops)
        drives, uses = events.drives, events.uses
        keys = self._key(drives.code, drives.stop, drives.cycle)
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        #: Row that stands behind a drive, which differs from its own if only some superlanes drove.
        self._public = np.arange(len(keys))
        #: Superlanes in which it is a value that somebody drove.
        self._valid = np.full(len(keys), events.full)
        self._check_conflicts()
        self._merge_masked(merges)
        self.row = self.find(uses.code, uses.stop, uses.cycle)
        self._check_uses()
        graph.need(self.row, uses.node)

    def find(self, code: np.ndarray, stop: np.ndarray, cycle: np.ndarray) -> np.ndarray:
        """The rows that stand on these streams at these stops in these cycles, -1 where nobody drove."""
        return np.append(self._public, -1)[self._latest(self._key(code, stop, cycle))]

    def _key(self, code, stop, cycle) -> np.ndarray:
        """Orders by stream, diagonal and position along the flow."""
        position = np.where(code >= self._events.config.streams, self._stops - 1 - stop, stop) + 1
        diagonal = cycle - position + self._stops + 2
        return (code * (self._events.horizon + 2 * self._stops + 4) + diagonal) * (self._stops + 2) + position

    def _latest(self, key: np.ndarray) -> np.ndarray:
        """The drive at or before each key on its diagonal, or -1."""
        if not len(self._keys):
            return np.full(len(key), -1)
        at = np.searchsorted(self._keys, key, "right") - 1
        same = (at >= 0) & (self._keys[at] // (self._stops + 2) == key // (self._stops + 2))
        return np.where(same, self._order[at], -1)

    def _check_conflicts(self) -> None:
        twice = np.flatnonzero(self._keys[1:] == self._keys[:-1])
        if twice.size:
            a, b = (self._order[twice[0] + i] for i in (0, 1))
            drives = self._events.drives
            raise GoldenError(
                f"{self._events.where(drives.node[a])} and {self._events.where(drives.node[b])} both drive "
                f"{self._events.stream(drives.code[a])} in one cycle."
            )

    def _merge_masked(self, merges: Merges) -> None:
        masks = self._events.mask[self._events.drives.entry]
        for at in np.flatnonzero(masks[self._order] != self._events.full):
            drive = self._order[at]
            older = int(self._latest(self._keys[at : at + 1] - 1)[0])
            mask = int(masks[drive])
            self._public[drive] = merges.add(int(drive), int(self._public[older]) if older >= 0 else -1, mask)
            self._valid[drive] = mask | (self._valid[older] if older >= 0 else 0)

    def _check_uses(self) -> None:
        uses, events = self._events.uses, self._events
        drive = self._latest(self._key(uses.code, uses.stop, uses.cycle))
        valid = np.append(self._valid, 0)[drive]
        bad = np.flatnonzero(events.mask[uses.entry] & ~valid)
        if bad.size:
            use = bad[np.argmin(uses.cycle[bad])]
            raise GoldenError(
                f"{events.where(uses.node[use])} reads {events.stream(uses.code[use])}, "
                f"which nobody drove for stop {uses.stop[use]} in cycle {uses.cycle[use]}."
            )
