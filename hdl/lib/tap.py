"""Taps: how a tile takes stream words without seeing the streams.

A tile names the streams that it wants in this cycle, and a picker at its stop hands it their words. So the wide vectors
of all streams stay at the stop, and a tile has narrow ports.
"""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.slots import pick
from hdl.lib.stamp import stamp
from hdl.lib.stream import Streams, check_bits, data_bits
from sw.arch.config import Config
from sw.isa.fields import width_of


class Tap(wiring.Signature):
    """A tile's view of up to `most` streams that it takes at once.

    `take`, `code` (direction in its top bit): take the group of `span` streams, the next power of two, that holds stream
    `code`, now. `data`, `check`: its words in the same cycle, lowest stream in the low bits; of use while `take` is high.
    `written`, in simulation builds: whether anybody drove them, a bit each. `groups` are the SG4 groups that can be
    reached (None: all).
    """

    def __init__(self, c: Config, most: int, sim: bool, groups: tuple[int, ...] | None = None):
        self.config, self.most, self.sim, self.groups = c, most, sim, groups
        members = {
            "take": Out(1),
            "code": Out(width_of(c.streams) + 1),
            "data": In(self.span * data_bits(c)),
            "check": In(self.span * check_bits(c)),
        }
        if sim:
            members["written"] = In(self.span)
        super().__init__(members)

    def __repr__(self) -> str:
        return f"Tap({self.most}, {self.groups})"

    @property
    def span(self) -> int:
        """Streams in the group taken."""
        return 1 << (self.most - 1).bit_length()

    @property
    def module(self) -> str:
        """Name for its picker's module."""
        reach = "" if self.groups is None else f"_of_{''.join(map(str, self.groups))}"
        return f"tap_{self.span}{reach}"


class Picker(wiring.Component):
    """Answers a tap from the streams at its stop.

    Members
    -------
    streams : In(Streams), tap : In(Tap)
    """

    def __init__(self, kind: Tap):
        self.kind = kind
        super().__init__({"streams": In(Streams(kind.config, kind.sim)), "tap": In(kind)})

    def elaborate(self, platform):
        m = Module()
        kind, tap, c = self.kind, self.tap, self.kind.config
        picked = {"data": ("", data_bits(c)), "check": ("_check", check_bits(c))}
        if kind.sim:
            picked["written"] = ("_written", 1)
        for name, (suffix, width) in picked.items():
            east, west = (self._reachable(getattr(self.streams, side + suffix), width) for side in ("east", "west"))
            stream = tap.code[: width_of(len(east) // width)] if width else Const(0)
            slot = stream.shift_right(kind.span.bit_length() - 1)
            word = pick(m, name, tap.take, tap.code[-1], (east, west), slot, kind.span * width)
            m.d.comb += getattr(tap, name).eq(word)
        return m

    def _reachable(self, vector, width: int):
        """The words of the reachable groups, placed so that the low bits of a stream's number find them."""
        c, groups = self.kind.config, self.kind.groups
        if groups is None or len(groups) == c.streams // 4:
            return vector
        ordered = sorted(groups, key=lambda group: group % len(groups))
        return Cat(vector[4 * group * width : (4 * group + 4) * width] for group in ordered)


def taps(tile: wiring.Component) -> list[Tap]:
    """Kinds of the ports `tap_0`, `tap_1` … of a tile."""
    members = tile.signature.members
    return [members[f"tap_{k}"].signature for k in range(len(members)) if f"tap_{k}" in members]


def reach(m: Module, name: str, tile: wiring.Component, streams) -> None:
    """Gives each tap of a tile its picker at `streams`."""
    for k, kind in enumerate(taps(tile)):
        picker = stamp(Picker(kind), kind.module, streams=streams, tap=getattr(tile, f"tap_{k}"))
        m.submodules[f"{name}_tap_{k}"] = picker
