"""What every column of tiles offers to the chip, whatever it computes.

A column stands at one stop and spans all superlanes. Its tiles stand in the rows (`hdl.row`), where the streams are; the
column itself is its spine: it takes the words of its queues, moves them north, and holds what crosses superlanes.
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.fault import corrected_bits
from hdl.lib.issue import Issue
from hdl.lib.stream import Drive
from hdl.lib.tap import taps
from hdl.lib.tree import tree_sum
from sw.arch.config import Config
from sw.arch.hostmap import Fault


def drives(tile: wiring.Component) -> list[Drive]:
    """Kinds of the result ports `drive_0`, `drive_1` … of a tile."""
    members = tile.signature.members
    return [members[f"drive_{k}"].signature for k in range(len(members)) if f"drive_{k}" in members]


def narrow(tile: wiring.Component) -> wiring.Signature:
    """The ports of a tile that leave its row: all but its taps and drives."""
    row = {f"drive_{k}" for k in range(len(drives(tile)))} | {f"tap_{k}" for k in range(len(taps(tile)))}
    return wiring.Signature({name: m for name, m in tile.signature.members.items() if name not in row})


class Column(wiring.Component):
    """Base of all columns: makes the common ports.

    Parameters
    ----------
    c : Config
    classes : queue class of each queue that feeds the column
    tile : Component
        A tile as it stands in every row, with `tap_k` : Out(Tap) and `drive_k` : Out(Drive); its other ports come to
        the column.
    members : further ports

    Members
    -------
    issue_q : In(Issue), corrected_q : Out(corrected_bits), fault_q : Out(Fault)
        For each queue q.
    tile_r
        The narrow ports of superlane r's tile, from outside.
    """

    def __init__(self, c: Config, classes: tuple[str, ...], tile: wiring.Component, members: dict | None = None):
        self.config, self.classes, self._tile = c, classes, tile
        ports = dict(members or {})
        for q, cls in enumerate(classes):
            ports |= {f"issue_{q}": In(Issue(c, cls)), f"corrected_{q}": Out(corrected_bits(c)), f"fault_{q}": Out(Fault)}
        for r in range(c.superlanes):
            ports[f"tile_{r}"] = In(narrow(tile))
        super().__init__(ports)

    @property
    def tile(self) -> wiring.Component:
        """The tile that stands in every row."""
        return self._tile

    @property
    def tiles(self) -> list:
        """The narrow ports of all tiles, southmost first."""
        return [getattr(self, f"tile_{r}") for r in range(self.config.superlanes)]

    def report(self, m: Module, queue: int, corrected: list, faults: list) -> None:
        """Reports a queue's errors: bits of corrected words, and fault codes with the southmost first."""
        for code in reversed(faults):
            with m.If(code != Fault.NONE):
                m.d.comb += getattr(self, f"fault_{queue}").eq(code)
        total = Signal(corrected_bits(self.config), name=f"corrected_sum_{queue}")
        m.d.comb += [total.eq(tree_sum(corrected)), getattr(self, f"corrected_{queue}").eq(total)]


def join(m: Module, outside, tile) -> None:
    """Joins ports of a component to the same ports of a part of it, member by member."""
    for path, member, value in outside.signature.flatten(outside):
        inner = tile
        for step in path:
            inner = inner[step] if isinstance(step, int) else getattr(inner, step)
        m.d.comb += inner.eq(value) if member.flow is In else value.eq(inner)
