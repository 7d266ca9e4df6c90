"""Lanes written as loops answer as the golden model does, like the plain Verilog, in every class."""

import numpy as np
import pytest

from hdl.export import export
from hdl.vxm.lanes import Lanes
from sw.arch.dtype import DType
from sw.golden.scalar import evaluate
from sw.isa.rows.vxm import ALU_TYPES, STAGES, alu_class
from sw.isa.table import instruction
from tb.loops import with_loops
from tests import softfloat
from tests.hdl.player import COPIES, play


@pytest.fixture(scope="module")
def looped():
    plain = export(Lanes(COPIES, floats=True, specials=True), "vxm_lanes_special")
    return with_loops(plain, "vxm_lanes_special", "vxm_lane_special")


@pytest.mark.parametrize("kind", STAGES)
def test_same_answers(looped, tmp_path, kind):
    """Random operations of a class on random types, with another operation and operands in every cycle."""
    random, count = softfloat.generator(), 40_000
    cases = [(n, d) for n, types in ALU_TYPES.items() for d in types if alu_class(n, d) == kind]
    choice, to, modular = (random.integers(0, n, count).repeat(COPIES) for n in (len(cases), len(DType), 2))
    a, b, mask = random.integers(0, 1 << 32, (3, count * COPIES), dtype=np.uint32)
    op = np.array([instruction(name).code for name, _ in cases])[choice]
    dtype = np.array([dtype for _, dtype in cases])[choice]
    words = {"op": op, "dtype": dtype, "to": to, "modular": modular}
    got = play(looped, STAGES[kind], tmp_path, **words, a=a, b=b, mask=mask)
    for k, (name, element) in enumerate(cases):
        for variant in np.unique(np.stack([to, modular])[:, choice == k], axis=1).T:
            at = (choice == k) & (to == variant[0]) & (modular == variant[1])
            expected = evaluate(name, element, a[at], b[at], mask=mask[at], to=DType(variant[0]),
                                modular=bool(variant[1]))
            assert np.array_equal(got[at], expected), (name, element.text)
