"""Input stream to bus writes: the loading half of the host port."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.enum import Enum
from amaranth.lib.wiring import In, Out

from hdl.host.axi import Axi4Stream
from hdl.host.bus import BusShape
from sw.arch.hostmap import Fault


class Step(Enum, shape=2):
    """What the loader is doing."""

    IDLE = 0
    TAKE = 1
    DISCARD = 2


class Loader(wiring.Component):
    """Cuts a packet of `count` words into pieces of `lanes` bytes.

    A word is `parts` pieces; TLAST has to come with its last beat and only there, and TKEEP has to be all
    ones. Otherwise the load ends with a fault, what was complete is written, and the rest of the packet is
    thrown away. The stream is taken at a beat a cycle, and only between `start` and the end of the packet.

    Members
    -------
    stream : the packet
    start, parts, address, count : pulse that begins a load; the rest stays valid from then on
    abort : pulse, forgets the load
    busy : a load is going on
    fault, code : pulse and reason
    piece_valid, piece, piece_part, piece_addr : a piece to write
    """

    def __init__(self, shape: BusShape, stream_bytes: int):
        self.shape = shape
        self.stream_bytes = stream_bytes
        super().__init__({
            "stream": In(Axi4Stream(stream_bytes)),
            "start": In(1),
            "parts": In(shape.part_bits + 1),
            "address": In(shape.addr_bits),
            "count": In(shape.addr_bits + 1),
            "abort": In(1),
            "busy": Out(1),
            "fault": Out(1),
            "code": Out(Fault),
            "piece_valid": Out(1),
            "piece": Out(shape.word_bits),
            "piece_part": Out(shape.part_bits),
            "piece_addr": Out(shape.addr_bits),
        })

    def elaborate(self, platform):
        m = Module()
        step = Signal(Step)
        beats = self.shape.lanes // self.stream_bytes
        beat = Signal(range(beats))
        part = Signal(self.shape.part_bits)
        addr = Signal(self.shape.addr_bits)
        left = Signal(self.shape.addr_bits + 1)
        last_part = Signal()
        m.d.comb += [
            self.busy.eq(step != Step.IDLE),
            self.stream.tready.eq(step != Step.IDLE),
            last_part.eq(part + 1 == self.parts),
        ]
        m.d.sync += self.piece_valid.eq(0)
        with m.Switch(step):
            with m.Case(Step.IDLE):
                with m.If(self.start):
                    m.d.sync += [step.eq(Step.TAKE), beat.eq(0), part.eq(0), addr.eq(self.address),
                                 left.eq(self.count)]
            with m.Case(Step.TAKE):
                with m.If(self.stream.tvalid):
                    self._take(m, step, beat, part, addr, left, last_part)
            with m.Case(Step.DISCARD):
                with m.If(self.stream.tvalid & self.stream.tlast):
                    m.d.sync += step.eq(Step.IDLE)
        with m.If(self.abort):
            m.d.sync += step.eq(Step.IDLE)
        return m

    def _take(self, m, step, beat, part, addr, left, last_part):
        """Take a beat, hand on a full piece, compare the packet's end with the count."""
        beats = self.shape.lanes // self.stream_bytes
        with m.If(self.stream.tkeep.all()):
            m.d.sync += [
                self.piece.word_select(beat, 8 * self.stream_bytes).eq(self.stream.tdata),
                self.piece_part.eq(part),
                self.piece_addr.eq(addr),
                beat.eq(beat + 1),
            ]
            with m.If(beat == beats - 1):
                m.d.sync += [self.piece_valid.eq(1), beat.eq(0), part.eq(part + 1)]
                with m.If(last_part):
                    m.d.sync += [part.eq(0), addr.eq(addr + 1), left.eq(left - 1)]
        end = Signal()
        m.d.comb += end.eq((beat == beats - 1) & last_part & (left == 1))
        with m.If(self.stream.tlast):
            m.d.sync += step.eq(Step.IDLE)
        with m.Elif(end | ~self.stream.tkeep.all()):
            m.d.sync += step.eq(Step.DISCARD)
        with m.If(~self.stream.tkeep.all()):
            m.d.comb += [self.fault.eq(1), self.code.eq(Fault.LOAD_PARTIAL_BEAT)]
        with m.Elif(self.stream.tlast & ~end):
            m.d.comb += [self.fault.eq(1), self.code.eq(Fault.LOAD_TRUNCATED)]
        with m.Elif(end & ~self.stream.tlast):
            m.d.comb += [self.fault.eq(1), self.code.eq(Fault.LOAD_OVERLONG)]
