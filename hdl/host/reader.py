"""Words read from the bus to the output stream: the reading half of the host port."""

from amaranth import Module, Signal
from amaranth.lib import fifo, wiring
from amaranth.lib.enum import Enum
from amaranth.lib.wiring import In, Out

from hdl.host.axi import Axi4Stream
from hdl.host.bus import BusShape


class Step(Enum, shape=2):
    """What the reader does. CLOSE ends an aborted packet, FLUSH waits for answers that are not wanted."""

    IDLE = 0
    SEND = 1
    CLOSE = 2
    FLUSH = 3


class Reader(wiring.Component):
    """Asks for `count` vectors of MEM, superlane by superlane, and sends them as one packet.

    Never more than `depth` pieces are asked for and not sent, so an answer always finds room. An aborted
    packet that has begun is closed by one more beat, zero, with TLAST and TUSER.

    Members
    -------
    stream : the packet; TLAST with its last beat, TUSER with a beat of a lost word
    start, address, count : pulse that begins a read; the rest stays valid from then on
    abort : pulse, ends the read
    busy : a read is going on, or its packet has not been taken
    ask, ask_part, ask_addr : a request to make in this cycle
    piece_valid, piece, piece_lost : an answer; a lost piece is zero
    outstanding : answers are still to come
    """

    def __init__(self, shape: BusShape, stream_bytes: int, depth: int):
        self.shape = shape
        self.stream_bytes = stream_bytes
        self.depth = depth
        super().__init__({
            "stream": Out(Axi4Stream(stream_bytes)),
            "start": In(1),
            "address": In(shape.addr_bits),
            "count": In(shape.addr_bits + 1),
            "abort": In(1),
            "busy": Out(1),
            "ask": Out(1),
            "ask_part": Out(shape.part_bits),
            "ask_addr": Out(shape.addr_bits),
            "piece_valid": In(1),
            "piece": In(shape.word_bits),
            "piece_lost": In(1),
            "outstanding": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        step = Signal(Step)
        m.submodules.pieces = pieces = fifo.SyncFIFOBuffered(width=self.shape.word_bits + 1, depth=self.depth)
        room = Signal(range(self.depth + 1), init=self.depth)
        opened = Signal()
        last_sent = Signal()
        m.d.comb += [
            self.busy.eq(step != Step.IDLE),
            pieces.w_en.eq(self.piece_valid),
            pieces.w_data[:-1].eq(self.piece),
            pieces.w_data[-1].eq(self.piece_lost),
            self.stream.tkeep.eq(-1),
            last_sent.eq(self.stream.tvalid & self.stream.tready & self.stream.tlast),
        ]
        self._ask(m, step, room)
        fill, take = self._send(m, step, pieces)
        with m.If(self.ask & ~take):
            m.d.sync += room.eq(room - 1)
        with m.Elif(take & ~self.ask):
            m.d.sync += room.eq(room + 1)
        with m.Switch(step):
            with m.Case(Step.IDLE):
                with m.If(self.start):
                    m.d.sync += [step.eq(Step.SEND), opened.eq(0)]
            with m.Case(Step.SEND):
                with m.If(self.stream.tvalid):
                    m.d.sync += opened.eq(1)
                with m.If(last_sent):
                    m.d.sync += step.eq(Step.IDLE)
                with m.Elif(self.abort):
                    m.d.sync += step.eq(Step.FLUSH)
                    with m.If(opened | self.stream.tvalid | fill):
                        m.d.sync += step.eq(Step.CLOSE)
            with m.Case(Step.CLOSE):
                with m.If(last_sent):
                    m.d.sync += step.eq(Step.FLUSH)
            with m.Case(Step.FLUSH):
                with m.If(~self.outstanding & (pieces.level == 0)):
                    m.d.sync += [step.eq(Step.IDLE), room.eq(self.depth)]
        return m

    def _ask(self, m, step, room):
        part = Signal(self.shape.part_bits)
        addr = Signal(self.shape.addr_bits)
        left = Signal(self.shape.addr_bits + 1)
        m.d.comb += [
            self.ask.eq((step == Step.SEND) & (left != 0) & (room != 0)),
            self.ask_part.eq(part),
            self.ask_addr.eq(addr),
        ]
        with m.If(self.start & (step == Step.IDLE)):
            m.d.sync += [part.eq(0), addr.eq(self.address), left.eq(self.count)]
        with m.Elif(self.ask):
            m.d.sync += part.eq(part + 1)
            with m.If(part == self.shape.superlanes - 1):
                m.d.sync += [part.eq(0), addr.eq(addr + 1), left.eq(left - 1)]

    def _send(self, m, step, pieces):
        """Fill the output register; returns whether it is filled and whether a piece leaves the FIFO."""
        beats = self.shape.lanes // self.stream_bytes
        beat = Signal(range(beats))
        part = Signal(self.shape.part_bits)
        left = Signal(self.shape.addr_bits + 1)
        free = Signal()
        fill = Signal()
        drop = Signal()
        take = Signal()
        m.d.comb += [
            free.eq(~self.stream.tvalid | self.stream.tready),
            fill.eq((step == Step.SEND) & free & pieces.r_rdy & (left != 0)),
            drop.eq((step == Step.CLOSE) | (step == Step.FLUSH)),
            take.eq(pieces.r_rdy & (drop | (fill & (beat == beats - 1)))),
            pieces.r_en.eq(take),
        ]
        with m.If(self.start & (step == Step.IDLE)):
            m.d.sync += [beat.eq(0), part.eq(0), left.eq(self.count)]
        with m.If(free):
            m.d.sync += self.stream.tvalid.eq(0)
        with m.If(fill):
            m.d.sync += [
                self.stream.tvalid.eq(1),
                self.stream.tdata.eq(pieces.r_data[:-1].word_select(beat, 8 * self.stream_bytes)),
                self.stream.tuser.eq(pieces.r_data[-1]),
                self.stream.tlast.eq(0),
                beat.eq(beat + 1),
            ]
            with m.If(beat == beats - 1):
                m.d.sync += [beat.eq(0), part.eq(part + 1)]
                with m.If(part == self.shape.superlanes - 1):
                    m.d.sync += [part.eq(0), left.eq(left - 1), self.stream.tlast.eq(left == 1)]
        with m.If((step == Step.CLOSE) & free & ~(self.stream.tvalid & self.stream.tlast)):
            m.d.sync += [
                self.stream.tvalid.eq(1), self.stream.tdata.eq(0),
                self.stream.tlast.eq(1), self.stream.tuser.eq(1),
            ]
        return fill, take
