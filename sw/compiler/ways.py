"""Ports and streams: what a vector takes on its way, and where it is met."""

from sw.compiler.board import Board
from sw.compiler.chip import Chip
from sw.compiler.memory import Memory
from sw.compiler.vectors import Copy, Flight, Vector

#: Kinds of ports, as unit numbers on the board; each is followed by one number for each slice, queue or plane.
READ_ISSUE, READ_ACCESS, WRITE_ISSUE, WRITE_ACCESS, QUEUE, RESULT = (k << 12 for k in range(6))


class Ways:
    """Reserves ports of slices and stretches of streams."""

    def __init__(self, chip: Chip, board: Board, memory: Memory):
        self.chip, self.board, self.memory = chip, board, memory
        self.streams, self.bank_words = chip.config.streams, chip.config.bank_words
        self.stops, self.lead = chip.slice_stop, chip.read_lead

    def line(self, code: int, stop: int, cycle: int, end: int) -> tuple[int, int, int, int]:
        """Stream, diagonal and stops of what is driven at `stop`, stands at the next in `cycle` and goes to `end`."""
        if code >= self.streams:
            return code, cycle + stop - 1, end, stop - 1
        return code, cycle - stop - 1, stop + 1, end

    def passes(self, flight: Flight, stop: int) -> int | None:
        """The cycle in which a flight stands at a stop, None if that is not downstream."""
        hops = flight.stop - stop if flight.code >= self.streams else stop - flight.stop
        return flight.cycle + hops - 1 if hops >= 1 else None

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

    def note_read(self, vector: Vector, copy: Copy, cycle: int) -> None:
        """Counts a read of a copy."""
        before = vector.last_read
        copy.count(1)
        vector.last_read = max(before, cycle)

        def back():
            copy.count(-1)
            vector.last_read = before

        self.board.on_undo(back)

    def crossing(self, vector: Vector, cycle: int, stop: int) -> list[Flight]:
        """Flights of a vector that stand at a stop in a cycle."""
        flights = vector.passing if vector.flight is None else [vector.flight, *vector.passing]
        return [flight for flight in flights if self.passes(flight, stop) == cycle]

    def extend(self, vector: Vector, flight: Flight, stop: int) -> bool:
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
