"""The SECDED code in hardware: every one-bit error corrected, every two-bit error detected."""

from itertools import combinations

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from hdl.lib.ecc import decode, encode, parity
from sw.arch.ecc import CHECK_BITS, secded

SEED = 11


class Checker(wiring.Component):
    """Encodes `data`, puts the errors `flip` on it and decodes."""

    def __init__(self, data_bits: int):
        self.code = secded(data_bits)
        super().__init__({
            "valid": In(1),
            "data": In(data_bits),
            "flip": In(data_bits + self.code.check_bits),
            "check": Out(self.code.check_bits),
            "out": Out(data_bits),
            "corrected": Out(1),
            "uncorrectable": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        n = self.code.data_bits
        m.d.comb += self.check.eq(encode(self.code, self.data))
        with m.If(self.valid):
            found = decode(m, self.code, self.data ^ self.flip[:n], self.check ^ self.flip[n:])
            m.d.comb += [
                port.eq(value)
                for port, value in zip((self.out, self.corrected, self.uncorrectable), found, strict=True)
            ]
        return m


@pytest.mark.parametrize("data_bits", sorted(CHECK_BITS))
def test_single_errors_corrected_double_detected(data_bits):
    code = secded(data_bits)
    bits = data_bits + code.check_bits
    pairs = list(combinations(range(bits), 2))
    flips = [0, *(1 << k for k in range(bits)), *(1 << a | 1 << b for a, b in pairs)]
    print(f"seed {SEED}")
    words = np.random.default_rng(SEED).integers(0, 256, (len(flips), data_bits // 8), dtype=np.uint8)
    checks = code.encode(words)
    dut = Checker(data_bits)

    async def bench(ctx):
        ctx.set(dut.valid, 1)
        for flip, word, check in zip(flips, words, checks, strict=True):
            data = int.from_bytes(word.tobytes(), "little")
            ctx.set(dut.data, data)
            ctx.set(dut.flip, flip)
            assert ctx.get(dut.check) == check
            wrong = flip.bit_count()
            assert (ctx.get(dut.corrected), ctx.get(dut.uncorrectable)) == (wrong == 1, wrong == 2), hex(flip)
            if wrong < 2:
                assert ctx.get(dut.out) == data, hex(flip)
        ctx.set(dut.valid, 0)
        assert not ctx.get(dut.corrected) and not ctx.get(dut.uncorrectable)

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()


def test_three_wrong_bits_are_judged_as_in_numpy():
    code = secded(32)
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    dut = Checker(32)
    flips = [sum(1 << int(bit) for bit in rng.choice(39, 3, replace=False)) for _ in range(500)]
    data = np.array([[flip >> 8 * k & 0xFF for k in range(4)] for flip in flips], np.uint8)
    out, corrected, uncorrectable = code.decode(data, np.array([flip >> 32 for flip in flips], np.uint16))
    assert corrected.any() and uncorrectable.any()

    async def bench(ctx):
        ctx.set(dut.valid, 1)
        for k, flip in enumerate(flips):
            ctx.set(dut.flip, flip)
            found = ctx.get(dut.out), ctx.get(dut.corrected), ctx.get(dut.uncorrectable)
            assert found == (int.from_bytes(out[k].tobytes(), "little"), corrected[k], uncorrectable[k])

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()


def test_parity_makes_the_number_of_ones_even():
    class Word(wiring.Component):
        data: In(9)
        bit: Out(1)

        def elaborate(self, platform):
            m = Module()
            m.d.comb += self.bit.eq(parity(self.data))
            return m

    dut = Word()

    async def bench(ctx):
        for data in range(512):
            ctx.set(dut.data, data)
            assert (data.bit_count() + ctx.get(dut.bit)) % 2 == 0

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()
