"""The SRAM macro against a Python list."""

import random

import pytest
from amaranth.sim import Simulator
from pyosys import libyosys

from hdl.export import export
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


def test_its_verilog_becomes_block_ram_and_nothing_else(tmp_path):
    source = tmp_path / "sram.v"
    source.write_text(export(Sram(1024, 72), "sram").text)
    design = libyosys.Design()
    for command in (f"read_verilog {source}", "synth_ecp5 -top sram"):
        libyosys.run_pass(f"tee -q -o {tmp_path / 'yosys.log'} {command}", design)
    types = [cell.type.str().lstrip("\\") for cell in design.top_module().cells_.values()]
    assert sorted(types) == ["DP16KD"] * 4
