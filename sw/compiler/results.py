"""Results: taken where they come out, and written to memory on their way.

Every result is written next to where it passes; what nobody then reads is dropped at the end.
"""

from collections.abc import Sequence
from functools import partial

from sw.compiler.board import Board
from sw.compiler.chip import Chip
from sw.compiler.memory import Memory
from sw.compiler.vectors import Copy, Flight, Vector
from sw.compiler.ways import WRITE_ACCESS, WRITE_ISSUE, Ways

#: Results in a slice from which on those two stops further out are as good.
CROWD = 64
#: Readers of a result from which on it is sent far out.
OFTEN = 3


class Results(Ways):
    """Finds streams and words for results."""

    def __init__(self, chip: Chip, board: Board, memory: Memory):
        super().__init__(chip, board, memory)
        #: Results, of any number of vectors, that were sent to each slice.
        self._landings = [0] * len(self.stops)

    def release(self, vector: Vector) -> None:
        """Gives back the words of a result once all its readers are placed, and the ports of copies that nobody reads."""
        parts = [vector, *vector.parts.values()]
        after = max(part.last_read for part in parts) + 1
        for copy in (copy for part in parts for copy in part.copies if copy.writes):
            self.memory.free(copy, max(after, copy.ready))
            if not copy.reads:
                for s, (_, issue, _) in zip(copy.slices, copy.writes, strict=True):
                    self.board.release(WRITE_ISSUE + s, issue)
                    self.board.release(WRITE_ACCESS + s, issue)

    def land(self, vectors: list[Vector], choices, stop: int, cycles: list[int], width: int, avoid=(), late=()):
        """Takes results that stand at the stop next to `stop` in `cycles` on `width` streams from one of the codes
        `choices` on, and writes them to memory on their way, if it can be not to the slices `avoid`. Byte j stands
        there `late[j]` cycles later. The code, or None if it cannot be.
        """
        late = late if any(late) else (0,) * width
        for west in dict.fromkeys(code >= self.streams for code in choices):
            codes = [code for code in choices if (code >= self.streams) == west]
            mark = self.board.mark()
            places = self._places(vectors, stop, cycles, west, avoid, late)
            if places is not None:
                for code in codes:
                    if self._fly(vectors, code, stop, cycles, width, places, late):
                        return code
            self.board.undo(mark)
        return None

    def _places(self, vectors: list[Vector], stop: int, cycles, west: bool, avoid, late):
        """Claims ports and words downstream: for every vector its slices and words."""
        if vectors[0].wish is not None and not any(late):
            places = self._wished(vectors, stop, cycles, west)
            if places is not None:
                return places
        slices: list[int] = []
        words: list[list[int]] = []
        for j in range(vectors[0].bytes):
            found = self._landing(vectors, stop, [cycle + late[j] for cycle in cycles], west, slices, avoid)
            if found is None:
                return None
            slices.append(found[0])
            words.append(found[1])
        return [(slices, list(of_all)) for of_all in zip(*words, strict=True)]

    def _wished(self, vectors: list[Vector], stop: int, cycles, west: bool):
        mark, places = self.board.mark(), []
        for vector, cycle in zip(vectors, cycles, strict=True):
            words = []
            for s in vector.wish:
                hops = stop - self.stops[s] if west else self.stops[s] - stop
                found = self.memory.allocate(s, 1, self.board, cycle + hops - 1) if hops > 0 else None
                if found is None or not self.claim_write(s, cycle + hops - 1, cycle + hops - 1, *found):
                    self.board.undo(mark)
                    return None
                words += found
            places.append((list(vector.wish), words))
        return places

    def _landing(self, vectors, stop: int, cycles, west: bool, taken: list[int], avoid) -> tuple[int, list[int]] | None:
        """A slice downstream with a free write port at all times, and a word of it for each vector."""
        # What is read again and again must not keep the ports near the centre from what is wanted at once.
        often, count = len(vectors[0].readers) > OFTEN, len(vectors)

        def order(s: int):
            near, pressure = self.crowding(s)
            return s in avoid, -near if often else near, pressure

        for s in sorted((s for s in self._downstream(stop, west) if s not in taken), key=order):
            hops = abs(self.stops[s] - stop)
            for bank in (0, 1):
                mark = self.board.mark()
                words = self.memory.allocate(s, count, self.board, min(cycles) + hops - 1, bank)
                if words is not None and all(
                    self.claim_write(s, cycle + hops - 1, cycle + hops - 1, word)
                    for cycle, word in zip(cycles, words, strict=True)
                ):
                    self._landings[s] += 1
                    self.board.on_undo(partial(self._leave, s))
                    return s, words
                self.board.undo(mark)
        return None

    def _leave(self, s: int) -> None:
        self._landings[s] -= 1

    def crowding(self, s: int) -> tuple[int, int]:
        """Slices near the centre first, others as those fill."""
        return self.chip.nearness[s] + self._landings[s] // CROWD, self.memory.pressure(s)

    def _downstream(self, stop: int, west: bool) -> Sequence[int]:
        """Slices to which what is driven at a stop comes; for units at the edge those up to the centre."""
        if stop in self.chip.edges:
            return self.chip.sides[stop > self.chip.vxm] if west == (stop > self.chip.vxm) else []
        return [s for s, at in enumerate(self.stops) if (at < stop if west else at > stop)]

    def _fly(self, vectors, code: int, stop: int, cycles, width: int, places, late) -> bool:
        """Takes the streams to the places where results are written, and issues the WRITEs."""
        west, board, mark = code >= self.streams, self.board, self.board.mark()
        for vector, cycle, (slices, words) in zip(vectors, cycles, places, strict=True):
            stops = [self.stops[s] for s in slices]
            end = min(stops) if west else max(stops)
            for j in range(width):
                if not board.span(*self.line(code + j, stop, cycle + late[j], end)):
                    board.undo(mark)
                    return False
            copy = Copy(tuple(slices), tuple(words), 0)
            for j, (s, word) in enumerate(zip(slices, words, strict=True)):
                issue = cycle + late[j] + abs(self.stops[s] - stop) - 1
                board.issue(self.chip.slice_queue[s], issue, "WRITE", {"addr": word, "stream": code + j, "stride": 0})
                copy.writes.append((self.chip.slice_queue[s], issue, word))
                copy.ready = max(copy.ready, issue + 1)
            vector.lie(copy)
            if not any(late):
                vector.fly(Flight(code, stop, cycle, end))
            board.on_undo(partial(vector.forget, copy))
        return True
