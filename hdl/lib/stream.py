"""Streams at a stop, and drives onto them.

A stream's word is `8*lanes` data bits and, with ECC, its SECDED check bits. Data and check bits of all streams of one
direction stand in two flat vectors, stream s at bits s*width: that keeps a stop one register and simulates fast.
"""

from amaranth.hdl import Const, Signal, Value
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

    `sizes` are the group sizes that this unit can drive; a group starts at a multiple of the next power of two.
    """

    def __init__(self, c: Config, sizes: tuple[int, ...]):
        self.sizes = sizes
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
        return f"Drive({self.sizes})"

    @property
    def most(self) -> int:
        """The largest group."""
        return max(self.sizes)

    def chosen(self, drive, index: int) -> Value:
        """Whether a drive of this kind is of size number `index`."""
        return drive.size == index if len(self.sizes) > 1 else Const(1)


def latched(c: Config, count: int, name: str) -> tuple[Signal, Signal]:
    """Registers for `count` stream words: data and check bits."""
    return (
        Signal(count * data_bits(c), name=f"{name}_data", reset_less=True),
        Signal(count * check_bits(c), name=f"{name}_check", reset_less=True),
    )
