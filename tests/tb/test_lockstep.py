"""Golden model and RTL agree in every stream drive, memory write, cycle and fault: directed and random programs."""

import numpy as np
import pytest

from sw.arch.config import load
from sw.asm.program import Program
from sw.check.program import check
from tests.programs.generate import random_program
from tests.programs.regular import DIRECTED, SEEDS, SIZE, directed
from tests.programs.stage import Stage
from tests.tb.lockstep import lockstep, machine

SEED = 20261123


SLOW = (pytest.param(text, marks=pytest.mark.slow) for text in ("small", "tiny plain"))


@pytest.fixture(scope="module", params=["tiny", *SLOW])
def rtl(request, tmp_path_factory):
    """As simulated for speed, or `plain`: the very text that users get."""
    preset, *plain = request.param.split()
    with machine(load(preset), tmp_path_factory.mktemp("rtl"), bool(plain)) as running:
        yield running


def accepted(program: Program):
    """The image of a program that the checker accepts."""
    image = program.image()
    assert [str(finding) for finding in check(image)] == []
    return image


def vectors(c, count, seed=SEED):
    print(f"seed {seed}")
    return np.random.default_rng(seed).integers(0, 256, (count, c.vl), dtype=np.uint8)


@pytest.mark.parametrize("source, target, stream", [("W1", "E1", "E4"), ("E1", "W1", "W15"), ("W{last}", "W0", "E0")])
def test_a_copy_in_both_directions(rtl, source, target, stream):
    c = rtl.config
    source = source.format(last=c.mem.slices - 1)
    program = Program(c)
    data = vectors(c, 4)
    program.data(f"MEM_{source}", 3, data)
    plan = program.floorplan
    hops = plan.hops(plan.unit(f"MEM_{source}"), plan.unit(f"MEM_{target}"))
    program.at(5).mem(source).read(3, stream, stride=1).repeat(3, 1)
    program.at(5 + 2 + hops - 1).mem(target).write(7, stream, stride=1).repeat(3, 1)
    program.output("copy", f"MEM_{target}", 7, 4)
    lockstep(rtl, program.image())
    assert (rtl.read("copy", 0, 4) == data).all()


@pytest.mark.parametrize("family", [*DIRECTED, "fetch"])
def test_every_instruction_at_the_edges_of_its_range(rtl, family):
    for name, program in directed(rtl.config, family):
        print(name)
        lockstep(rtl, accepted(program))


@pytest.mark.parametrize("seed", SEEDS)
def test_random_programs(rtl, seed):
    print(f"seed {seed}")
    lockstep(rtl, accepted(random_program(rtl.config, seed, SIZE)))


@pytest.mark.parametrize("seed, iterations", [(100, 2), (101, 3), (102, 3)])
def test_iterations_start_from_the_memory_that_the_last_one_left(rtl, seed, iterations):
    print(f"seed {seed}")
    lockstep(rtl, accepted(random_program(rtl.config, seed, SIZE)), iterations)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 230))
def test_large_random_programs(rtl, seed):
    print(f"seed {seed}")
    lockstep(rtl, accepted(random_program(rtl.config, seed, 4 * SIZE)), iterations=1 + seed % 2)


@pytest.mark.parametrize("instruction", ["GATHER", "SCATTER"])
@pytest.mark.parametrize("offset", [2, 0x7FFF, 0x8000, 0xFFFE])
def test_an_offset_beyond_its_region_stops_both(rtl, instruction, offset):
    c = rtl.config
    stage = Stage(c)
    name = stage.plan.slices[c.mem.slices].name
    stage.own(name)
    stage.bring_group(name, 0, stage.now, np.full((1, c.vl), offset), 2)
    stage.bring(name, 2, stage.now, vectors(c, 1))
    stage.put(name, stage.now, instruction, addr=c.bank_words - 2, rows=2, stream=2, map=0)
    lockstep(rtl, accepted(stage.program))
