"""An instruction queue: memory, control words, and one word a cycle to its unit."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.counters import count
from hdl.lib.bus import answer, bus_shape, request
from hdl.lib.ecc import parity
from hdl.lib.fault import corrected_bits
from hdl.lib.gate import Awake
from hdl.lib.issue import Issue
from hdl.lib.sram import Sram
from hdl.lib.stamp import stamp
from hdl.lib.stream import data_bits
from hdl.lib.text import joined
from sw.arch.config import Config
from sw.arch.hostmap import Fault, Space
from sw.isa.codec import layout
from sw.isa.fields import KIND_BITS, KINDS, SLOTS, WORD_BYTES, width_of
from sw.isa.table import by_code

KIND = {name: code for code, name in enumerate(KINDS)}
RELEASE_CYCLES = 2
"""Cycles from `start` to cycle 0, in which word 0 stands at tile 0."""

SETTLES = 3
"""Cycles after which nothing changes any more in a queue that is idle."""


class _Word:
    """What the queue does now: the word that it issued last, cycles that it waits still, copies that it issues still, the
    distance between those less one, and cycles until the next."""

    def __init__(self, bits: int):
        self.last = Signal(bits, reset_less=True)
        self.waits = Signal(16)
        self.copies = Signal(16)
        self.gap = Signal(12, reset_less=True)
        self.pause = Signal(12, reset_less=True)


class Queue(wiring.Component):
    """One in-order queue of class `cls`: boot part from word 0, ring for fetched words behind it.

    Members
    -------
    clear : In(1)
        Pulse: counters to zero.
    reset : In(1)
        Pulse: stops and is no longer halted.
    start : In(1)
        Pulse: back to word 0 with an empty ring; word 0 issues RELEASE_CYCLES later.
    run : In(1)
        Low holds the queue where it is (after a fault).
    index : In
        Number of this queue on the host bus.
    request, answer
        Host bus: QUEUE writes load the boot part in order and set its length; STATUS reads give the counters.
    fetched, pair : In
        Text that comes south, low stream in the low half.
    notified : In(1)
        A NOTIFY lands: a queue that is parked goes on RELEASE_CYCLES later.
    issue : Out(Issue), fetch : Out(1), fetch_stream : Out, notify : Out(1)
        What stands at tile 0 in this cycle.
    halted : Out(1)
        High from the issue cycle of HALT (or from the start of an empty queue) to the next start.
    fault : Out(Fault)
        0, or what went wrong in this cycle.
    """

    def __init__(self, c: Config, cls: str):
        self.config, self.cls = c, cls
        self.bits = layout(cls, c).bits
        stream = width_of(c.streams) + 1
        super().__init__({
            "clear": In(1),
            "reset": In(1),
            "start": In(1),
            "run": In(1),
            "index": In(bus_shape(c).unit_bits),
            "request": In(request(c)),
            "answer": Out(answer(c)),
            "corrected": In(corrected_bits(c)),
            "fetched": In(1),
            "pair": In(2 * data_bits(c)),
            "notified": In(1),
            "issue": Out(Issue(c, cls)),
            "fetch": Out(1),
            "fetch_stream": Out(stream),
            "notify": Out(1),
            "halted": Out(1),
            "fault": Out(Fault),
        })
        self._active = Signal(name="active")

    @property
    def awake(self) -> Awake:
        asked = self.request.valid
        return Awake((self._active, self.clear, self.reset, self.start, asked, self.fetched, self.corrected), SETTLES)

    def elaborate(self, platform):
        m = Module()
        c, depth = self.config, self.config.queue_words
        parity_bits = 1 if c.ecc.queues else 0
        m.submodules.memory = memory = stamp(Sram(depth, self.bits + parity_bits), f"queue_memory_{self.bits}")
        boot = Signal(range(depth + 1))
        pop = Signal()
        self._host_writes(m, memory, boot)
        text, stored = joined(m, self.start, self.fetched, self.pair, 8 * WORD_BYTES)
        ringed = self._ring(m, memory, boot, text[: self.bits], stored)
        head, head_valid = self._ahead(m, memory, boot, ringed, pop, stored)
        self._control(m, boot, head, head_valid, pop)
        with m.If(stored & (ringed >= c.queue_words - boot)):
            m.d.comb += self.fault.eq(Fault.RING_OVERFLOW)
        if parity_bits:
            with m.If(pop & (memory.read_data.xor())):
                m.d.comb += self.fault.eq(Fault.QUEUE_PARITY)
        count(m, self)
        return m

    def _ahead(self, m, memory, boot, ringed, pop, stored):
        """Reads the word at the head ahead of time, again until it is there; gives the word and whether it is there."""
        depth = self.config.queue_words
        waiting = Signal(range(depth + 1))  # words not yet popped, the head included
        pc = Signal(range(depth))
        ahead = Signal(range(depth))
        head_valid = Signal()
        m.d.comb += ahead.eq(Mux(pop, _after(pc, boot, depth), pc))
        m.d.comb += [memory.read_addr.eq(ahead), memory.read_en.eq(pop | ~head_valid)]
        with m.If(self.start):
            m.d.comb += memory.read_en.eq(1)
            m.d.comb += memory.read_addr.eq(0)
            m.d.sync += [pc.eq(0), waiting.eq(boot), ringed.eq(0), head_valid.eq(boot != 0)]
        with m.Else():
            m.d.sync += [pc.eq(ahead), head_valid.eq(waiting > pop), waiting.eq(waiting - pop + stored)]
            m.d.sync += ringed.eq(ringed - (pop & (pc >= boot)) + stored)
        return memory.read_data[: self.bits], head_valid

    def _control(self, m, boot, head, head_valid, pop):
        """Waits, repeats, or takes the word at the head."""
        active = self._active
        started = Signal()
        again = Signal()
        now = _Word(self.bits)
        m.d.comb += self.issue.word.eq(now.last)
        m.d.sync += [self.issue.valid.eq(0), self.notify.eq(0), self.fetch.eq(0)]
        with m.If(self.reset):
            m.d.sync += [active.eq(0), started.eq(0), self.halted.eq(0)]
        with m.Elif(self.start):
            m.d.sync += [active.eq(boot != 0), started.eq(1), now.waits.eq(0), now.copies.eq(0), self.issue.mask.eq(~0)]
        with m.Elif(active & self.run):
            with m.If(now.copies != 0):
                with m.If(now.pause == 0):
                    m.d.comb += again.eq(1)
                    m.d.sync += [now.copies.eq(now.copies - 1), now.pause.eq(now.gap)]
                with m.Else():
                    m.d.sync += now.pause.eq(now.pause - 1)
            with m.Elif(now.waits != 0):
                m.d.sync += now.waits.eq(now.waits - 1)
            with m.Elif(~head_valid):
                m.d.comb += self.fault.eq(Fault.QUEUE_UNDERRUN)
            with m.Else():
                self._head(m, head, now, pop, active, again)
        with m.If(started & ~active & ~self.reset):
            m.d.sync += self.halted.eq(1)
        with m.If(again):
            m.d.sync += [
                now.last.eq(self._advanced(now.last)),
                self.issue.valid.eq(now.last[:KIND_BITS] == KIND["UNIT"]),
                self.notify.eq(now.last[:KIND_BITS] == KIND["NOTIFY"]),
            ]

    def _head(self, m, head, now, pop, active, again):
        """Takes the word at the head."""
        places = layout(self.cls, self.config).slots["icu"]

        def value(name):
            place = places[name]
            return head[place.offset : place.offset + place.bits]

        m.d.comb += pop.eq(1)
        with m.Switch(head[:KIND_BITS]):
            with m.Case(KIND["UNIT"]):
                m.d.sync += [now.last.eq(head), self.issue.valid.eq(1)]
            with m.Case(KIND["NOP"]):
                m.d.sync += now.waits.eq(value("NOP.n") - 1)
            with m.Case(KIND["REPEAT"]):
                n, distance = value("REPEAT.n"), value("REPEAT.gap")
                m.d.sync += now.gap.eq(distance - 1)
                with m.If(distance == 1):
                    m.d.comb += again.eq(1)
                    m.d.sync += [now.copies.eq(n - 1), now.pause.eq(0)]
                with m.Else():
                    m.d.sync += [now.copies.eq(n), now.pause.eq(distance - 2)]
            with m.Case(KIND["IFETCH"]):
                m.d.sync += [self.fetch.eq(1), self.fetch_stream.eq(value("IFETCH.stream"))]
            with m.Case(KIND["SYNC"]):
                m.d.comb += pop.eq(self.notified)
            with m.Case(KIND["NOTIFY"]):
                m.d.sync += [now.last.eq(head), self.notify.eq(1)]
            with m.Case(KIND["CONFIG"]):
                m.d.sync += [now.last.eq(head), self.issue.mask.eq(value("CONFIG.mask"))]
            with m.Case(KIND["HALT"]):
                m.d.comb += pop.eq(0)
                m.d.sync += [active.eq(0), self.halted.eq(1)]

    def _advanced(self, word):
        """`word` with every strided field advanced once; the slots of a word advance on their own."""
        form = layout(self.cls, self.config)
        pieces, at = [], 0
        for slot in SLOTS[self.cls]:
            strides = {pair for instr in by_code(self.cls, slot).values() for pair in instr.strides}
            for field, stride in sorted(strides, key=lambda pair: form.slots[slot][pair[0]].offset):
                place, step = form.slots[slot][field], form.slots[slot][stride]
                amount = word[step.offset : step.offset + step.bits].as_signed()
                value = word[place.offset : place.offset + place.bits]
                pieces += [word[at : place.offset], (value + amount)[: place.bits]]
                at = place.offset + place.bits
        return Cat(*pieces, word[at:])

    def _host_writes(self, m, memory, boot):
        """Collects the parts of a word from the host; the last part writes it and sets the boot length."""
        c = self.config
        parts = WORD_BYTES // c.lanes
        hit = Signal()
        m.d.comb += hit.eq(
            self.request.valid & self.request.write & (self.request.space == Space.QUEUE) & (self.request.unit == self.index)
        )
        gathered = Signal(8 * WORD_BYTES, reset_less=True)
        address = Signal(range(c.queue_words), reset_less=True)
        complete = Signal()
        word = gathered[: self.bits]
        with m.If(hit):
            part = gathered.word_select(self.request.part[: width_of(parts)], 8 * c.lanes)
            m.d.sync += [part.eq(self.request.data), address.eq(self.request.addr)]
        m.d.sync += complete.eq(hit & (self.request.part == parts - 1))
        with m.If(complete):
            m.d.comb += [memory.write_en.eq(1), memory.write_addr.eq(address)]
            m.d.comb += memory.write_data.eq(Cat(word, parity(word)))
            m.d.sync += boot.eq(address + 1)

    def _ring(self, m, memory, boot, word, stored):
        """Writes fetched words to the ring, behind the boot part; gives how many are in it, which `_ahead` counts."""
        depth = self.config.queue_words
        pointer = Signal(range(depth))
        ringed = Signal(range(depth + 1))
        with m.If(self.start):
            m.d.sync += pointer.eq(Mux(boot == depth, 0, boot))
        with m.Elif(stored):
            m.d.comb += [memory.write_en.eq(1), memory.write_addr.eq(pointer)]
            m.d.comb += memory.write_data.eq(Cat(word, parity(word)))
            m.d.sync += pointer.eq(_after(pointer, boot, depth))
        return ringed


def _after(pointer, boot, depth):
    """The place behind `pointer`: the last word's is the first of the ring."""
    return Mux(pointer == depth - 1, boot, pointer + 1)
