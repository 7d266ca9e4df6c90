"""The host port: AXI4-Lite and AXI4-Stream on one side, the host bus and run control on the other."""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from hdl.host.axi import Axi4Lite, Axi4Stream
from hdl.host.bus import BusShape, HostBus
from hdl.host.registers import Registers
from hdl.host.sequencer import Sequencer
from hdl.host.transfer import Transfer
from hdl.lib.fault import FaultReport
from hdl.lib.tally import tally
from sw.arch.hostmap import ID, NO_QUEUE, PAGE_BYTES, REGISTERS, VERSION, Fault


class HostPort(wiring.Component):
    """Everything that a host sees of the chip; the registers are described in `sw.arch.hostmap`.

    Parameters
    ----------
    shape : what is behind the bus
    config_hash : 32 bits, what CONFIG reads
    restart_gap, release, gather : see `Sequencer`; reports on `fault` and `corrected` take `gather`
        cycles too
    corrected_bits : width of `corrected`
    stream_bytes : bytes of a stream beat, 8 or, on narrower superlanes, `lanes`

    Members
    -------
    s_axil, s_axis, m_axis : control, loads, reads
    interrupt : high while a run is done or a fault is pending
    bus : host bus; silent while a run is going on
    clear_counters, reset_core, start : pulses, see `Sequencer`. reset_core clears everything but MEM,
        queue memories, the bus and the counters, also on the way to `fault` and `halted`
    freeze : a fault is pending: queues issue nothing
    halted : all queues have reached HALT
    fault : first of the faults of this cycle
    corrected : words corrected in this cycle
    hac, link_index, link_state, link_damaged : the registers of these names
    link_heard : the port that LINK_INDEX names has heard the mark
    correction : see `Sequencer`
    """

    def __init__(
        self,
        shape: BusShape,
        *,
        config_hash: int,
        restart_gap: int,
        release: int = 1,
        gather: int = 1,
        corrected_bits: int = 8,
    ):
        self.shape = shape
        self.config_hash = config_hash
        self.restart_gap = restart_gap
        self.release = release
        self.gather = gather
        self.stream_bytes = min(8, shape.lanes)
        super().__init__({
            "s_axil": In(Axi4Lite(bits_for(PAGE_BYTES - 1))),
            "s_axis": In(Axi4Stream(self.stream_bytes)),
            "m_axis": Out(Axi4Stream(self.stream_bytes)),
            "interrupt": Out(1),
            "bus": Out(HostBus(shape)),
            "clear_counters": Out(1),
            "reset_core": Out(1),
            "start": Out(1),
            "freeze": Out(1),
            "halted": In(1),
            "fault": In(FaultReport(bits_for(shape.units - 1), bits_for(shape.queues - 1))),
            "corrected": In(corrected_bits),
            "hac": Out(32),
            "link_index": Out(32),
            "link_state": In(32),
            "link_damaged": In(32),
            "link_heard": In(1),
            "correction": In(32),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.registers = registers = Registers(self.shape)
        m.submodules.sequencer = sequencer = Sequencer(self.restart_gap, self.release, self.gather)
        m.submodules.transfer = transfer = Transfer(self.shape, self.stream_bytes)
        wiring.connect(m, wiring.flipped(self.s_axil), registers.axi)
        wiring.connect(m, wiring.flipped(self.s_axis), transfer.load_stream)
        wiring.connect(m, transfer.read_stream, wiring.flipped(self.m_axis))
        wiring.connect(m, transfer.bus, wiring.flipped(self.bus))
        code = self._faults(m, registers, sequencer, transfer)
        self._run(m, registers, sequencer)
        m.d.comb += [
            transfer.load.eq(registers.load),
            transfer.read.eq(registers.read),
            transfer.space.eq(registers.target_space),
            transfer.unit.eq(registers.target_unit),
            transfer.address.eq(registers.target_address),
            transfer.count.eq(registers.target_count),
            transfer.abort.eq(registers.abort),
            transfer.ask.eq(registers.ask),
            transfer.counter_queue.eq(registers.counter_index),
            transfer.counter.eq(registers.counter),
            registers.told.eq(transfer.told),
            registers.told_value.eq(transfer.told_value),
            registers.told_nothing.eq(transfer.told_nothing),
            registers.busy.eq(sequencer.running | transfer.loading | transfer.reading),
            registers.blocked.eq(code != Fault.NONE),
        ]
        done = Signal()
        with m.If(registers.start | registers.abort | (code != Fault.NONE)):
            m.d.sync += done.eq(0)
        with m.Elif(sequencer.finished):
            m.d.sync += [done.eq(1), registers.runs.eq(registers.runs + 1)]
        status = {
            "idle": ~registers.busy,
            "running": sequencer.running,
            "done": done,
            "fault": code != Fault.NONE,
            "loading": transfer.loading,
            "reading": transfer.reading,
        }
        m.d.comb += [
            registers.status.eq(Cat(status[name] for name in REGISTERS["STATUS"].bits)),
            self.interrupt.eq(done | (code != Fault.NONE)),
            registers.id.eq(ID),
            registers.version.eq(VERSION),
            registers.config.eq(Const(self.config_hash, 32)),
            registers.geometry.eq(self.shape.lanes | self.shape.superlanes << 8 | self.stream_bytes << 16),
        ]
        return m

    def _run(self, m, registers, sequencer):
        m.d.comb += [
            sequencer.run.eq(registers.start),
            sequencer.iterations.eq(registers.iterations),
            sequencer.abort.eq(registers.abort | registers.clear),
            sequencer.halted.eq(self.halted),
            sequencer.correction.eq(self.correction),
            self.hac.eq(registers.hac),
            self.link_index.eq(registers.link_index),
            registers.link_state.eq(self.link_state),
            registers.link_damaged.eq(self.link_damaged),
            self.clear_counters.eq(sequencer.clear_counters),
            self.reset_core.eq(sequencer.reset_core),
            self.start.eq(sequencer.start),
            registers.iteration.eq(sequencer.iteration),
            registers.cycles_lo.eq(sequencer.cycles[:32]),
            registers.cycles_hi.eq(sequencer.cycles[32:]),
        ]
        heard = Signal()
        m.d.sync += heard.eq(self.link_heard)
        with m.If(self.link_heard & ~heard):
            m.d.sync += registers.link_mark.eq(sequencer.cycles[:32])

    def _faults(self, m, registers, sequencer, transfer):
        """Keep the first fault until it is cleared; returns its code."""
        code = Signal(Fault)
        with m.If(registers.clear):
            m.d.sync += code.eq(Fault.NONE)
        with m.Elif((code == Fault.NONE) & (self.fault.valid | transfer.fault)):
            m.d.sync += [
                code.eq(Mux(self.fault.valid, self.fault.code, transfer.code)),
                registers.fault_unit.eq(Mux(self.fault.valid, self.fault.unit, registers.target_unit)),
                registers.fault_queue.eq(Mux(self.fault.valid, self.fault.queue, NO_QUEUE)),
                registers.fault_cycle_lo.eq(sequencer.cycles[:32]),
                registers.fault_cycle_hi.eq(sequencer.cycles[32:]),
            ]
        with m.If(self.corrected.any() | transfer.corrected):
            m.d.sync += registers.corrected.eq(tally(registers.corrected, self.corrected + transfer.corrected))
        m.d.comb += [
            sequencer.fault.eq(self.fault.valid),
            registers.fault.eq(code),
            self.freeze.eq(code != Fault.NONE),
        ]
        return code
