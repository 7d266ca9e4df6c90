"""Directed programs in lockstep: golden model and RTL agree in every stream drive, memory write and cycle."""

import numpy as np
import pytest

from sw.arch.config import load
from sw.asm.program import Program
from tb.machine import CocotbMachine
from tests.tb.lockstep import lockstep

SEED = 20261123


@pytest.fixture(scope="module", params=["tiny"])
def rtl(request, tmp_path_factory):
    with CocotbMachine(load(request.param), folder=tmp_path_factory.mktemp("rtl")) as machine:
        yield machine


def vectors(c, count, seed=SEED):
    print(f"seed {seed}")
    return np.random.default_rng(seed).integers(0, 256, (count, c.vl), dtype=np.uint8)


@pytest.mark.parametrize("source, target, stream", [("W1", "E1", "E4"), ("E1", "W1", "W15"), ("W3", "W0", "E0")])
def test_a_copy_in_both_directions(rtl, source, target, stream):
    c = rtl.config
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
