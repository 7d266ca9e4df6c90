"""A schedule under construction: instructions are taken only if everything that they need is there and
free."""

import random
from collections import defaultdict
from contextlib import contextmanager

from sw.arch.config import Config
from sw.arch.floorplan import Queue, floorplan
from sw.asm.burst import advance
from sw.asm.program import Program
from sw.isa.codec import check, make
from sw.isa.spec import Op

#: Words of every slice with a meaning of their own: zeros, offsets below REGION in lane 0, and all ones.
ZERO, OFFSETS, ONES = range(3)
#: Words of a GATHER or SCATTER region, and where the initialised words of bank 0 begin.
REGION = FIRST = 4
#: Words at the end of every slice kept for program text.
TEXT_ROWS = 4


class Busy(Exception):
    """Something that an instruction needs is taken or missing."""


class Schedule:
    """Reservations of queues, stream registers, memory ports and banks, ALU results; times are superlane-0
    cycles."""

    def __init__(self, c: Config, rng: random.Random):
        self.config, self.rng = c, rng
        self.plan = floorplan(c)
        self.full = (1 << c.superlanes) - 1
        self.queues = {queue.name: queue for queue in self.plan.queues}
        self.slices = [unit.name for unit in self.plan.slices]
        self.zone = min(c.bank_words - FIRST - TEXT_ROWS, 12) if c.bank_words > 8 else 4
        self.entries: list[tuple[Queue, int, Op, int, int]] = []
        #: Cycles in which a queue is busy, with the word (start, copies, gap) and its slots.
        self.busy: dict[tuple[str, int], tuple] = {}
        self.words: dict[str, int] = defaultdict(int)
        self.masks: dict[str, list[tuple[int, int]]] = defaultdict(lambda: [(0, self.full)])
        self.driven: dict[tuple[int, int, int], str] = {}
        #: (stream code, diagonal) -> flow position of the driver -> mask.
        self.values: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
        #: (stream code, diagonal) -> positions between which nobody may drive.
        self.guards: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        #: Cycle from which a queue takes nothing more.
        self.closed: dict[str, int] = {}
        self.access: dict[tuple[str, int, str], int] = {}
        self.known: dict[tuple[str, int], int] = {}
        self.results: dict[tuple[int, int], int] = {}
        self._undo: list = []
        for name in self.slices:
            for addr in (ZERO, OFFSETS, ONES, *self.zone_words()):
                self.known[name, addr] = -1

    def zone_words(self) -> list[int]:
        """Initialised words of general use."""
        bank = self.config.bank_words
        return [*range(FIRST, FIRST + self.zone), *range(bank, bank + self.zone)]

    def free_words(self) -> range:
        """Words that a program may write."""
        return range(FIRST, self.config.mem.words - TEXT_ROWS)

    @contextmanager
    def attempt(self):
        """All or nothing: takes back what was scheduled inside if it ends in Busy, which goes on."""
        mark, entries = len(self._undo), len(self.entries)
        try:
            yield
        except Busy:
            while len(self._undo) > mark:
                table, key, had, old = self._undo.pop()
                if had:
                    table[key] = old
                else:
                    del table[key]
            del self.entries[entries:]
            raise

    def put(self, table: dict, key, value) -> None:
        """Sets an entry so that a failing attempt takes it back."""
        self._undo.append((table, key, key in table, table.get(key)))
        table[key] = value

    def mask(self, queue: str, cycle: int) -> int:
        """Superlanes that are powered for a word of the queue."""
        return [mask for since, mask in self.masks[queue] if since <= cycle][-1]

    def flow(self, stop: int, code: int) -> int:
        """Stops counted along a stream."""
        return -stop if code >= self.config.streams else stop

    def present(self, stop: int, code: int, cycle: int) -> int:
        """Superlanes in which something stands on a stream."""
        flow = self.flow(stop, code)
        found = 0
        for at, mask in self.values.get((code, cycle - flow), {}).items():
            found |= mask if at < flow else 0
        return found

    def issue(self, queue: str, cycle: int, instr: str, count: int = 1, gap: int = 1, **fields) -> None:
        """Takes an instruction and its copies; Busy if it does not fit."""
        q = self.queues[queue]
        op = make(instr, **fields)
        last = cycle + (count - 1) * gap
        if cycle < 0 or (count > 1 and not op.instr.repeatable):
            raise Busy
        self._take_queue(q, cycle, last, count, gap, op.instr.slot)
        if len({self.mask(queue, t) for t in (cycle, last)}) > 1:
            raise Busy
        for k in range(count):
            copy = Op(op.instr, advance(op, k))
            check(copy, self.config, q.cls)
            self._touch(q, cycle + k * gap, copy)
        self.entries.append((q, cycle, op, count, gap))

    def _take_queue(self, q: Queue, cycle: int, last: int, count: int, gap: int, slot: str) -> None:
        word = (cycle, count, gap)
        if last >= self.closed.get(q.name, last + 1):
            raise Busy
        taken = self.busy.get((q.name, cycle))
        shared = (
            taken is not None and taken[0] == word and slot not in taken[1] and "icu" not in (*taken[1], slot)
        )
        slots = (*taken[1], slot) if shared else (slot,)
        for t in range(cycle, last + 1):
            if not shared and (q.name, t) in self.busy:
                raise Busy
            self.put(self.busy, (q.name, t), (word, slots))
        if not shared:
            # A NOP, the word and its REPEAT.
            self.put(self.words, q.name, self.words[q.name] + 3)
            if self.words[q.name] > self.config.queue_words - 8:
                raise Busy

    def _touch(self, q: Queue, cycle: int, op: Op) -> None:
        timing, stop, mask = op.timing(self.config), q.unit.stop, self.mask(q.name, cycle)
        for first, n in op.reads(self.config):
            for code in range(first, first + n):
                if mask & ~self.present(stop, code, cycle + timing.d_skew):
                    raise Busy
        for first, n in op.drives(self.config):
            for code in range(first, first + n):
                self._drive(q, stop, code, cycle + timing.d_func, mask)
        if q.cls == "MEM" and op.instr.slot in ("read", "write"):
            self._access(q, cycle + timing.access, op, mask)
        if q.cls == "VXM" and op.instr.slot == "alu":
            for source in ("a_from", "b_from", "m_from"):
                self._chain(q, cycle + timing.chain_skew, source, op, mask)
            key = q.number, cycle + timing.d_chain
            if key in self.results:
                raise Busy
            self.put(self.results, key, mask)

    def _chain(self, q: Queue, cycle: int, source: str, op: Op, mask: int) -> None:
        chain = ("PREV", "NEXT") if source == "m_from" else ("STREAM", "PREV", "NEXT", "IMM")
        step = {"PREV": -1, "NEXT": 1}.get(chain[op[source]] if source in op.values else "")
        if step and mask & ~self.results.get((q.number + step, cycle), 0):
            raise Busy

    def _drive(self, q: Queue, stop: int, code: int, cycle: int, mask: int) -> None:
        flow = self.flow(stop, code)
        diagonal = code, cycle - flow - 1
        if (stop, code, cycle) in self.driven:
            raise Busy
        if any(low < flow < high for low, high in self.guards.get(diagonal, ())):
            raise Busy
        self.put(self.driven, (stop, code, cycle), q.name)
        self.put(self.values[diagonal], flow, mask)

    def guard(self, stop: int, code: int, cycle: int, source: int) -> None:
        """Keeps the value that the unit at `source` drives on its way to `stop`."""
        low, high = self.flow(source, code), self.flow(stop, code)
        diagonal = code, cycle - high
        if any(low < at < high for at in self.values[diagonal]):
            raise Busy
        self.put(self.guards, diagonal, [*self.guards.get(diagonal, ()), (low, high)])

    def _access(self, q: Queue, cycle: int, op: Op, mask: int) -> None:
        name, slot, addr = q.unit.name, op.instr.slot, op["addr"]
        other = self.access.get((name, cycle, "write" if slot == "read" else "read"))
        bank = addr // self.config.bank_words
        if (name, cycle, slot) in self.access or other == bank:
            raise Busy
        self.put(self.access, (name, cycle, slot), bank)
        region = range(addr, addr + op.values.get("rows", 1))
        if slot == "read":
            if any(self.known.get((name, word), cycle) >= cycle for word in region):
                raise Busy
        else:
            if any(word not in self.free_words() for word in region):
                raise Busy
            since = self.known.get((name, addr), 1 << 40)
            if op.instr.name == "WRITE" and mask == self.full and cycle < since:
                self.put(self.known, (name, addr), cycle)

    # -- operands

    def feed(self, stop: int, code: int, cycle: int, mask: int, count: int = 1, gap: int = 1) -> None:
        """Makes sure that a value stands on a stream for every copy: one that is there, or READs of it."""
        cycles = [cycle + k * gap for k in range(count)]
        if all(mask & ~self.present(stop, code, t) == 0 for t in cycles) and self.rng.random() < 0.7:
            return
        self._from_memory(stop, code, cycle, mask, count, gap, None)

    def feed_word(self, stop: int, code: int, cycle: int, mask: int, addr: int) -> None:
        """Brings one certain word of some slice, and keeps it from being driven over."""
        self._from_memory(stop, code, cycle, mask, 1, 1, addr)

    def _from_memory(self, stop: int, code: int, cycle: int, mask: int, count: int, gap: int, addr) -> None:
        sources = [self.plan.unit(name) for name in self.slices]
        sources = [unit for unit in sources if self.flow(unit.stop, code) < self.flow(stop, code)]
        self.rng.shuffle(sources)
        for unit in sources:
            start = cycle - 2 - abs(unit.stop - stop) + 1
            if start < 0 or mask & ~self.mask(unit.name, start):
                continue
            try:
                with self.attempt():
                    first, stride = (addr, 0) if addr is not None else self.words_at(unit.name, start, count)
                    if addr is not None:
                        self.guard(stop, code, cycle, unit.stop)
                    self.issue(unit.name, start, "READ", count, gap, addr=first, stream=code, stride=stride)
                return
            except Busy:
                continue
        raise Busy

    def words_at(self, name: str, cycle: int, count: int) -> tuple[int, int]:
        """Address and stride of `count` words that are initialised by `cycle`."""
        if count == 1 and self.rng.random() < 0.3:
            written = [a for (n, a), since in self.known.items() if n == name and since < cycle]
            return self.rng.choice(written), self.rng.choice((0, 1, -3))
        first = self.rng.choice(self.zone_words())
        strides = [s for s in (-2, -1, 0, 1, 2) if first + s * (count - 1) in self.zone_words()]
        strides = [s for s in strides if all(first + s * k in self.zone_words() for k in range(count))]
        return first, self.rng.choice(strides)

    def build(self, program: Program) -> Program:
        """Puts everything into a program."""
        for queue, cycle, op, count, gap in sorted(self.entries, key=lambda e: e[1]):
            entry = program.place(queue, cycle, op)
            if count > 1 and not entry.copies:
                entry.repeat(count - 1, gap)
        return program
