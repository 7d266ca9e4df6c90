"""Operands: vectors brought to a stop in the cycle in which they are needed.

A vector is in memory (one or more copies), or it is on its way on a stream and can be taken as it passes.
"""

from collections.abc import Sequence

from sw.compiler.vectors import Copy, Flight, Vector
from sw.compiler.ways import READ_ACCESS, READ_ISSUE, WRITE_ACCESS, Ways

#: A read of one byte of a vector: slice, word, issue cycle.
Access = tuple[int, int, int]


class Operands(Ways):
    """Finds the copies, flights and streams on which operands come."""

    def earliest(self, vector: Vector, stop: int) -> int:
        """The first cycle in which a vector can stand at a stop; constants can in any."""
        best = self.passes(vector.flight, stop) if vector.flight is not None else None
        for copy in vector.copies:
            hops = max(abs(self.stops[s] - stop) for s in copy.slices)
            if hops and (best is None or copy.ready + hops + self.lead < best):
                best = copy.ready + hops + self.lead
        return 0 if best is None else best

    def available(self, vector: Vector, cycle: int, stop: int) -> bool:
        """Whether a vector may stand at a stop in a cycle, as far as its own ports tell."""
        return (
            vector.data is not None
            or any(self._readable(copy, cycle, stop) for copy in vector.copies)
            or bool(self.crossing(vector, cycle, stop))
        )

    def _readable(self, copy: Copy, cycle: int, stop: int) -> bool:
        held, cycle, side = self.board.held, cycle - self.lead, 0
        for s, word in zip(copy.slices, copy.words, strict=True):
            hops = self.stops[s] - stop
            issue = cycle - abs(hops)
            if (
                issue < copy.ready
                or hops * side <= 0 < side * side
                or hops == 0
                or held(READ_ISSUE + s, issue) is not None
                or held(READ_ACCESS + s, issue) is not None
                or held(WRITE_ACCESS + s, issue) == word // self.bank_words
            ):
                return False
            side = hops
        return True

    def delay(self, wanted: Sequence[tuple[Vector, int]], stop: int, limit: int) -> int:
        """By how many cycles vectors must come later to a stop, at the least, than in cycles given with them, so that each
        can come as far as its own ports tell; `limit` if they must by as much or more."""
        late = good = at = 0
        while good < len(wanted) and late < limit:
            vector, cycle = wanted[at]
            if self.available(vector, cycle + late, stop):
                good += 1
            else:
                late, good = late + 1, 0
                continue
            at = (at + 1) % len(wanted)
        return late

    def _options(self, vector: Vector, cycle: int, stop: int, skew: int) -> list[tuple[bool, Copy, list[Access]]]:
        """Copies that can be read so that the vector stands at a stop in a cycle: whether they come westward, and how."""
        found, held = [], self.board.held
        for copy in vector.copies:
            accesses, sides = [], set()
            for j, (s, word) in enumerate(zip(copy.slices, copy.words, strict=True)):
                hops = self.stops[s] - stop
                issue = cycle + j * skew - abs(hops) - self.lead
                if (
                    hops == 0
                    or issue < copy.ready
                    or held(READ_ISSUE + s, issue) is not None
                    or held(READ_ACCESS + s, issue) is not None
                    or held(WRITE_ACCESS + s, issue) == word // self.bank_words
                ):
                    break
                accesses.append((s, word, issue))
                sides.add(hops > 0)
            else:
                if len(sides) == 1:
                    found.append((sides.pop(), copy, accesses))
        return found

    def bring(self, vectors: list[Vector], cycles: list[int], stop: int, choices, skew: int = 0) -> list[int] | None:
        """Has each vector stand at a stop in its cycle on the streams from one of the codes `choices` on, all on the
        same ones if that can be; byte j comes j times `skew` cycles later.

        Gives the code of the first stream of each, or None if it cannot be.
        """
        if not skew:
            direct = self._direct(vectors, cycles, stop, choices)
            if direct is not None:
                return [direct] * len(vectors)
        options = [self._options(vector, cycle, stop, skew) for vector, cycle in zip(vectors, cycles, strict=True)]
        there = [bool(found) or vector.data is not None for vector, found in zip(vectors, options, strict=True)]
        if len(vectors) == 1 and not there[0]:
            return None
        for code in choices if all(there) else ():
            if self._bring_on(vectors, options, cycles, stop, code, skew):
                return [code] * len(vectors)
        if len(vectors) == 1:
            return None
        mark, codes = self.board.mark(), []
        for vector, cycle in zip(vectors, cycles, strict=True):
            found = self.bring([vector], [cycle], stop, choices, skew)
            if found is None:
                self.board.undo(mark)
                return None
            codes += found
        return codes

    def _direct(self, vectors, cycles, stop: int, choices) -> int | None:
        """The streams on which all vectors come by anyway."""
        for first in self.crossing(vectors[0], cycles[0], stop):
            if first.code in choices:
                mark = self.board.mark()
                for vector, cycle in zip(vectors, cycles, strict=True):
                    flights = (flight for flight in self.crossing(vector, cycle, stop) if flight.code == first.code)
                    if not any(self.extend(vector, flight, stop) for flight in flights):
                        self.board.undo(mark)
                        break
                else:
                    return first.code
        return None

    def _bring_on(self, vectors, options, cycles, stop: int, code: int, skew: int) -> bool:
        """Brings vectors on the streams from `code` on."""
        west, mark = code >= self.streams, self.board.mark()
        for vector, found, cycle in zip(vectors, options, cycles, strict=True):
            if not any(
                side == west and self._read(vector, copy, accesses, stop, code) for side, copy, accesses in found
            ) and not (vector.data is not None and self._materialise(vector, cycle, stop, code, skew)):
                self.board.undo(mark)
                return False
        return True

    def _read(self, vector: Vector, copy: Copy, accesses: list[Access], stop: int, code: int) -> bool:
        board = self.board
        lines = [
            self.line(code + j, self.stops[s], issue + self.lead + 1, stop) for j, (s, _, issue) in enumerate(accesses)
        ]
        if not all(board.free(*line) for line in lines):
            return False
        mark = board.mark()
        for j, ((s, word, issue), line) in enumerate(zip(accesses, lines, strict=True)):
            if not (self.claim_read(s, issue, issue, word) and board.span(*line)):
                board.undo(mark)
                return False
            board.issue(self.chip.slice_queue[s], issue, "READ", {"addr": word, "stream": code + j, "stride": 0})
        self.note_read(vector, copy, max(issue for _, _, issue in accesses))
        self._pass_on(vector, accesses, code, stop)
        return True

    def _pass_on(self, vector: Vector, accesses: list[Access], code: int, stop: int) -> None:
        """Remembers a vector that comes out of memory for others downstream, if its bytes go side by side."""
        west = code >= self.streams
        diagonals = {issue + self.stops[s] if west else issue - self.stops[s] for s, _, issue in accesses}
        if len(diagonals) > 1:
            return
        s, _, issue = (min if west else max)(accesses, key=lambda access: self.stops[access[0]])
        flight = Flight(code, self.stops[s], issue + self.lead + 1, stop)
        vector.passing.append(flight)
        self.board.on_undo(lambda: vector.passing.remove(flight))

    def _materialise(self, vector: Vector, cycle: int, stop: int, code: int, skew: int) -> bool:
        """Puts a constant where it can be read in time: into the slices upstream of the stop that are free then."""
        west = code >= self.streams
        chosen: list[tuple[int, int]] = []
        for s in sorted(range(len(self.stops)), key=self.memory.constant_words):
            at, j = self.stops[s], len(chosen)
            if at == stop or (at > stop) != west:
                continue
            issue = cycle + j * skew - abs(at - stop) - self.lead
            if (
                issue >= 0
                and self.board.held(READ_ISSUE + s, issue) is None
                and self.board.held(READ_ACCESS + s, issue) is None
                and self.board.free(*self.line(code + j, at, issue + self.lead + 1, stop))
            ):
                chosen.append((s, issue))
                if len(chosen) == vector.bytes:
                    break
        else:
            return False
        mark = self.board.mark()
        copy = self.memory.place_constant(vector, tuple(s for s, _ in chosen), self.board)
        if copy is not None:
            accesses = [(s, word, issue) for (s, issue), word in zip(chosen, copy.words, strict=True)]
            if self._read(vector, copy, accesses, stop, code):
                return True
        self.board.undo(mark)
        return False
