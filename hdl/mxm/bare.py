"""A matrix plane by itself, spine and tiles, as benches drive it."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.column import join
from hdl.lib.fault import corrected_bits
from hdl.lib.issue import Issue
from hdl.lib.stamp import stamp
from hdl.lib.stream import Drive, Streams
from hdl.lib.tap import reach
from hdl.mxm.plane import Plane
from hdl.mxm.tile import CLASSES, Tile
from sw.arch.config import Config
from sw.arch.hostmap import Fault


class BarePlane(wiring.Component):
    """One plane.

    Members
    -------
    issue_q : In(Issue), corrected_q : Out(corrected_bits), fault_q : Out(Fault)
        For the queues of weights, activations and results.
    streams_r : In(Streams), drive_r : Out(Drive)
        Superlane r's registers at the stop, and its results.
    """

    def __init__(self, c: Config, sim: bool = False):
        self.config, self.sim = c, sim
        members = {}
        for q, cls in enumerate(CLASSES):
            members |= {f"issue_{q}": In(Issue(c, cls)), f"fault_{q}": Out(Fault)}
            members[f"corrected_{q}"] = Out(corrected_bits(c))
        for r in range(c.superlanes):
            members |= {f"streams_{r}": In(Streams(c, sim)), f"drive_{r}": Out(Drive(c, (4,)))}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        c = self.config
        row_ports = ("streams", "drive")
        shared = {name: getattr(self, name) for name in self.signature.members if name.split("_")[0] not in row_ports}
        m.submodules.plane = plane = stamp(Plane(c, self.sim), "mxm_plane", **shared)
        for r in range(c.superlanes):
            streams, drive = getattr(self, f"streams_{r}"), getattr(self, f"drive_{r}")
            m.submodules[f"tile_{r}"] = tile = stamp(Tile(c, self.sim), "mxm_tile", drive_0=drive)
            reach(m, f"tile_{r}", tile, streams)
            join(m, wiring.flipped(getattr(plane, f"tile_{r}")), tile)
        return m
