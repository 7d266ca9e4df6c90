"""The templates of indirect access: rows gathered from a table, rows scattered into one, vectors stored at home."""

from sw.compiler.chip import Chip
from sw.compiler.route import Router
from sw.compiler.tasks import Gathering, Scattering, Storing
from sw.compiler.vectors import Copy, Vector


class Tables:
    """Places gathers, scatters and stores."""

    def __init__(self, chip: Chip, router: Router):
        self.chip, self.router, self.board = chip, router, router.board

    def stop(self, task: Gathering | Scattering) -> int:
        """Where the slices stand that a task accesses."""
        at = (0, 0, task.tile) if isinstance(task, Gathering) else task.region
        return self.chip.slice_stop[task.table.regions[at][0][0]]

    def earliest(self, task: Gathering | Scattering) -> int:
        """The first cycle in which the index, and the data, can stand at the table's slices."""
        stop = self.stop(task)
        if isinstance(task, Gathering):
            access = self.chip.timing("GATHER").access
            known = max((copy.ready for v in task.reads for copy in v.copies), default=0)
            return max(known - access, *(self.router.earliest(v, stop) - k for k, v in enumerate(task.index)))
        # After the last read of the rows as they are, and after the scatter that made them so.
        read = max((max(v.last_read + 1, v.copies[0].ready) for v in task.before), default=0)
        arrive = max(self.router.earliest(task.index, stop), self.router.earliest(task.data, stop))
        return max(arrive, read - self.chip.timing("SCATTER").access)

    def gather(self, task: Gathering, start: int) -> bool:
        """Schedules a gather with the first index at the slices in cycle `start`."""
        slices, first = task.table.regions[0, 0, task.tile]
        stop, timing = self.chip.slice_stop[slices[0]], self.chip.timing("GATHER")
        mark = self.board.mark()
        cycles = [start + k for k in range(len(task.index))]
        codes = self._both(2)
        by_map = self.router.bring(task.index, cycles, stop, codes)
        if by_map is None:
            return False
        for s, word in zip(slices, first, strict=True):
            if not all(self.router.claim_read(s, cycle, cycle + timing.access, word) for cycle in cycles):
                self.board.undo(mark)
                return False
        stands = [cycle + timing.d_func for cycle in cycles]
        target = self.router.land(task.outs, self._both(task.outs[0].bytes), stop, stands, task.outs[0].bytes)
        if target is None:
            self.board.undo(mark)
            return False
        for cycle, code in zip(cycles, by_map, strict=True):
            for j, (s, word) in enumerate(zip(slices, first, strict=True)):
                values = {"addr": word, "rows": task.table.rows, "stream": target + j, "map": code, "stride": 0}
                self.board.issue(self.chip.slice_queue[s], cycle, "GATHER", values)
        for vector in task.reads:
            vector.last_read = max(vector.last_read, cycles[-1] + timing.access)
        task.start = start
        return True

    def scatter(self, task: Scattering, start: int) -> bool:
        """Schedules a scatter with index and data at the slices in cycle `start`."""
        slices, first = task.table.regions[task.region]
        stop, timing = self.chip.slice_stop[slices[0]], self.chip.timing("SCATTER")
        mark = self.board.mark()
        codes = self._together([task.index, task.data], start, stop) or self._together([task.data, task.index], start, stop)
        if codes is None:
            return False
        by_map, data = codes[task.index], codes[task.data]
        for j, (s, word) in enumerate(zip(slices, first, strict=True)):
            if not self.router.claim_write(s, start, start + timing.access, word):
                self.board.undo(mark)
                return False
            values = {"addr": word, "rows": task.table.region_words, "stream": data + j, "map": by_map, "stride": 0}
            self.board.issue(self.chip.slice_queue[s], start, "SCATTER", values)
        for old, new in zip(task.before, task.outs, strict=True):
            # The home, which comes before all copies.
            copy = old.copies[0]
            ready = max(copy.ready, start + timing.access + 1)
            new.lie(Copy(copy.slices, copy.words, ready))
        task.start = start
        return True

    def _together(self, vectors: list[Vector], cycle: int, stop: int) -> dict[Vector, int] | None:
        """Brings vectors to a stop in one cycle, one choosing after the other; their first streams, or None."""
        mark, codes = self.board.mark(), {}
        for vector in vectors:
            found = self.router.bring([vector], [cycle], stop, self._both(vector.bytes))
            if found is None:
                self.board.undo(mark)
                return None
            codes[vector] = found[0]
        return codes

    def store(self, task: Storing) -> None:
        """Brings a vector home, after the last read of what is there."""
        table = task.home.table
        slices, first = table.regions[table.region(task.home.row, task.home.tile)]
        words = [word + table.offset(task.home.row) for word in first]
        after = max(task.before.last_read + 1, 0)
        copy = self.router.recopy(task.source, slices, words, after)
        copy.count(1)
        task.start = copy.ready

    def _both(self, size: int) -> list[int]:
        return list(range(0, 2 * self.chip.config.streams, size))
