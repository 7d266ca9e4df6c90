"""The chip: the core behind its host port."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hdl.c2c.units import LinkUnits
from hdl.core import GATHER, RELEASE, Core
from hdl.host.port import HostPort
from hdl.lib.bus import bus_shape
from hdl.lib.fault import chip_corrected_bits
from hdl.lib.stamp import stamp
from sw.arch.config import Config
from sw.isa.table import restart_gap


class Chip(wiring.Component):
    """A whole chip; its ports are those of the host port, `s_axil`, `s_axis`, `m_axis`, `interrupt`, and for every link port
    k `tx_k`, `rx_k` and `rx_clk_k`.

    With `sim` it carries the simulation-only assertions and prints the lockstep trace.
    """

    def __init__(self, c: Config, sim: bool = False):
        self.config, self.sim = c, sim
        self._port = HostPort(
            bus_shape(c),
            config_hash=c.hash,
            restart_gap=restart_gap(c),
            release=RELEASE,
            gather=GATHER,
            corrected_bits=chip_corrected_bits(c),
        )
        outside = ("s_axil", "s_axis", "m_axis", "interrupt")
        super().__init__({name: self._port.signature.members[name] for name in outside} | LinkUnits.wires(c))

    def elaborate(self, platform):
        m = Module()
        core = Core(self.config, self.sim)
        m.submodules.host = port = stamp(self._port, "host")
        m.submodules.core = core = stamp(core, "core")
        for name in ("s_axil", "s_axis", "m_axis"):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(port, name))
        m.d.comb += self.interrupt.eq(port.interrupt)
        for name, member in LinkUnits.wires(self.config).items():
            outside, inside = getattr(self, name), getattr(core, name)
            m.d.comb += inside.eq(outside) if member.flow is In else outside.eq(inside)
        if self.config.c2c.links:
            m.d.comb += [
                core.hac.eq(port.hac),
                core.link_index.eq(port.link_index),
                port.link_state.eq(core.link_state),
                port.link_damaged.eq(core.link_damaged),
                port.link_heard.eq(core.link_heard),
                port.correction.eq(core.correction),
            ]
        wiring.connect(m, port.bus, core.bus)
        wiring.connect(m, core.fault, port.fault)
        m.d.comb += [
            core.clear.eq(port.clear_counters),
            core.reset.eq(port.reset_core),
            core.start.eq(port.start),
            core.freeze.eq(port.freeze),
            port.halted.eq(core.halted),
            port.corrected.eq(core.corrected),
        ]
        return m
