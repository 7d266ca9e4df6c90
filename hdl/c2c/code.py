"""The code of a frame in hardware (see `docs/links.md`): syndromes a word at a time, parity, and the wrong byte's place.

Everything but the place is linear over bits, so it is a matrix of exclusive ors.
"""

from collections.abc import Callable
from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from sw.arch.frame import LOGS, PARITY, POWERS, ROOTS, parity_of

STATE = 8 * PARITY
"""Bits of the syndromes of one codeword, in the order of `ROOTS`."""


def _times(a: int, power: int) -> int:
    return int(POWERS[(LOGS[a] + power) % 255]) if a else 0


def _linear(m: Module, function: Callable[[int], int], value: Value, bits: int) -> Value:
    """A function that is linear over bits, of `value` and `bits` wide."""
    given, result = Signal(len(value)), Signal(bits)
    columns = [function(1 << i) for i in range(len(value))]
    rows = [sum((column >> bit & 1) << i for i, column in enumerate(columns)) for bit in range(bits)]
    m.d.comb += [given.eq(value), result.eq(Cat((given & Const(row, len(given))).xor() for row in rows))]
    return result


def step(m: Module, state: Value, more: Value) -> Value:
    """Syndromes of a codeword from those of its beginning and the bytes that follow, the first in the low bits."""
    count = len(more) // 8

    def after(given: int) -> int:
        parts = [given >> 8 * k & 255 for k in range(PARITY + count)]
        # A byte counts by its root to the number of bytes behind it, what was there before by that to all of them.
        found = 0
        for j, root in enumerate(ROOTS):
            terms = [_times(byte, root * (count - 1 - i)) for i, byte in enumerate(parts[PARITY:])]
            found |= reduce(xor, terms, _times(parts[j], root * count)) << 8 * j
        return found

    return _linear(m, after, Cat(state, more), STATE)


def parity(m: Module, state: Value) -> Value:
    """The parity bytes, as they are sent, of a codeword whose other bytes have these syndromes; the first in the low bits."""

    def solved(given: int) -> int:
        # Three bytes of zero follow, then these bytes make all syndromes zero.
        shifted = [_times(given >> 8 * j & 255, root * PARITY) for j, root in enumerate(ROOTS)]
        return sum(int(byte) << 8 * k for k, byte in enumerate(parity_of(shifted)))

    return ~_linear(m, solved, state, STATE)


class Place(wiring.Component):
    """Where a codeword of `length` bytes is wrong, from its syndromes, two cycles later.

    Members
    -------
    syndromes : In(STATE)
    place : Out(8), flip : Out(8)
        The byte, counted from the last one, and what is wrong in it; `flip` is 0 if nothing is.
    lost : Out(1)
        More than one byte is wrong.
    """

    def __init__(self, length: int):
        self.length = length
        super().__init__({"syndromes": In(STATE), "place": Out(8), "flip": Out(8), "lost": Out(1)})

    def elaborate(self, platform):
        m = Module()
        values = [self.syndromes.word_select(j, 8) for j in range(PARITY)]
        m.submodules.logs = rom = Memory(shape=8, depth=256, init=[int(log) for log in LOGS])
        logs = []
        for value in values:
            port = rom.read_port()
            m.d.comb += port.addr.eq(value)
            logs.append(port.data)
        error, every, wrong = Signal(8), Signal(), Signal()
        # At root 1 one wrong byte gives what is wrong in it, wherever it is.
        m.d.sync += [
            error.eq(values[ROOTS.index(0)]),
            every.eq(Cat(v.any() for v in values).all()),
            wrong.eq(self.syndromes.any()),
        ]
        first, second = (_difference(a, b) for a, b in zip(logs[1:], logs, strict=False))
        single = Signal()
        m.d.comb += single.eq(every & (first == second) & (first < self.length))
        m.d.sync += [self.place.eq(first), self.flip.eq(Mux(single, error, 0)), self.lost.eq(wrong & ~single)]
        return m


def _difference(a: Value, b: Value) -> Value:
    """a - b modulo 255, for numbers below 255."""
    return (a - b + Mux(a < b, 255, 0))[:8]
