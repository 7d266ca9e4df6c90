"""The AXI4-Lite side of the host port: `sw.arch.hostmap.REGISTERS` in hardware."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.enum import Enum
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from hdl.host.axi import Axi4Lite, Response
from hdl.host.bus import BusShape
from sw.arch.hostmap import PAGE_BYTES, REGISTERS, Counter, Space
from sw.arch.hostmap import Transfer as Command

_COUNTERS = {"COUNTER_BUSY": Counter.BUSY, "COUNTER_CORRECTED": Counter.CORRECTED}


class Step(Enum, shape=3):
    """What the slave is doing; one access at a time."""

    IDLE = 0
    WRITE = 1
    WRITTEN = 2
    READ = 3
    COUNTER = 4
    ANSWERED = 5


class Registers(wiring.Component):
    """Decodes accesses and refuses what cannot be done, so that whoever gets a command need not check it.

    DECERR: no register there. SLVERR, and no effect: a misaligned or partial write, a write to a register
    that is read-only or a read of one that is write-only, a value out of range, any write but abort while
    `busy`, a start or a transfer while `blocked`, a counter read while `busy`.

    Members
    -------
    axi : the slave
    busy, blocked : a run or a transfer is going on; a fault is pending
    a member for each register, in lower case: its value, in for "r", out for "rw" (the counters have none)
    start, clear, abort, load, read : pulses, the commands
    ask, counter : pulse that asks for a counter of queue counter_index
    told, told_value, told_nothing : its answer
    """

    def __init__(self, shape: BusShape):
        self.shape = shape
        registers = {
            register.name.lower(): {"r": In, "rw": Out}[register.access](32)
            for register in REGISTERS.values() if register.access != "w" and register.name not in _COUNTERS
        }
        super().__init__({
            "axi": In(Axi4Lite(bits_for(PAGE_BYTES - 1))),
            "busy": In(1),
            "blocked": In(1),
            **registers,
            **{command: Out(1) for command in ("start", "clear", "abort", "load", "read")},
            "ask": Out(1),
            "counter": Out(1),
            "told": In(1),
            "told_value": In(32),
            "told_nothing": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        axi = self.axi
        step = Signal(Step)
        address = Signal.like(axi.awaddr)
        data = Signal(32)
        whole = Signal()
        read_next = Signal()
        with m.Switch(step):
            with m.Case(Step.IDLE):
                with m.If(axi.awvalid & axi.wvalid & ~(axi.arvalid & read_next)):
                    m.d.comb += [axi.awready.eq(1), axi.wready.eq(1)]
                    m.d.sync += [
                        step.eq(Step.WRITE), address.eq(axi.awaddr), data.eq(axi.wdata),
                        whole.eq(axi.wstrb.all()), read_next.eq(1),
                    ]
                with m.Elif(axi.arvalid):
                    m.d.comb += axi.arready.eq(1)
                    m.d.sync += [step.eq(Step.READ), address.eq(axi.araddr), read_next.eq(0)]
            with m.Case(Step.WRITE):
                m.d.sync += [step.eq(Step.WRITTEN), axi.bvalid.eq(1), axi.bresp.eq(Response.SLVERR)]
                self._write(m, address, data, whole)
            with m.Case(Step.WRITTEN):
                with m.If(axi.bready):
                    m.d.sync += [step.eq(Step.IDLE), axi.bvalid.eq(0)]
            with m.Case(Step.READ):
                m.d.sync += [
                    step.eq(Step.ANSWERED), axi.rvalid.eq(1), axi.rresp.eq(Response.SLVERR), axi.rdata.eq(0),
                ]
                self._read(m, step, address)
            with m.Case(Step.COUNTER):
                with m.If(self.told):
                    m.d.sync += [step.eq(Step.ANSWERED), axi.rvalid.eq(1), axi.rdata.eq(self.told_value)]
                    m.d.sync += axi.rresp.eq(Response.OKAY)
                    with m.If(self.told_nothing):
                        m.d.sync += [axi.rresp.eq(Response.SLVERR), axi.rdata.eq(0)]
            with m.Case(Step.ANSWERED):
                with m.If(axi.rready):
                    m.d.sync += [step.eq(Step.IDLE), axi.rvalid.eq(0)]
        return m

    def _write(self, m, address, data, whole):
        okay = self.axi.bresp.eq(Response.OKAY)
        control = REGISTERS["CONTROL"]
        with m.Switch(address):
            for register in REGISTERS.values():
                with m.Case(register.offset):
                    if register.name == "CONTROL":
                        with m.If(whole & (data == control.bit("abort"))):
                            m.d.comb += self.abort.eq(1)
                            m.d.sync += okay
                        with m.Elif(whole & ~self.busy & (data == control.bit("clear"))):
                            m.d.comb += self.clear.eq(1)
                            m.d.sync += okay
                        with m.Elif(whole & ~self.busy & ~self.blocked & (data == control.bit("start"))):
                            with m.If(self.iterations != 0):
                                m.d.comb += self.start.eq(1)
                                m.d.sync += okay
                    elif register.name == "TRANSFER":
                        with m.If(whole & ~self.busy & ~self.blocked & self._target_exists()):
                            with m.If(data == Command.LOAD):
                                m.d.comb += self.load.eq(1)
                                m.d.sync += okay
                            with m.If((data == Command.READ) & (self.target_space == Space.MEM)):
                                m.d.comb += self.read.eq(1)
                                m.d.sync += okay
                    elif register.access == "rw":
                        limit = self.shape.queues if register.name == "COUNTER_INDEX" else 1 << 32
                        with m.If(whole & ~self.busy & (data < limit)):
                            m.d.sync += [getattr(self, register.name.lower()).eq(data), okay]
            with m.Default():
                with m.If(address[:2] == 0):
                    m.d.sync += self.axi.bresp.eq(Response.DECERR)

    def _target_exists(self):
        end = self.target_address + self.target_count
        mem = (self.target_unit < self.shape.slices) & (end <= self.shape.words)
        queue = (self.target_unit < self.shape.queues) & (end <= self.shape.queue_words)
        return (self.target_count != 0) & (
            ((self.target_space == Space.MEM) & mem) | ((self.target_space == Space.QUEUE) & queue)
        )

    def _read(self, m, step, address):
        cycles_hi = Signal(32)
        with m.Switch(address):
            for register in REGISTERS.values():
                with m.Case(register.offset):
                    if register.name in _COUNTERS:
                        with m.If(~self.busy):
                            m.d.comb += [self.ask.eq(1), self.counter.eq(_COUNTERS[register.name])]
                            m.d.sync += [step.eq(Step.COUNTER), self.axi.rvalid.eq(0)]
                    elif register.access != "w":
                        value = getattr(self, register.name.lower())
                        if register.name == "CYCLES_LO":
                            m.d.sync += cycles_hi.eq(self.cycles_hi)
                        if register.name == "CYCLES_HI":
                            value = cycles_hi
                        m.d.sync += [self.axi.rdata.eq(value), self.axi.rresp.eq(Response.OKAY)]
            with m.Default():
                with m.If(address[:2] == 0):
                    m.d.sync += self.axi.rresp.eq(Response.DECERR)
