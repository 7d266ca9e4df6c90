"""The host bus's master: moves packets between streams and the bus, and reads counters."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.enum import Enum
from amaranth.lib.wiring import In, Out

from hdl.host.axi import Axi4Stream
from hdl.host.bus import BusShape, HostBus
from hdl.host.load import Loader
from hdl.host.reader import Reader
from hdl.lib.ecc import decode, encode
from sw.arch.ecc import secded
from sw.arch.hostmap import Fault, Space

PIECES_IN_FLIGHT = 16
"""Reads asked for and not yet sent."""
PATIENCE = 4096
"""Cycles without an answer after which none is expected; far more than any floorplan needs."""


class Kind(Enum, shape=2):
    """What the bus is used for."""

    LOAD = 0
    READ = 1
    STATUS = 2


class Transfer(wiring.Component):
    """Runs one transfer or counter read at a time; who starts the next before `busy` falls breaks the
    contract.

    Members
    -------
    load_stream, read_stream, bus : see `Loader`, `Reader`, `HostBus`
    load, read : pulses that begin a transfer with space, unit, address, count, which stay until it ends
        and are in range
    ask, counter_queue, counter : pulse that reads a counter (number in space STATUS)
    told, told_value, told_nothing : pulse: the counter's value, or that no answer came
    abort : pulse, ends a transfer as soon as its answers are in
    loading, reading : a transfer is going on
    fault, code : pulse and reason
    corrected : pulse, a word read had one wrong bit
    """

    def __init__(self, shape: BusShape, stream_bytes: int):
        self.shape = shape
        self.stream_bytes = stream_bytes
        super().__init__({
            "load_stream": In(Axi4Stream(stream_bytes)),
            "read_stream": Out(Axi4Stream(stream_bytes)),
            "bus": Out(HostBus(shape)),
            "load": In(1),
            "read": In(1),
            "space": In(Space),
            "unit": In(shape.unit_bits),
            "address": In(shape.addr_bits),
            "count": In(shape.addr_bits + 1),
            "ask": In(1),
            "counter_queue": In(shape.unit_bits),
            "counter": In(1),
            "told": Out(1),
            "told_value": Out(32),
            "told_nothing": Out(1),
            "abort": In(1),
            "loading": Out(1),
            "reading": Out(1),
            "fault": Out(1),
            "code": Out(Fault),
            "corrected": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.loader = loader = Loader(self.shape, self.stream_bytes)
        m.submodules.reader = reader = Reader(self.shape, self.stream_bytes, PIECES_IN_FLIGHT)
        wiring.connect(m, wiring.flipped(self.load_stream), loader.stream)
        wiring.connect(m, reader.stream, wiring.flipped(self.read_stream))
        kind = Signal(Kind)
        with m.If(self.load):
            m.d.sync += kind.eq(Kind.LOAD)
        with m.Elif(self.read):
            m.d.sync += kind.eq(Kind.READ)
        with m.Elif(self.ask):
            m.d.sync += kind.eq(Kind.STATUS)
        self._request(m, loader, reader)
        answered, lost = self._answer(m, reader, kind)
        outstanding, expired = self._count(m, answered)
        stop = self.abort | expired
        m.d.comb += [
            loader.start.eq(self.load),
            loader.parts.eq(Mux(self.space == Space.QUEUE, self.shape.queue_parts, self.shape.superlanes)),
            loader.address.eq(self.address),
            loader.count.eq(self.count),
            loader.abort.eq(stop),
            reader.start.eq(self.read),
            reader.address.eq(self.address),
            reader.count.eq(self.count),
            reader.abort.eq(stop),
            reader.outstanding.eq(outstanding),
            self.loading.eq((kind == Kind.LOAD) & (loader.busy | loader.piece_valid | outstanding)),
            self.reading.eq((kind == Kind.READ) & (reader.busy | outstanding)),
            self.told.eq((kind == Kind.STATUS) & (answered | expired)),
            self.told_nothing.eq(expired),
            self.fault.eq(loader.fault | lost | expired),
            self.code.eq(Mux(expired, Fault.NO_ANSWER, Mux(lost, Fault.HOST_ECC, loader.code))),
        ]
        return m

    def _request(self, m, loader, reader):
        request = self.bus.request
        m.d.sync += request.valid.eq(loader.piece_valid | reader.ask | self.ask)
        with m.If(loader.piece_valid):
            m.d.sync += [
                request.write.eq(1), request.space.eq(self.space), request.unit.eq(self.unit),
                request.part.eq(loader.piece_part), request.addr.eq(loader.piece_addr),
                request.data.eq(loader.piece),
            ]
            if self.shape.ecc:
                check = encode(secded(self.shape.word_bits), loader.piece)
                m.d.sync += request.check.eq(Mux(self.space == Space.MEM, check, 0))
        with m.Elif(reader.ask):
            m.d.sync += [
                request.write.eq(0), request.space.eq(self.space), request.unit.eq(self.unit),
                request.part.eq(reader.ask_part), request.addr.eq(reader.ask_addr),
            ]
        with m.Elif(self.ask):
            m.d.sync += [
                request.write.eq(0), request.space.eq(Space.STATUS), request.unit.eq(self.counter_queue),
                request.part.eq(0), request.addr.eq(self.counter),
            ]

    def _answer(self, m, reader, kind):
        """Check what comes back; returns, a cycle later, that there was an answer and that it is lost."""
        answer = self.bus.answer
        answered = Signal()
        lost = Signal()
        piece = Signal(self.shape.word_bits)
        m.d.sync += [answered.eq(answer.valid), lost.eq(0), self.corrected.eq(0)]
        with m.If(answer.valid):
            m.d.sync += self.told_value.eq(answer.data)
            word = answer.data[:self.shape.word_bits]
            if self.shape.ecc:
                word, corrected, bad = decode(m, secded(self.shape.word_bits), word, answer.check)
                wanted = kind == Kind.READ
                m.d.sync += [lost.eq(wanted & bad), self.corrected.eq(wanted & corrected)]
                word = Mux(bad, 0, word)
            m.d.sync += piece.eq(word)
        m.d.comb += [
            reader.piece_valid.eq(answered & (kind == Kind.READ)),
            reader.piece.eq(piece),
            reader.piece_lost.eq(lost),
        ]
        return answered, lost

    def _count(self, m, answered):
        """Returns whether answers are to come, and a pulse when they have been waited for too long."""
        asked = self.bus.request.valid
        waiting = Signal(range(PATIENCE + 1))
        silence = Signal(range(PATIENCE))
        expired = Signal()
        m.d.comb += expired.eq(silence == PATIENCE - 1)
        with m.If(expired):
            m.d.sync += waiting.eq(0)
        with m.Elif(asked & ~answered):
            m.d.sync += waiting.eq(waiting + 1)
        with m.Elif(answered & ~asked & waiting.any()):
            m.d.sync += waiting.eq(waiting - 1)
        with m.If(waiting.any() & ~answered & ~expired):
            m.d.sync += silence.eq(silence + 1)
        with m.Elif(silence.any()):
            m.d.sync += silence.eq(0)
        return Cat(waiting, asked).any(), expired
