"""Bringing vectors from where they are to where they are needed, at the cycle in which they are needed.

A vector is in memory (one or more copies), or it is on its way on a stream and can be taken as it passes. Every
result is also written to memory on its way, next to where it passes; what nobody then reads is dropped at the end.
"""

from sw.compiler.board import Board
from sw.compiler.chip import Chip
from sw.compiler.memory import Memory, MemoryFull
from sw.compiler.vectors import Copy, Flight, Vector

#: Kinds of ports, as unit numbers on the board; each is followed by one number for each slice, queue or plane.
READ_ISSUE, READ_ACCESS, WRITE_ISSUE, WRITE_ACCESS, QUEUE, RESULT = (k << 12 for k in range(6))


#: Cycles in which a place in the schedule is looked for before a program is given up.
TRIES = 20_000


class Router:
    """Reserves ports and streams for the transport of vectors."""

    def __init__(self, chip: Chip, board: Board, memory: Memory):
        self.chip, self.board, self.memory = chip, board, memory
        self.streams = chip.config.streams
        self.bank_words = chip.config.bank_words

    # Streams ---------------------------------------------------------------------------------------------------

    def carry(self, code: int, stop: int, cycle: int, end: int) -> bool:
        """Reserves what is driven at `stop` and stands at the next one in `cycle`, on its way to stop `end`."""
        if code >= self.streams:
            return self.board.span(code, cycle + stop - 1, end, stop - 1)
        return self.board.span(code, cycle - stop - 1, stop + 1, end)

    def passes(self, flight: Flight, stop: int) -> int | None:
        """The cycle in which a flight stands at a stop, None if that is not downstream."""
        hops = flight.stop - stop if flight.code >= self.streams else stop - flight.stop
        return flight.cycle + hops - 1 if hops >= 1 else None

    def _extend(self, vector: Vector, stop: int) -> bool:
        """Owns the flight of a vector up to a stop."""
        flight, west = vector.flight, vector.flight.code >= self.streams
        if (flight.end <= stop) if west else (flight.end >= stop):
            return True
        before = flight.end
        diagonal = flight.cycle + (flight.stop - 1 if west else -flight.stop - 1)
        low, high = (stop, before - 1) if west else (before + 1, stop)
        mark = self.board.mark()
        for j in range(vector.bytes):
            if not self.board.span(flight.code + j, diagonal, low, high):
                self.board.undo(mark)
                return False
        flight.end = stop

        def back():
            flight.end = before

        self.board.on_undo(back)
        return True

    # Operands --------------------------------------------------------------------------------------------------

    def earliest(self, vector: Vector, stop: int) -> int:
        """The first cycle in which a vector can stand at a stop; constants can in any."""
        best = None
        if vector.flight is not None:
            best = self.passes(vector.flight, stop)
        for copy in vector.copies:
            lead = max(abs(self.chip.slice_stop[s] - stop) for s in copy.slices) + self.chip.read_lead
            if best is None or copy.ready + lead < best:
                best = copy.ready + lead
        return 0 if best is None else best

    def bring(self, vectors: list[Vector], cycles: list[int], stop: int, choices) -> list[int] | None:
        """Has each vector stand at a stop in its cycle on the streams from one of the codes `choices` on, all on the
        same ones if that can be.

        Gives the code of the first stream of each, or None if it cannot be.
        """
        direct = self._direct(vectors, cycles, stop, choices)
        if direct is not None:
            return [direct] * len(vectors)
        board, pairs = self.board, list(zip(vectors, cycles, strict=True))
        for code in choices:
            mark = board.mark()
            if all(self.fetch(v, cycle, stop, code) for v, cycle in pairs):
                return [code] * len(vectors)
            board.undo(mark)
        if len(vectors) == 1:
            return None
        mark, codes = board.mark(), []
        for vector, cycle in pairs:
            found = self.bring([vector], [cycle], stop, choices)
            if found is None:
                board.undo(mark)
                return None
            codes += found
        return codes

    def _direct(self, vectors, cycles, stop: int, choices) -> int | None:
        first = vectors[0].flight
        if first is None or first.code not in choices:
            return None
        for vector, cycle in zip(vectors, cycles, strict=True):
            flight = vector.flight
            if flight is None or flight.code != first.code or self.passes(flight, stop) != cycle:
                return None
        mark = self.board.mark()
        for vector in vectors:
            if not self._extend(vector, stop):
                self.board.undo(mark)
                return None
        return first.code

    def fetch(self, vector: Vector, cycle: int, stop: int, code: int, skew: int = 0) -> bool:
        """Reads a vector from memory so that it stands at a stop in a cycle, on the streams from `code` on; byte j
        comes j times `skew` cycles later."""
        west = code >= self.streams
        stops = self.chip.slice_stop
        for copy in vector.copies:
            if all((stops[s] > stop) if west else (stops[s] < stop) for s in copy.slices):
                if self._read(vector, copy, cycle, stop, code, skew):
                    return True
        return vector.data is not None and self._materialise(vector, cycle, stop, code, skew)

    def _read(self, vector: Vector, copy: Copy, cycle: int, stop: int, code: int, skew: int = 0) -> bool:
        mark, board, latest = self.board.mark(), self.board, -1
        for j, (s, word) in enumerate(zip(copy.slices, copy.words, strict=True)):
            at = self.chip.slice_stop[s]
            issue = cycle + j * skew - abs(at - stop) - self.chip.read_lead
            good = issue >= copy.ready and self.claim_read(s, issue, issue, word)
            if not (good and self.carry(code + j, at, issue + self.chip.read_lead + 1, stop)):
                board.undo(mark)
                return False
            board.issue(self.chip.slice_queue[s], issue, "READ", {"addr": word, "stream": code + j, "stride": 0})
            latest = max(latest, issue)
        self.note_read(vector, copy, latest)
        return True

    def note_read(self, vector: Vector, copy: Copy, cycle: int) -> None:
        """Counts a read of a copy."""
        before = vector.last_read
        copy.reads += 1
        vector.last_read = max(before, cycle)

        def back():
            copy.reads -= 1
            vector.last_read = before

        self.board.on_undo(back)

    def _materialise(self, vector: Vector, cycle: int, stop: int, code: int, skew: int) -> bool:
        """Puts a constant where it can be read in time: into the slices upstream of the stop that are free then."""
        west = code >= self.streams
        side = [s for s, at in enumerate(self.chip.slice_stop) if at != stop and (at > stop) == west]
        chosen: list[int] = []
        for s in sorted(side, key=self.memory.constant_words):
            issue = cycle + len(chosen) * skew - abs(self.chip.slice_stop[s] - stop) - self.chip.read_lead
            at = self.chip.slice_stop[s]
            mark = self.board.mark()
            if issue >= 0 and self.board.held(READ_ISSUE + s, issue) is None and self.carry(
                code + len(chosen), at, issue + self.chip.read_lead + 1, stop
            ):
                chosen.append(s)
            self.board.undo(mark)
            if len(chosen) == vector.bytes:
                break
        else:
            return False
        mark = self.board.mark()
        copy = self.memory.place_constant(vector, tuple(chosen), self.board)
        if copy is not None and self._read(vector, copy, cycle, stop, code, skew):
            return True
        self.board.undo(mark)
        return False

    # Ports -----------------------------------------------------------------------------------------------------

    def claim_read(self, s: int, issue: int, access: int, word: int) -> bool:
        """Takes a slice's read port, unless its bank is written in that cycle."""
        bank = word // self.bank_words
        if self.board.held(WRITE_ACCESS + s, access) == bank:
            return False
        return self.board.claim(READ_ISSUE + s, issue) and self.board.claim(READ_ACCESS + s, access, bank)

    def claim_write(self, s: int, issue: int, access: int, word: int) -> bool:
        """Takes a slice's write port, unless its bank is read in that cycle."""
        bank = word // self.bank_words
        if self.board.held(READ_ACCESS + s, access) == bank:
            return False
        return self.board.claim(WRITE_ISSUE + s, issue) and self.board.claim(WRITE_ACCESS + s, access, bank)

    # Results ---------------------------------------------------------------------------------------------------

    def land(self, vectors: list[Vector], code: int, stop: int, cycles: list[int], width: int, avoid=frozenset()) -> bool:
        """Takes results that stand at the stop next to `stop` in `cycles` on `width` streams from `code` on, and
        writes them to memory on their way, if it can be not to the slices `avoid`."""
        west = code >= self.streams
        board, mark = self.board, self.board.mark()
        copies = [Copy((), (), -1) for _ in vectors]
        if vectors[0].wish is not None and self._land_wishes(vectors, code, stop, cycles, width):
            return True
        slices, first, end = [], [], stop
        for _ in range(vectors[0].bytes):
            found = self._landing(vectors, stop, cycles, west, slices, avoid)
            if found is None:
                board.undo(mark)
                return False
            s, word = found
            slices.append(s)
            first.append(word)
            at = self.chip.slice_stop[s]
            end = min(end, at) if west else max(end, at)
        for j in range(width):
            for cycle in cycles:
                if not self.carry(code + j, stop, cycle, end):
                    board.undo(mark)
                    return False
        for j, (s, word) in enumerate(zip(slices, first, strict=True)):
            hops = abs(self.chip.slice_stop[s] - stop)
            for k, cycle in enumerate(cycles):
                issue = cycle + hops - 1
                copies[k].writes.append((self.chip.slice_queue[s], issue))
                copies[k].ready = max(copies[k].ready, issue + 1)
                board.issue(self.chip.slice_queue[s], issue, "WRITE", {"addr": word + k, "stream": code + j, "stride": 0})
        for k, (vector, copy) in enumerate(zip(vectors, copies, strict=True)):
            copy.slices, copy.words = tuple(slices), tuple(word + k for word in first)
            vector.copies.append(copy)
            vector.flight = Flight(code, stop, cycles[k], end)
            board.on_undo(lambda vector=vector, copy=copy: self._forget(vector, copy))
        return True

    def land_skewed(self, vector: Vector, code: int, stop: int, cycle: int) -> bool:
        """Lands a result whose byte j stands next to `stop` j cycles later than byte 0."""
        board, mark, west = self.board, self.board.mark(), code >= self.streams
        copy = Copy((), (), 0)
        for j in range(vector.bytes):
            found = self._landing([vector], stop, [cycle + j], west, list(copy.slices), ())
            if found is None or not self.carry(code + j, stop, cycle + j, self.chip.slice_stop[found[0]]):
                board.undo(mark)
                return False
            s, word = found
            issue = cycle + j + abs(self.chip.slice_stop[s] - stop) - 1
            board.issue(self.chip.slice_queue[s], issue, "WRITE", {"addr": word, "stream": code + j, "stride": 0})
            copy.slices, copy.words = (*copy.slices, s), (*copy.words, word)
            copy.writes.append((self.chip.slice_queue[s], issue))
            copy.ready = max(copy.ready, issue + 1)
        vector.copies.append(copy)
        board.on_undo(lambda: vector.copies.remove(copy))
        return True

    def _land_wishes(self, vectors: list[Vector], code: int, stop: int, cycles: list[int], width: int) -> bool:
        """Lands vectors that become weights in the slices where they are wanted, if those are downstream."""
        west, stops = code >= self.streams, self.chip.slice_stop
        mark = self.board.mark()
        for vector, cycle in zip(vectors, cycles, strict=True):
            downstream = all((stops[s] < stop) if west else (stops[s] > stop) for s in vector.wish)
            if not downstream or not self._write_at(vector, code, stop, cycle, width, vector.wish, None):
                self.board.undo(mark)
                return False
        return True

    def _write_at(self, vector, code: int, stop: int, cycle: int, width: int, slices, words) -> bool:
        """Writes one result, that stands next to `stop` in `cycle`, to given slices (and words)."""
        board, west, stops = self.board, code >= self.streams, self.chip.slice_stop
        if words is None:
            words = [self.memory.allocate(s, 1, board) for s in slices]
            if None in words:
                return False
        copy = Copy(tuple(slices), tuple(words), 0)
        end = min(stops[s] for s in slices) if west else max(stops[s] for s in slices)
        if not all(self.carry(code + j, stop, cycle, end) for j in range(width)):
            return False
        for j, (s, word) in enumerate(zip(slices, words, strict=True)):
            issue = cycle + abs(stops[s] - stop) - 1
            if not self.claim_write(s, issue, issue, word):
                return False
            copy.writes.append((self.chip.slice_queue[s], issue))
            copy.ready = max(copy.ready, issue + 1)
            board.issue(self.chip.slice_queue[s], issue, "WRITE", {"addr": word, "stream": code + j, "stride": 0})
        vector.copies.append(copy)
        vector.flight = Flight(code, stop, cycle, end)
        board.on_undo(lambda: self._forget(vector, copy))
        return True

    def recopy(self, vector: Vector, slices: tuple[int, ...], words=None, after: int = 0) -> Copy:
        """A further copy of a vector in these slices, from another copy of it, read at the earliest in cycle `after`."""
        stops, board = self.chip.slice_stop, self.board
        for source in vector.copies:
            pairs = [(stops[a], stops[b]) for a in source.slices for b in slices]
            west = pairs[0][0] > pairs[0][1]
            if any(a == b or (a > b) != west for a, b in pairs):
                continue
            base = self.streams if west else 0
            origin = (max if west else min)(stops[s] for s in source.slices)
            first = max(source.ready, after) + len(self.chip.plan.stops)
            for cycle in range(first, first + TRIES):
                for code in range(base, base + self.streams, vector.bytes):
                    mark, count = board.mark(), len(vector.copies)
                    if self._move(vector, source, slices, words, code, origin, cycle):
                        return vector.copies[count]
                    board.undo(mark)
            raise MemoryFull(f"A vector of {vector.dtype.text} finds no way to other slices within {TRIES} cycles.")
        far = self.chip.sides[1 - self.chip.slices[slices[0]].hemisphere]
        self.recopy(vector, tuple(far[: vector.bytes]))
        return self.recopy(vector, slices, words, after)

    def _move(self, vector: Vector, source: Copy, slices, words, code: int, origin: int, cycle: int) -> bool:
        """Reads a copy so that all of it stands at stop `origin` in `cycle`, and writes it downstream."""
        stops, board, west = self.chip.slice_stop, self.board, code >= self.streams
        words = words or [self.memory.allocate(s, 1, board) for s in slices]
        if None in words:
            return False
        made = Copy(tuple(slices), tuple(words), 0)
        latest = -1
        for j, (a, word, b, target) in enumerate(zip(source.slices, source.words, slices, words, strict=True)):
            issue = cycle + (stops[a] - origin if not west else origin - stops[a])
            arrive = issue + self.chip.read_lead + abs(stops[a] - stops[b])
            good = self.claim_read(a, issue, issue, word) and self.claim_write(b, arrive, arrive, target)
            if not (good and self.carry(code + j, stops[a], issue + self.chip.read_lead + 1, stops[b])):
                return False
            board.issue(self.chip.slice_queue[a], issue, "READ", {"addr": word, "stream": code + j, "stride": 0})
            board.issue(self.chip.slice_queue[b], arrive, "WRITE", {"addr": target, "stream": code + j, "stride": 0})
            made.writes.append((self.chip.slice_queue[b], arrive))
            made.ready = max(made.ready, arrive + 1)
            latest = max(latest, issue)
        self.note_read(vector, source, latest)
        vector.copies.append(made)
        board.on_undo(lambda: vector.copies.remove(made))
        return True

    def _forget(self, vector: Vector, copy: Copy) -> None:
        vector.copies.remove(copy)
        vector.flight = None

    def _landing(self, vectors, stop: int, cycles, west: bool, taken: list[int], avoid) -> tuple[int, int] | None:
        """A slice downstream with a free write port at all times, and the first of its words for all vectors."""
        side = self._downstream(stop, west)
        near = self.chip.nearness

        def order(s: int):
            return s in avoid, near[s], self.memory.pressure(s)

        for s in sorted((s for s in side if s not in taken), key=order):
            hops = abs(self.chip.slice_stop[s] - stop)
            mark = self.board.mark()
            word = self.memory.allocate(s, len(vectors), self.board)
            if word is not None and all(
                self.claim_write(s, cycle + hops - 1, cycle + hops - 1, word + k) for k, cycle in enumerate(cycles)
            ):
                return s, word
            self.board.undo(mark)
        return None

    def _downstream(self, stop: int, west: bool) -> list[int]:
        """Slices to which what is driven at a stop comes; for units at the edge those up to the centre."""
        if stop in self.chip.edges:
            return self.chip.sides[stop > self.chip.vxm] if west == (stop > self.chip.vxm) else []
        return [s for s, at in enumerate(self.chip.slice_stop) if (at < stop if west else at > stop)]
