"""A link port: the column of its two queues, and what it has in every superlane."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.c2c.elastic import Elastic
from hdl.c2c.hac import told
from hdl.c2c.receive import Receive
from hdl.c2c.transmit import Transmit
from hdl.column import Column
from hdl.lib.ecc import encode
from hdl.lib.issue import northward
from hdl.lib.operands import Operands
from hdl.lib.stamp import stamp
from hdl.lib.stream import Drive, data_bits
from hdl.lib.tap import Tap
from hdl.lib.word import fields
from sw.arch.config import Config
from sw.arch.ecc import secded
from sw.arch.hostmap import Fault
from sw.arch.links import frame_words
from sw.isa.fields import width_of
from sw.isa.table import instruction

#: Cycles in which a port does not listen, before an iteration.
_DEAF = 8


class PortTile(wiring.Component):
    """One superlane of a port: takes what is sent, drives what was received.

    Members
    -------
    send, stream : In
        SEND in this tile's issue cycle, with power, and its operand.
    taken : Out
        Corrected bytes, `latch` cycles later, zero if there was no SEND with power.
    result_valid, result, target : In
        Received bytes and the stream to drive, now.
    corrected, fault : Out
        What the check of the operand found.
    """

    def __init__(self, c: Config, sim: bool = False):
        self.config, self.sim = c, sim
        code = width_of(c.streams) + 1
        super().__init__({
            "tap_0": Out(Tap(c, 1, sim)),
            "drive_0": Out(Drive(c, (1,))),
            "send": In(1),
            "stream": In(code),
            "taken": Out(data_bits(c)),
            "result_valid": In(1),
            "result": In(data_bits(c)),
            "target": In(code),
            "corrected": Out(1),
            "fault": Out(Fault),
        })

    def elaborate(self, platform):
        m = Module()
        unit = Operands(self.config, (1,), 0, self.sim)
        m.submodules.source = source = stamp(unit, unit.module, tap=self.tap_0)
        drive = self.drive_0
        m.d.comb += [
            source.take.eq(self.send),
            source.code.eq(self.stream),
            self.taken.eq(source.valid.replicate(len(self.taken)) & source.words),
            self.corrected.eq(source.corrected),
            drive.valid.eq(self.result_valid),
            drive.west.eq(self.target[-1]),
            drive.stream.eq(self.target[:-1]),
            drive.data.eq(self.result),
        ]
        with m.If(source.uncorrectable):
            m.d.comb += self.fault.eq(Fault.ECC)
        if self.config.ecc.streams:
            with m.If(self.result_valid):
                m.d.comb += drive.check.eq(encode(secded(data_bits(self.config)), self.result))
        return m


class Port(Column):
    """The column of one port: queue 0 is that of its transmit half, queue 1 that of its receive half.

    Members
    -------
    tx : Out, rx : In, rx_clk : In
        The wires; a word in every cycle of the chip's clock, and of `rx_clk`.
    hac : In(8)
    start, listen : In(1)
        An iteration begins; queues wait for the HAC: the port looks for marks until it is aligned.
    told, valid : Out
        A count of the other chip that has come while the port looks for a mark.
    heard : Out(1)
        The mark has come.
    deskew, pause : Out(1), t : Out(12)
        DESKEW or RUNTIME_DESKEW is issued, and how long it takes.
    blocks : Out(1)
        DESKEW waits for a mark that has not come.
    word : Out, state : Out(Fault)
        What stands at the receive half.
    word_k, state_k : In
        The same of all ports of the unit, for FORWARD.
    passes : Out, passed : In(1)
        A bit for each port of the unit: FORWARD passes on what stands there; one of them passes on what stands here.
    damaged : Out(1)
        A frame that came in here and is passed on has wrong bytes.
    """

    def __init__(self, c: Config, sim: bool = False):
        bits = 8 * c.c2c.link_bytes
        members = {
            "tx": Out(bits),
            "rx": In(bits),
            "rx_clk": In(1),
            "hac": In(8),
            "start": In(1),
            "listen": In(1),
            "told": Out(8),
            "valid": Out(1),
            "heard": Out(1),
            "deskew": Out(1),
            "pause": Out(1),
            "t": Out(12),
            "blocks": Out(1),
            "word": Out(bits),
            "state": Out(Fault),
            "passes": Out(c.c2c.links),
            "passed": In(1),
            "damaged": Out(1),
        }
        for k in range(c.c2c.links):
            members |= {f"word_{k}": In(bits), f"state_{k}": In(Fault)}
        super().__init__(c, ("C2C_SEND", "C2C_RECEIVE"), PortTile(c, sim), members)

    def elaborate(self, platform):
        m = Module()
        self._receive(m)
        self._transmit(m)
        return m

    def _receive(self, m: Module) -> None:
        c, issue = self.config, self.issue_1
        word = fields(issue.word, "C2C_RECEIVE", "receive", c)
        receive, align, deskew, pause = (
            issue.valid & (word["op"] == instruction(name).code) for name in ("RECEIVE", "ALIGN", "DESKEW", "RUNTIME_DESKEW")
        )
        m.submodules.elastic = elastic = Elastic(c)
        # Begins anew with an iteration, late enough for the other side of the buffer to forget old marks.
        searching, deaf = Signal(), Signal(range(_DEAF + 1))
        with m.If(self.start):
            m.d.sync += [searching.eq(0), deaf.eq(_DEAF)]
        with m.Elif(align):
            m.d.sync += searching.eq(0)
        with m.Elif((deaf == 1) | self.listen):
            m.d.sync += searching.eq(1)
        with m.If(deaf != 0):
            m.d.sync += deaf.eq(deaf - 1)
        count, right = told(elastic.newest)
        heard, waits = Signal(), Signal()
        m.d.comb += heard.eq(elastic.heard & (deaf == 0))
        with m.If(self.start | heard):
            m.d.sync += waits.eq(0)
        with m.If(deskew):
            m.d.sync += waits.eq(word["wait"])
        m.d.comb += [
            elastic.rx.eq(self.rx),
            elastic.rx_clk.eq(self.rx_clk),
            elastic.listen.eq(searching),
            elastic.align.eq(align),
            self.heard.eq(heard),
            self.told.eq(count),
            self.valid.eq(right & searching),
            self.deskew.eq(deskew),
            self.pause.eq(pause),
            self.t.eq(word["t"]),
            self.blocks.eq((waits | deskew & word["wait"]) & ~heard),
            self.word.eq(elastic.word),
            self.state.eq(elastic.state),
        ]
        tag = Cat(word["stream"], issue.mask)
        m.submodules.receive = half = Receive(c, len(tag))
        m.d.comb += [
            half.word.eq(elastic.word),
            half.state.eq(elastic.state),
            half.receive.eq(receive),
            half.number.eq(word["number"]),
            half.tag.eq(tag),
            half.passed.eq(self.passed),
            self.damaged.eq(half.damaged),
        ]
        for r, tile in enumerate(self.tiles):
            target = getattr(half, f"tag_{r}")
            m.d.comb += [
                tile.result_valid.eq(getattr(half, f"valid_{r}") & target[len(word["stream"]) + r]),
                tile.result.eq(getattr(half, f"result_{r}")),
                tile.target.eq(target[: len(word["stream"])]),
            ]
        unheard = Signal(Fault)
        with m.If(align & ~heard):
            m.d.comb += unheard.eq(Fault.LINK_UNDERRUN)
        self.report(m, 1, [half.mended[k] for k in range(2)], [half.fault, unheard])

    def _transmit(self, m: Module) -> None:
        c, issue = self.config, self.issue_0
        word = fields(issue.word, "C2C_SEND", "send", c)
        send, pass_on, mark = (
            issue.valid & (word["op"] == instruction(name).code) for name in ("SEND", "FORWARD", "TRANSMIT")
        )
        for tile, (valid, here) in zip(self.tiles, northward(m, c, issue), strict=True):
            local = fields(here, "C2C_SEND", "send", c)
            m.d.comb += [tile.send.eq(valid & (local["op"] == instruction("SEND").code)), tile.stream.eq(local["stream"])]
        link, left = Signal(len(word["link"])), Signal(range(frame_words(c) + 1))
        chosen = Mux(pass_on, word["link"], link)
        state = Signal(Fault)
        m.submodules.transmit = half = Transmit(c)
        m.d.comb += [
            half.send.eq(send),
            half.number.eq(word["number"]),
            half.pass_on.eq(pass_on),
            half.mark.eq(mark),
            half.passing.eq(Array(getattr(self, f"word_{k}") for k in range(c.c2c.links))[chosen]),
            half.hac.eq(self.hac),
            self.tx.eq(half.tx),
            self.passes.eq(Cat(pass_on & (word["link"] == k) for k in range(c.c2c.links))),
        ]
        with m.If(pass_on):
            m.d.sync += [link.eq(chosen), left.eq(frame_words(c) - 1)]
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.If(pass_on | (left != 0)):
            m.d.comb += state.eq(Array(getattr(self, f"state_{k}") for k in range(c.c2c.links))[chosen])
        for r, tile in enumerate(self.tiles):
            m.d.comb += getattr(half, f"taken_{r}").eq(tile.taken)
        self.report(m, 0, [tile.corrected for tile in self.tiles], [*(tile.fault for tile in self.tiles), state])
