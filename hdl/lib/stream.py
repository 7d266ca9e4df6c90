"""Streams at a stop, drives onto them, and the selection of operands from them.

A stream's word is `8*lanes` data bits and, with ECC, its SECDED check bits. Data and check bits of all streams of one
direction stand in two flat vectors, stream s at bits s*width: that keeps a stop one register and simulates fast.
"""

from amaranth.hdl import Assert, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from sw.arch.config import Config
from sw.arch.ecc import secded


def data_bits(c: Config) -> int:
    """Data bits of one superlane's word."""
    return 8 * c.lanes


def check_bits(c: Config) -> int:
    """Check bits carried with it; 0 without ECC."""
    return secded(data_bits(c)).check_bits if c.ecc.streams else 0


class Streams(wiring.Signature):
    """What a unit sees of both directions at its stop, in one superlane.

    `east`, `west` are the data vectors, `east_check`, `west_check` the check bits. `east_written`, `west_written` hold a
    bit per stream in simulation builds (`sim`): whether somebody ever drove this value.
    """

    def __init__(self, c: Config, sim: bool):
        self.config, self.sim = c, sim
        members = {}
        for side in ("east", "west"):
            members[side] = Out(c.streams * data_bits(c))
            members[f"{side}_check"] = Out(c.streams * check_bits(c))
            if sim:
                members[f"{side}_written"] = Out(c.streams)
        super().__init__(members)


class Drive(wiring.Signature):
    """Results that a unit hands to its stop in one superlane: streams `stream … stream + sizes[size] - 1`.

    `sizes` are the group sizes that this unit can drive; a group starts at a multiple of the next power of two. `groups`
    limits the SG4 groups that it reaches (None: all).
    """

    def __init__(self, c: Config, sizes: tuple[int, ...], groups: tuple[int, ...] | None = None):
        self.sizes, self.groups = sizes, groups
        members = {
            "valid": Out(1),
            "west": Out(1),
            "stream": Out(range(c.streams)),
            "data": Out(max(sizes) * data_bits(c)),
            "check": Out(max(sizes) * check_bits(c)),
        }
        if len(sizes) > 1:
            members["size"] = Out(range(len(sizes)))
        super().__init__(members)

    def __repr__(self) -> str:
        return f"Drive(sizes={self.sizes}, groups={self.groups})"

    def starts(self, c: Config, count: int) -> list[int]:
        """First streams that a group of `count` may have."""
        step = 1 << (count - 1).bit_length()
        starts = range(0, c.streams - count + 1, step)
        return [s for s in starts if self.groups is None or s // 4 in self.groups]


def select(m: Module, c: Config, streams, code: Value, count: int, data: Value, check: Value, groups=None) -> None:
    """Registers `data` and `check` from `count` streams starting at stream `code` (direction in its top bit).

    Call it inside the stage's `m.If(valid)`. In simulation builds a stream that nobody wrote fails an assertion.
    """
    width, extra = data_bits(c), check_bits(c)
    sim = hasattr(streams, "east_written")
    driven = Signal(name="driven")
    with m.Switch(code):
        for code_value, side, s in places(c, count, groups):
            with m.Case(code_value):
                m.d.sync += data.eq(getattr(streams, side)[s * width : (s + count) * width])
                m.d.sync += check.eq(getattr(streams, f"{side}_check")[s * extra : (s + count) * extra])
                if sim:
                    m.d.comb += driven.eq(getattr(streams, f"{side}_written")[s : s + count].all())
    if sim:
        m.d.sync += Assert(driven, "a stream was read that nobody drove")


def places(c: Config, count: int, groups=None):
    """Every place of an aligned group of `count` streams: (stream code, "east" or "west", first stream)."""
    step = 1 << (count - 1).bit_length()
    for west, side in enumerate(("east", "west")):
        for s in range(0, c.streams - count + 1, step):
            if groups is None or s // 4 in groups:
                yield west * c.streams + s, side, s


def latched(c: Config, count: int, name: str) -> tuple[Signal, Signal]:
    """Registers for `count` stream words: data and check bits."""
    return (
        Signal(count * data_bits(c), name=f"{name}_data", reset_less=True),
        Signal(count * check_bits(c), name=f"{name}_check", reset_less=True),
    )
