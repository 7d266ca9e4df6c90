"""An instruction queue: memory, control words, and one word a cycle to its unit."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.bus import answer, bus_shape, request
from hdl.lib.ecc import parity
from hdl.lib.fault import corrected_bits
from hdl.lib.issue import Issue
from hdl.lib.sram import Sram
from hdl.lib.stamp import stamp
from hdl.lib.stream import data_bits
from hdl.lib.tally import tally
from sw.arch.config import Config
from sw.arch.hostmap import Counter, Fault, Space
from sw.isa.codec import WORD_BYTES, layout
from sw.isa.fields import KIND_BITS, KINDS, SLOTS, width_of
from sw.isa.table import rows

KIND = {name: code for code, name in enumerate(KINDS)}
RELEASE_CYCLES = 2
"""Cycles from `start` to cycle 0, in which word 0 stands at tile 0."""


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

    def elaborate(self, platform):
        m = Module()
        c, depth = self.config, self.config.queue_words
        parity_bits = 1 if c.ecc.queues else 0
        m.submodules.memory = memory = stamp(Sram(depth, self.bits + parity_bits), f"queue_memory_{self.bits}")

        boot = Signal(range(depth + 1))
        waiting = Signal(range(depth + 1))  # words not yet popped, the head included
        ringed = Signal(range(depth + 1))  # of these, words in the ring
        pc, ahead = Signal(range(depth)), Signal(range(depth))
        head_valid, pop = Signal(), Signal()
        head = memory.read_data[: self.bits]
        kind = head[:KIND_BITS]

        # -- writes: boot part from the host, ring from fetches
        write = self._host_writes(m, memory, boot)
        stored, overflow = self._fetches(m, memory, boot, ringed, write)

        # -- the head: re-read until it is there
        def after(pointer):
            return Mux(pointer == depth - 1, boot, pointer + 1)

        m.d.comb += ahead.eq(Mux(pop, after(pc), pc))
        m.d.comb += [memory.read_addr.eq(ahead), memory.read_en.eq(pop | ~head_valid)]
        with m.If(self.start):
            m.d.comb += memory.read_en.eq(1)
            m.d.comb += memory.read_addr.eq(0)
            m.d.sync += [pc.eq(0), waiting.eq(boot), ringed.eq(0), head_valid.eq(boot != 0)]
        with m.Else():
            m.d.sync += [pc.eq(ahead), head_valid.eq(waiting > pop), waiting.eq(waiting - pop + stored)]
            m.d.sync += ringed.eq(ringed - (pop & (pc >= boot)) + stored)

        # -- control
        last = Signal(self.bits, reset_less=True)
        wait, copies = Signal(16), Signal(16)
        gap, pause = Signal(12, reset_less=True), Signal(12, reset_less=True)
        active, started = Signal(), Signal()
        again = Signal()
        m.d.comb += self.issue.word.eq(last)
        m.d.sync += [self.issue.valid.eq(0), self.notify.eq(0), self.fetch.eq(0)]
        with m.If(self.reset):
            m.d.sync += [active.eq(0), started.eq(0), self.halted.eq(0)]
        with m.Elif(self.start):
            m.d.sync += [active.eq(boot != 0), started.eq(1), wait.eq(0), copies.eq(0), self.issue.mask.eq(~0)]
        with m.Elif(active & self.run):
            with m.If(copies != 0):
                with m.If(pause == 0):
                    m.d.comb += again.eq(1)
                    m.d.sync += [copies.eq(copies - 1), pause.eq(gap)]
                with m.Else():
                    m.d.sync += pause.eq(pause - 1)
            with m.Elif(wait != 0):
                m.d.sync += wait.eq(wait - 1)
            with m.Elif(~head_valid):
                m.d.comb += self.fault.eq(Fault.QUEUE_UNDERRUN)
            with m.Else():
                self._head(m, head, kind, pop, last, wait, copies, gap, pause, active, again)
        with m.If(started & ~active & ~self.reset):
            m.d.sync += self.halted.eq(1)
        with m.If(again):
            m.d.sync += [
                last.eq(self._advanced(last)),
                self.issue.valid.eq(last[:KIND_BITS] == KIND["UNIT"]),
                self.notify.eq(last[:KIND_BITS] == KIND["NOTIFY"]),
            ]
        with m.If(overflow):
            m.d.comb += self.fault.eq(Fault.RING_OVERFLOW)
        if parity_bits:
            with m.If(pop & (memory.read_data.xor())):
                m.d.comb += self.fault.eq(Fault.QUEUE_PARITY)
        self._counters(m)
        return m

    def _head(self, m, head, kind, pop, last, wait, copies, gap, pause, active, again):
        """Takes the word at the head."""
        places = layout(self.cls, self.config).slots["icu"]

        def value(name):
            place = places[name]
            return head[place.offset : place.offset + place.bits]

        m.d.comb += pop.eq(1)
        with m.Switch(kind):
            with m.Case(KIND["UNIT"]):
                m.d.sync += [last.eq(head), self.issue.valid.eq(1)]
            with m.Case(KIND["NOP"]):
                m.d.sync += wait.eq(value("NOP.n") - 1)
            with m.Case(KIND["REPEAT"]):
                n, distance = value("REPEAT.n"), value("REPEAT.gap")
                m.d.sync += gap.eq(distance - 1)
                with m.If(distance == 1):
                    m.d.comb += again.eq(1)
                    m.d.sync += [copies.eq(n - 1), pause.eq(0)]
                with m.Else():
                    m.d.sync += [copies.eq(n), pause.eq(distance - 2)]
            with m.Case(KIND["IFETCH"]):
                m.d.sync += [self.fetch.eq(1), self.fetch_stream.eq(value("IFETCH.stream"))]
            with m.Case(KIND["SYNC"]):
                m.d.comb += pop.eq(self.notified)
            with m.Case(KIND["NOTIFY"]):
                m.d.sync += [last.eq(head), self.notify.eq(1)]
            with m.Case(KIND["CONFIG"]):
                m.d.sync += [last.eq(head), self.issue.mask.eq(value("CONFIG.mask"))]
            with m.Case(KIND["HALT"]):
                m.d.comb += pop.eq(0)
                m.d.sync += [active.eq(0), self.halted.eq(1)]

    def _advanced(self, word):
        """`word` with every strided field advanced once; the slots of a word advance on their own."""
        form = layout(self.cls, self.config)
        pieces, at = [], 0
        for slot in SLOTS[self.cls]:
            strides = {pair for instr in rows(self.cls, slot).values() for pair in instr.strides}
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
        complete = Signal()
        word = gathered[: self.bits]
        with m.If(hit):
            m.d.sync += gathered.word_select(self.request.part[: width_of(parts)], 8 * c.lanes).eq(
                self.request.data
            )
        address = Signal(range(c.queue_words), reset_less=True)
        m.d.sync += complete.eq(hit & (self.request.part == parts - 1))
        with m.If(hit):
            m.d.sync += address.eq(self.request.addr)
        with m.If(complete):
            m.d.comb += [memory.write_en.eq(1), memory.write_addr.eq(address)]
            m.d.comb += memory.write_data.eq(Cat(word, parity(word)))
            m.d.sync += boot.eq(address + 1)
        return complete

    def _fetches(self, m, memory, boot, ringed, host_write):
        """Assembles fetched text into words and writes them to the ring, one a cycle; returns (stored, overflow)."""
        c, pair_bits, word_bits = self.config, 2 * data_bits(self.config), 8 * WORD_BYTES
        stored, overflow = Signal(), Signal()
        pointer = Signal(range(c.queue_words))
        text = Signal(word_bits)
        if pair_bits > word_bits:
            later, second = Signal(pair_bits - word_bits, reset_less=True), Signal()
            m.d.sync += second.eq(self.fetched)
            with m.If(self.fetched):
                m.d.sync += later.eq(self.pair[word_bits:])
            m.d.comb += [text.eq(Mux(second, later, self.pair)), stored.eq(self.fetched | second)]
        elif pair_bits == word_bits:
            m.d.comb += [text.eq(self.pair), stored.eq(self.fetched)]
        else:
            half, odd = Signal(pair_bits, reset_less=True), Signal()
            with m.If(self.start):
                m.d.sync += odd.eq(0)
            with m.Elif(self.fetched):
                m.d.sync += [odd.eq(~odd), half.eq(self.pair)]
            m.d.comb += [text.eq(Cat(half, self.pair)), stored.eq(self.fetched & odd)]
        room = c.queue_words - boot
        m.d.comb += overflow.eq(stored & (ringed >= room))
        with m.If(self.start):
            m.d.sync += pointer.eq(Mux(boot == c.queue_words, 0, boot))
        with m.Elif(stored):
            word = text[: self.bits]
            m.d.comb += [memory.write_en.eq(1), memory.write_addr.eq(pointer)]
            m.d.comb += memory.write_data.eq(Cat(word, parity(word)))
            m.d.sync += pointer.eq(Mux(pointer == c.queue_words - 1, boot, pointer + 1))
        return stored, overflow

    def _counters(self, m):
        """Busy cycles and corrections of this run, read in space STATUS. They stay at their greatest value."""
        busy, corrected = Signal(32), Signal(32)
        with m.If(self.clear):
            m.d.sync += [busy.eq(0), corrected.eq(0)]
        with m.Else():
            with m.If(self.issue.valid):
                m.d.sync += busy.eq(tally(busy, 1))
            with m.If(self.corrected != 0):
                m.d.sync += corrected.eq(tally(corrected, self.corrected))
        hit = self.request.valid & (self.request.unit == self.index)
        counter, queue = Space.STATUS, Space.QUEUE
        asked, done, which = Signal(), Signal(), Signal(reset_less=True)
        m.d.sync += asked.eq(hit & (self.request.space == counter) & ~self.request.write)
        m.d.sync += done.eq(hit & (self.request.space == queue) & self.request.write)
        with m.If(hit):
            m.d.sync += which.eq(self.request.addr[0])
        m.d.sync += [self.answer.valid.eq(asked | done), self.answer.data.eq(0)]
        with m.If(asked):
            m.d.sync += self.answer.data.eq(Mux(which == Counter.CORRECTED, corrected, busy))
