"""Bringing vectors from where they are to where they are needed, at the cycle in which they are needed."""

from collections.abc import Sequence

from sw.compiler.memory import MemoryFull
from sw.compiler.operands import Operands
from sw.compiler.results import Results
from sw.compiler.tasks import Task
from sw.compiler.vectors import Copy, Vector

#: Cycles in which a place in the schedule is looked for before a program is given up.
TRIES = 20_000


def no_place(task: Task, first: int) -> MemoryFull:
    """That a task finds no place from a cycle on."""
    return MemoryFull(f"Task '{task.name}' finds no place in the schedule within {TRIES} cycles from {first} on.")


class Router(Operands, Results):
    """Transport of vectors: operands, results, and further copies."""

    def recopy(self, vector: Vector, slices: Sequence[int], words=None, after: int = 0) -> Copy:
        """A further copy of a vector in these slices, from another copy of it, read at the earliest in cycle `after`."""
        source = min(vector.copies, key=lambda copy: copy.ready)
        first = max(source.ready, after)
        words = words or [self._room(s, first) for s in slices]
        made = Copy(tuple(slices), tuple(words), 0)
        for a, word, b, target in zip(source.slices, source.words, slices, words, strict=True):
            ready = first
            if self.stops[a] == self.stops[b]:
                a, word, ready = self._aside(a, word, ready)
            write = self._move(a, word, ready, b, target)
            made.writes.append((self.chip.slice_queue[b], write, target))
            made.ready = max(made.ready, write + 1)
        self.note_read(vector, source, made.ready)
        vector.copies.append(made)
        self.board.on_undo(lambda: vector.copies.remove(made))
        return made

    def _aside(self, s: int, word: int, ready: int) -> tuple[int, int, int]:
        """A byte at another stop, because nothing goes from a slice to its neighbour at one stop: slice, word, ready."""
        other = min((o for o, at in enumerate(self.stops) if at != self.stops[s]), key=self.crowding)
        target = self._room(other, ready)
        return other, target, self._move(s, word, ready, other, target) + 1

    def _room(self, s: int, cycle: int) -> int:
        """A word of a slice that may be written from a cycle on; MemoryFull if there is none."""
        for bank in (0, 1):
            words = self.memory.allocate(s, 1, self.board, cycle, bank)
            if words is not None:
                return words[0]
        raise MemoryFull(f"A copy of a vector finds no room in {self.chip.slices[s].name} from cycle {cycle} on.")

    def _move(self, a: int, word: int, ready: int, b: int, target: int) -> int:
        """Reads a word of slice a, from cycle `ready` on, and writes it to slice b; the cycle of the WRITE."""
        board, hops = self.board, abs(self.stops[a] - self.stops[b])
        base = self.streams if self.stops[a] > self.stops[b] else 0
        for issue in range(ready, ready + TRIES):
            arrive, mark = issue + self.lead + hops, board.mark()
            if self.claim_read(a, issue, issue, word) and self.claim_write(b, arrive, arrive, target):
                for code in range(base + self.streams - 1, base - 1, -1):
                    if board.span(*self.line(code, self.stops[a], issue + self.lead + 1, self.stops[b])):
                        board.issue(self.chip.slice_queue[a], issue, "READ", {"addr": word, "stream": code, "stride": 0})
                        board.issue(self.chip.slice_queue[b], arrive, "WRITE", {"addr": target, "stream": code, "stride": 0})
                        return arrive
            board.undo(mark)
        raise MemoryFull(f"A vector finds no way to another slice within {TRIES} cycles.")
