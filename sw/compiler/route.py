"""Bringing vectors from where they are to where they are needed, at the cycle in which they are needed.

A vector is in memory (one or more copies), or it is on its way on a stream and can be taken as it passes. Every
result is also written to memory on its way, next to where it passes; what nobody then reads is dropped at the end.
"""

from collections.abc import Sequence
from functools import partial

from sw.compiler.board import Board
from sw.compiler.chip import Chip
from sw.compiler.memory import Memory, MemoryFull
from sw.compiler.vectors import Copy, Flight, Vector

#: Kinds of ports, as unit numbers on the board; each is followed by one number for each slice, queue or plane.
READ_ISSUE, READ_ACCESS, WRITE_ISSUE, WRITE_ACCESS, QUEUE, RESULT = (k << 12 for k in range(6))
#: Cycles in which a place in the schedule is looked for before a program is given up.
TRIES = 20_000
#: Results in a slice from which on those two stops further out are as good.
CROWD = 64
#: Readers of a result from which on it is sent far out.
OFTEN = 3

#: A read of one byte of a vector: slice, word, issue cycle.
Access = tuple[int, int, int]


class Router:
    """Reserves ports and streams for the transport of vectors."""

    def __init__(self, chip: Chip, board: Board, memory: Memory):
        self.chip, self.board, self.memory = chip, board, memory
        self.streams, self.bank_words = chip.config.streams, chip.config.bank_words
        self.stops, self.lead = chip.slice_stop, chip.read_lead
        #: Results, of any number of vectors, that were sent to each slice.
        self._landings = [0] * len(self.stops)

    # Streams ---------------------------------------------------------------------------------------------------

    def line(self, code: int, stop: int, cycle: int, end: int) -> tuple[int, int, int, int]:
        """Stream, diagonal and stops of what is driven at `stop`, stands at the next in `cycle` and goes to `end`."""
        if code >= self.streams:
            return code, cycle + stop - 1, end, stop - 1
        return code, cycle - stop - 1, stop + 1, end

    def passes(self, flight: Flight, stop: int) -> int | None:
        """The cycle in which a flight stands at a stop, None if that is not downstream."""
        hops = flight.stop - stop if flight.code >= self.streams else stop - flight.stop
        return flight.cycle + hops - 1 if hops >= 1 else None

    def _extend(self, vector: Vector, flight: Flight, stop: int) -> bool:
        """Owns a flight of a vector up to a stop."""
        west = flight.code >= self.streams
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

    def _by(self, vector: Vector, cycle: int, stop: int) -> list[Flight]:
        """Flights of a vector that stand at a stop in a cycle."""
        flights = vector.passing if vector.flight is None else [vector.flight, *vector.passing]
        return [flight for flight in flights if self.passes(flight, stop) == cycle]

    # Operands --------------------------------------------------------------------------------------------------

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
        return vector.data is not None or bool(self._by(vector, cycle, stop)) or bool(self._options(vector, cycle, stop, 0))

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
        if any(vector.data is None and not found for vector, found in zip(vectors, options, strict=True)):
            return None
        for code in choices:
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
        for first in self._by(vectors[0], cycles[0], stop):
            if first.code in choices:
                mark = self.board.mark()
                for vector, cycle in zip(vectors, cycles, strict=True):
                    flights = (flight for flight in self._by(vector, cycle, stop) if flight.code == first.code)
                    if not any(self._extend(vector, flight, stop) for flight in flights):
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

    def release(self, vector: Vector) -> None:
        """Gives back the ports of copies of a vector that nobody has read, once all its readers are placed."""
        for copy in vector.copies:
            if not copy.reads and copy.writes:
                for s, (_, issue, _) in zip(copy.slices, copy.writes, strict=True):
                    self.board.release(WRITE_ISSUE + s, issue)
                    self.board.release(WRITE_ACCESS + s, issue)

    def land(self, vectors: list[Vector], choices, stop: int, cycles: list[int], width: int, avoid=(), skew: int = 0):
        """Takes results that stand at the stop next to `stop` in `cycles` on `width` streams from one of the codes
        `choices` on, and writes them to memory on their way, if it can be not to the slices `avoid`. Byte j stands
        there j times `skew` cycles later. The code, or None if it cannot be.
        """
        for west in dict.fromkeys(code >= self.streams for code in choices):
            codes = [code for code in choices if (code >= self.streams) == west]
            mark = self.board.mark()
            places = self._places(vectors, stop, cycles, west, avoid, skew)
            if places is not None:
                for code in codes:
                    if self._fly(vectors, code, stop, cycles, width, places, skew):
                        return code
            self.board.undo(mark)
        return None

    def _places(self, vectors: list[Vector], stop: int, cycles, west: bool, avoid, skew: int):
        """Claims ports and words downstream: for every vector its slices and words."""
        if vectors[0].wish is not None and not skew:
            places = self._wished(vectors, stop, cycles, west)
            if places is not None:
                return places
        slices: list[int] = []
        first: list[int] = []
        for j in range(vectors[0].bytes):
            found = self._landing(vectors, stop, [cycle + j * skew for cycle in cycles], west, slices, avoid)
            if found is None:
                return None
            slices.append(found[0])
            first.append(found[1])
        return [(slices, [word + k for word in first]) for k in range(len(vectors))]

    def _wished(self, vectors: list[Vector], stop: int, cycles, west: bool):
        mark, places = self.board.mark(), []
        for vector, cycle in zip(vectors, cycles, strict=True):
            words = []
            for s in vector.wish:
                hops = stop - self.stops[s] if west else self.stops[s] - stop
                word = self.memory.allocate(s, 1, self.board) if hops > 0 else None
                if word is None or not self.claim_write(s, cycle + hops - 1, cycle + hops - 1, word):
                    self.board.undo(mark)
                    return None
                words.append(word)
            places.append((list(vector.wish), words))
        return places

    def _landing(self, vectors, stop: int, cycles, west: bool, taken: list[int], avoid) -> tuple[int, int] | None:
        """A slice downstream with a free write port at all times, and the first of its words for all vectors."""
        # What is read again and again must not keep the ports near the centre from what is wanted at once.
        often, count = len(vectors[0].readers) > OFTEN, len(vectors)

        def order(s: int):
            near, pressure = self.crowding(s)
            return s in avoid, -near if often else near, pressure

        for s in sorted((s for s in self._downstream(stop, west) if s not in taken), key=order):
            hops = abs(self.stops[s] - stop)
            for bank in (0, 1):
                mark = self.board.mark()
                word = self.memory.allocate(s, count, self.board, bank)
                if word is not None and all(
                    self.claim_write(s, cycle + hops - 1, cycle + hops - 1, word + k) for k, cycle in enumerate(cycles)
                ):
                    self._landings[s] += 1
                    self.board.on_undo(partial(self._leave, s))
                    return s, word
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

    def _fly(self, vectors, code: int, stop: int, cycles, width: int, places, skew: int) -> bool:
        """Takes the streams to the places where results are written, and issues the WRITEs."""
        west, board, mark = code >= self.streams, self.board, self.board.mark()
        for vector, cycle, (slices, words) in zip(vectors, cycles, places, strict=True):
            stops = [self.stops[s] for s in slices]
            end = min(stops) if west else max(stops)
            for j in range(width):
                if not board.span(*self.line(code + j, stop, cycle + j * skew, end)):
                    board.undo(mark)
                    return False
            copy = Copy(tuple(slices), tuple(words), 0)
            for j, (s, word) in enumerate(zip(slices, words, strict=True)):
                issue = cycle + j * skew + abs(self.stops[s] - stop) - 1
                board.issue(self.chip.slice_queue[s], issue, "WRITE", {"addr": word, "stream": code + j, "stride": 0})
                copy.writes.append((self.chip.slice_queue[s], issue, word))
                copy.ready = max(copy.ready, issue + 1)
            vector.copies.append(copy)
            vector.flight = None if skew else Flight(code, stop, cycle, end)
            board.on_undo(lambda vector=vector, copy=copy: _forget(vector, copy))
        return True

    # Copies ----------------------------------------------------------------------------------------------------

    def recopy(self, vector: Vector, slices: Sequence[int], words=None, after: int = 0) -> Copy:
        """A further copy of a vector in these slices, from another copy of it, read at the earliest in cycle `after`."""
        source = min(vector.copies, key=lambda copy: copy.ready)
        words = words or [self.memory.allocate(s, 1, self.board) for s in slices]
        if None in words:
            raise MemoryFull(f"A copy of a vector of {vector.dtype.text} finds no room in its slices.")
        made = Copy(tuple(slices), tuple(words), 0)
        for a, word, b, target in zip(source.slices, source.words, slices, words, strict=True):
            ready = max(source.ready, after)
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
        target = self.memory.allocate(other, 1, self.board)
        if target is None:
            raise MemoryFull("A copy of a vector finds no room on its way.")
        return other, target, self._move(s, word, ready, other, target) + 1

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


def _forget(vector: Vector, copy: Copy) -> None:
    vector.copies.remove(copy)
    vector.flight = None
