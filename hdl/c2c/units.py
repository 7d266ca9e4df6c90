"""What the link ports of a chip have in common: the ways between ports of a unit, the HAC, and what the host sees of them."""

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.c2c.hac import Hac
from hdl.lib.tally import tally
from sw.arch.config import Config


class LinkUnits(wiring.Component):
    """Joins `ports`, columns of class `hdl.c2c.port.Port` in the order of their numbers.

    Members
    -------
    tx_k, rx_k, rx_clk_k : the wires of port k
    hac, link_index, link_state, link_damaged : registers of these names
    link_heard : Out(1)
        The port that LINK_INDEX names has heard the mark.
    start, reset, clear : In(1)
        An iteration begins; queues stop; counters begin anew.
    release : Out(1)
        Queues go on as after a NOTIFY that is issued in this cycle.
    correction : Out, signed
        What program time gains in this cycle beside the cycle itself.
    """

    def __init__(self, c: Config, ports: list):
        self.config, self._ports = c, ports
        super().__init__(self.members(c) | dict.fromkeys(("start", "reset", "clear"), In(1)) | {"release": Out(1)})

    @staticmethod
    def wires(c: Config) -> dict:
        """What leaves the chip."""
        bits = 8 * c.c2c.link_bytes
        found = {}
        for k in range(2 * c.c2c.links):
            found |= {f"tx_{k}": Out(bits), f"rx_{k}": In(bits), f"rx_clk_{k}": In(1)}
        return found

    @staticmethod
    def members(c: Config) -> dict:
        """What leaves the core."""
        return LinkUnits.wires(c) | {
            "hac": In(32),
            "link_index": In(32),
            "link_state": Out(32),
            "link_damaged": Out(32),
            "link_heard": Out(1),
            "correction": Out(32),
        }

    def elaborate(self, platform):
        m = Module()
        c, ports = self.config, self._ports
        m.submodules.hac = hac = Hac(c)
        heard, counts = [], []
        for k, port in enumerate(ports):
            unit = ports[k // c.c2c.links * c.c2c.links :][: c.c2c.links]
            for j, other in enumerate(unit):
                m.d.comb += [getattr(port, f"word_{j}").eq(other.word), getattr(port, f"state_{j}").eq(other.state)]
            m.d.comb += port.passed.eq(Cat(other.passes[k % c.c2c.links] for other in unit).any())
            m.d.comb += [
                port.rx.eq(getattr(self, f"rx_{k}")),
                port.rx_clk.eq(getattr(self, f"rx_clk_{k}")),
                getattr(self, f"tx_{k}").eq(port.tx),
                port.hac.eq(hac.count),
                port.start.eq(self.start),
                port.listen.eq(hac.pause),
                getattr(hac, f"told_{k}").eq(port.told),
                getattr(hac, f"valid_{k}").eq(port.valid),
            ]
            last = Signal(17, name=f"last_{k}")
            with m.If(port.valid):
                m.d.sync += last.eq(Cat(port.told, hac.count, 1))
            heard.append(Cat(last, port.heard))
            damaged = Signal(32, name=f"damaged_{k}")
            with m.If(self.clear):
                m.d.sync += damaged.eq(0)
            with m.Elif(port.damaged):
                m.d.sync += damaged.eq(tally(damaged, 1))
            counts.append(damaged)
        index = self.link_index[: (len(ports) - 1).bit_length()]
        chosen = Array(heard)[index]
        m.d.comb += [
            hac.reset.eq(self.reset),
            hac.control.eq(self.hac),
            hac.deskew.eq(Cat(port.deskew for port in ports).any()),
            hac.pause.eq(Cat(port.pause for port in ports).any()),
            hac.heard.eq(~Cat(port.blocks for port in ports).any()),
            self.link_state.eq(chosen),
            self.link_damaged.eq(Array(counts)[index]),
            self.link_heard.eq(chosen[17]),
            self.release.eq(hac.release),
            self.correction.eq(hac.correction),
        ]
        for port in ports:
            with m.If(port.pause):
                m.d.comb += hac.t.eq(port.t)
        return m
