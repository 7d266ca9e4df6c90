"""Sizes of a matrix plane, and the signals that run between its parts."""

from dataclasses import dataclass

from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from sw.arch.config import Config
from sw.isa.fields import width_of

#: An fp16 number as the array holds it: mantissa (signed) * 2**(shift - 24).
MANTISSA_BITS = 12
SHIFT_BITS = 5
#: A shift that marks infinity (low ten bits of the mantissa zero) and NaN (not zero).
SPECIAL_SHIFT = 30
#: Most streams that one LW takes.
MAX_LOAD = 16
#: NaN, +infinity, -infinity among the products; finite sums beside a set flag mean nothing.
FLAG_BITS = 3

#: Products are multiples of 2**-48: those shifted by less than 32 are summed in `low`, the others, 32 bits down, in
#: `high`. A product has 23 bits with its sign; finite ones are shifted by at most 58.
_LOW_BITS = 23 + 31
_HIGH_BITS = 23 + 58 - 32


@dataclass(frozen=True)
class Shape:
    """Plain numbers of one plane; `interval` is fp16's cycles a pass (1 where fp16 is not built)."""

    lanes: int
    superlanes: int
    int8: bool
    fp16: bool
    interval: int

    @classmethod
    def of(cls, c: Config) -> "Shape":
        """The planes of a configuration."""
        fp16 = "fp16" in c.mxm.types
        return cls(c.lanes, c.superlanes, "int8" in c.mxm.types, fp16, c.mxm.fp16_interval if fp16 else 1)

    @property
    def vl(self) -> int:
        """Rows, and columns, of the plane."""
        return self.lanes * self.superlanes

    @property
    def rows(self) -> int:
        """Rows of a supercell that fp16 multiplies in one cycle."""
        return self.lanes // self.interval

    @property
    def element_bits(self) -> int:
        """Bits that hold one weight or activation; an int8 stands in the lowest eight."""
        return MANTISSA_BITS + SHIFT_BITS if self.fp16 else 8

    @property
    def load_slots(self) -> int:
        """Columns of fp16 weights that one LW can bring."""
        return min(MAX_LOAD // 2, self.lanes)

    @property
    def load_bits(self) -> int:
        """Width of the load lines."""
        columns = 8 * self.lanes if self.int8 else 0
        slots = self.element_bits * self.load_slots if self.fp16 else 0
        return max(columns, slots) * self.lanes

    @property
    def int8_sum_bits(self) -> int:
        """Sum of one supercell's int8 products."""
        return 16 + (self.lanes - 1).bit_length()

    @property
    def int8_bits(self) -> int:
        """Sum of VL int8 products."""
        return 16 + (self.vl - 1).bit_length()

    @property
    def chain_low_bits(self) -> int:
        """Low window of one phase's products of all superlanes."""
        return self.low_bits(self.rows * self.superlanes)

    @property
    def chain_high_bits(self) -> int:
        """High window of one phase's products of all superlanes."""
        return self.high_bits(self.rows * self.superlanes)

    def low_bits(self, products: int) -> int:
        """Sum of `products` fp16 products in the low window."""
        return _LOW_BITS + (products - 1).bit_length()

    def high_bits(self, products: int) -> int:
        """Sum of `products` fp16 products in the high window."""
        return _HIGH_BITS + (products - 1).bit_length()


class Chain(wiring.Signature):
    """Partial sums of a column block on their way north: for each column, column 0 in the low bits.

    `int8` holds `int8_bits` a column, `low` and `high` `chain_low_bits` and `chain_high_bits`, `flags` FLAG_BITS.
    """

    def __init__(self, shape: Shape):
        super().__init__({name: Out(bits * shape.lanes) for name, bits in chain_widths(shape).items()})


def chain_widths(shape: Shape) -> dict[str, int]:
    """Members of a chain, and their bits a column."""
    widths = {"int8": shape.int8_bits} if shape.int8 else {}
    if shape.fp16:
        widths |= {"low": shape.chain_low_bits, "high": shape.chain_high_bits, "flags": FLAG_BITS}
    return widths


class Broadcast(wiring.Signature):
    """What one superlane sends to all its supercells; vectors have lane, column or row 0 in the low bits.

    `load` brings weights for all places of a supercell where they may go: int8 columns, or (`load_fp16`) `load_slots`
    columns of elements, that come again in every so many columns. `columns` tells which columns are written, `block` in
    which supercell; `install` copies buffers to arrays. `int8_sum` multiplies `int8` and sums, `int8_add` puts the sum
    on the chain, `int8_skip` lets the chain pass by; `fp16_...` likewise. `mantissa` and `shift` are the activations of
    phase `phase`; `nan`, `infinite`, `zero` tell what each is, `special` that one is infinite or NaN.
    """

    def __init__(self, shape: Shape):
        super().__init__({
            "load": Out(shape.load_bits),
            "load_fp16": Out(1),
            "columns": Out(shape.lanes),
            "block": Out(shape.superlanes),
            **broadcast_members(shape),
        })


def enables(shape: Shape) -> tuple[str, ...]:
    """Members of a broadcast under which the registers of a supercell's columns load."""
    int8 = ("int8_sum", "int8_add", "int8_skip") if shape.int8 else ()
    fp16 = ("fp16_multiply", "fp16_sum", "fp16_add", "fp16_skip") if shape.fp16 else ()
    return ("install", *int8, *fp16)


def broadcast_members(shape: Shape) -> dict[str, wiring.Member]:
    """Those members of a broadcast that all columns take alike."""
    members = {name: Out(1) for name in enables(shape)}
    if shape.int8:
        members |= {"int8": Out(8 * shape.lanes)}
    if shape.fp16:
        members |= {"mantissa": Out(MANTISSA_BITS * shape.rows), "shift": Out(SHIFT_BITS * shape.rows)}
        members |= {name: Out(shape.rows) for name in ("nan", "infinite", "zero")}
        members |= {"special": Out(1), "phase": Out(width_of(shape.interval))}
    return members
