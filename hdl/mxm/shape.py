"""Sizes of a matrix plane, and the signals that run between its parts."""

from dataclasses import dataclass

from amaranth.hdl import signed
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from sw.arch.config import Config

#: An fp16 number as the array holds it: mantissa (signed) * 2**(shift - 24).
MANTISSA_BITS = 12
SHIFT_BITS = 5
#: A shift that marks infinity (low ten bits of the mantissa zero) and NaN (not zero).
SPECIAL_SHIFT = 30
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
    def int8_sum_bits(self) -> int:
        """Sum of one supercell's int8 products."""
        return 16 + (self.lanes - 1).bit_length()

    @property
    def int8_bits(self) -> int:
        """Sum of VL int8 products."""
        return 16 + (self.vl - 1).bit_length()

    def low_bits(self, products: int) -> int:
        """Sum of `products` fp16 products in the low window."""
        return _LOW_BITS + (products - 1).bit_length()

    def high_bits(self, products: int) -> int:
        """Sum of `products` fp16 products in the high window."""
        return _HIGH_BITS + (products - 1).bit_length()


class Chain(wiring.Signature):
    """One column's partial sums on their way north."""

    def __init__(self, shape: Shape):
        members = {}
        products = shape.rows * shape.superlanes
        if shape.int8:
            members["int8"] = Out(signed(shape.int8_bits))
        if shape.fp16:
            members["low"] = Out(signed(shape.low_bits(products)))
            members["high"] = Out(signed(shape.high_bits(products)))
            members["flags"] = Out(FLAG_BITS)
        super().__init__(members)


class Chains(wiring.Signature):
    """The chains of a column block: `column_k`."""

    def __init__(self, shape: Shape):
        super().__init__({f"column_{k}": Out(Chain(shape)) for k in range(shape.lanes)})


def columns(chains) -> list:
    """The columns of a Chains interface."""
    return [getattr(chains, name) for name in chains.signature.members]


class Broadcast(wiring.Signature):
    """What one superlane sends to all its supercells.

    `load` is one column of weights for every column of a supercell, `columns` those columns that are written, `block`
    the supercell that is meant; `install` copies buffers to arrays. `int8_sum` multiplies and sums, `int8_add` puts the
    sum on the chain, `int8_skip` lets the chain pass by; `fp16_…` likewise, `phase` selecting the rows of `mantissa`
    and `shift` (activations); `special` tells that one of these is infinite or NaN.
    """

    def __init__(self, shape: Shape):
        members = {
            "load": Out(shape.element_bits * shape.lanes).array(shape.lanes),
            "columns": Out(shape.lanes),
            "block": Out(shape.superlanes),
            "install": Out(1),
        }
        if shape.int8:
            members |= {"int8": Out(signed(8)).array(shape.lanes)}
            members |= {name: Out(1) for name in ("int8_sum", "int8_add", "int8_skip")}
        if shape.fp16:
            members |= {
                "mantissa": Out(signed(MANTISSA_BITS)).array(shape.rows),
                "shift": Out(SHIFT_BITS).array(shape.rows),
                "special": Out(1),
                "phase": Out(range(shape.interval)),
            }
            members |= {name: Out(1) for name in ("fp16_multiply", "fp16_sum", "fp16_add", "fp16_skip")}
        super().__init__(members)
