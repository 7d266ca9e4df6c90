"""Streams at a stop, drives onto them, and the selection of operands from them.

A stream's word is `8*lanes` data bits and, with ECC, its SECDED check bits. Data and check bits of all streams of one
direction stand in two flat vectors, stream s at bits s*width: that keeps a stop one register and simulates fast.
"""

from amaranth.hdl import Assert, Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from hdl.lib.slots import pick
from sw.arch.config import Config
from sw.arch.ecc import secded
from sw.isa.fields import width_of


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


def select(m: Module, c: Config, streams, code: Value, count: int, data: Value, check: Value, groups=None) -> None:
    """Registers `data` and `check` from `count` streams starting at stream `code` (direction in its top bit).

    Call it inside the stage's `m.If(valid)`. `groups` limits the SG4 groups that can be taken (None: all). A count that
    is no power of two takes the streams up to the next one. In simulation builds a stream that nobody drove fails an
    assertion.
    """
    taken = Signal(name=f"{data.name}_taken")
    m.d.comb += taken.eq(1)
    words, checks = peek(m, c, streams, taken, code, count, data.name, groups)
    watch(m, streams, taken, code, count)
    m.d.sync += [data.eq(words), check.eq(checks)]


def peek(m: Module, c: Config, streams, en: Value, code: Value, count: int, name: str, groups=None):
    """Data and check bits of `count` streams starting at stream `code`, in this cycle; zero while `en` is low."""
    step = 1 << (count - 1).bit_length()
    parts = {"data": Const(0), "check": Const(0)}
    for west, side in enumerate(("east", "west")):
        here = Signal(name=f"{name}_{side}_{count}")
        m.d.comb += here.eq(en & (code[-1] == west))
        for kind, suffix, width in (("data", "", data_bits(c)), ("check", "_check", check_bits(c))):
            vector = _reachable(c, getattr(streams, side + suffix), width, groups)
            stream = code[: width_of(len(vector) // width)] if width else Const(0)
            slot = stream.shift_right(step.bit_length() - 1)
            word = pick(m, f"{name}_{side}_{kind}_by_{count}", here, vector, slot, step * width)
            parts[kind] = parts[kind] | word[: count * width]
    return parts["data"], parts["check"]


def watch(m: Module, streams, en: Value, code: Value, count: int) -> None:
    """In simulation builds, asserts that `count` streams that are read while `en` is high were driven."""
    if hasattr(streams, "east_written"):
        step = 1 << (count - 1).bit_length()
        written = Cat(streams.east_written, streams.west_written).word_select(code >> (step.bit_length() - 1), step)
        m.d.sync += Assert(~en | written[:count].all(), "a stream was read that nobody drove")


def _reachable(c: Config, vector: Value, width: int, groups) -> Value:
    """The words of the reachable SG4 groups, placed so that the low bits of a stream's number find it."""
    if groups is None or len(groups) == c.streams // 4:
        return vector
    ordered = sorted(groups, key=lambda group: group % len(groups))
    return Cat(vector[4 * group * width : (4 * group + 4) * width] for group in ordered)


def latched(c: Config, count: int, name: str) -> tuple[Signal, Signal]:
    """Registers for `count` stream words: data and check bits."""
    return (
        Signal(count * data_bits(c), name=f"{name}_data", reset_less=True),
        Signal(count * check_bits(c), name=f"{name}_check", reset_less=True),
    )
