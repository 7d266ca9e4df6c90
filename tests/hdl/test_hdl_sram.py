"""The SRAM macro against a Python list."""

import random

import pytest
from amaranth.sim import Simulator

from hdl.lib.sram import Sram

SEED = 5


def test_random_accesses():
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    dut = Sram(20, 11)

    async def bench(ctx):
        model = [rng.randrange(1 << 11) for _ in range(20)]
        ctx.set(dut.write_en, 1)
        for addr, word in enumerate(model):
            ctx.set(dut.write_addr, addr)
            ctx.set(dut.write_data, word)
            await ctx.tick()
        expected = None
        for _ in range(1000):
            read, write = rng.sample(range(20), 2)
            reading, writing, word = rng.random() < 0.5, rng.random() < 0.5, rng.randrange(1 << 11)
            ctx.set(dut.read_en, reading)
            ctx.set(dut.read_addr, read)
            ctx.set(dut.write_en, writing)
            ctx.set(dut.write_addr, write)
            ctx.set(dut.write_data, word)
            await ctx.tick()
            if reading:
                expected = model[read]
            if writing:
                model[write] = word
            assert expected is None or ctx.get(dut.read_data) == expected

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def test_a_memory_of_one_word_is_refused():
    with pytest.raises(ValueError, match="not 1 of 8"):
        Sram(1, 8)
