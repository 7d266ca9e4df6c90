"""Every lane operation of the exported Verilog: floats against SoftFloat, the rest against the golden model.

Each run also measures the latency, which has to be the instruction table's.
"""

import numpy as np
import pytest

from hdl.export import export
from hdl.lib.aluop import ALU_OP
from hdl.vxm.lanes import Lanes
from sw.arch.dtype import DType
from sw.golden.convert import convert, extend
from sw.golden.scalar import evaluate
from sw.isa.rows.vxm import ALU_TYPES, SPECIAL, STAGES, alu_class
from tests import softfloat
from tests.hdl.player import COPIES, play


@pytest.fixture(scope="module")
def lane():
    return export(Lanes(COPIES, floats=True, specials=True), "vxm_lanes_special")


def operate(lane, folder, kind, op, dtype, a, b=0, mask=0, to=0, modular=0):
    return play(lane, STAGES[kind], folder, op=op, dtype=dtype, a=a, b=b, mask=mask, to=to, modular=modular)


@pytest.mark.parametrize(
    "kind, oracles", [("float", ("add", "sub", "mul")), ("simple", ("eq", "lt_quiet", "le_quiet"))]
)
def test_fp32_against_softfloat(lane, tmp_path, kind, oracles):
    a, b = softfloat.fp32_pairs()
    op = np.repeat([ALU_OP[oracle.split("_")[0].upper()] for oracle in oracles], len(a))
    got = operate(lane, tmp_path, kind, op, DType.FP32, np.tile(a, len(oracles)), np.tile(b, len(oracles)))
    for oracle, answers in zip(oracles, got.reshape(len(oracles), -1), strict=True):
        softfloat.same(answers, softfloat.arithmetic(oracle, a, b), a, b)


@pytest.mark.parametrize("src", DType, ids=lambda d: d.text)
def test_convert_against_softfloat(lane, tmp_path, src):
    a = extend(src, softfloat.singles(src))
    to = np.repeat(np.arange(len(DType)), len(a))
    got = operate(lane, tmp_path, "float", ALU_OP["CONVERT"], src, np.tile(a, len(DType)), to=to)
    for dst, answers in zip(DType, got.reshape(len(DType), -1), strict=True):
        softfloat.same(answers, softfloat.conversion(src, dst, a), a)


@pytest.mark.parametrize("name", SPECIAL)
def test_special_against_golden(lane, tmp_path, name):
    """All fp16 numbers, boundaries and random numbers, and fractions spread over exponents that matter."""
    fractions = softfloat.generator().integers(0, 1 << 24, (36, 4000), dtype=np.uint32)
    spread = np.arange(98, 134, dtype=np.uint32)[:, None] << 23 | fractions >> 1 | fractions << 31
    halves = convert(DType.FP16, DType.FP32, np.arange(1 << 16))
    a = np.concatenate([halves, softfloat.fp32_singles(), spread.ravel()])
    got = operate(lane, tmp_path, "special", ALU_OP[name], DType.FP32, a)
    softfloat.same(got, evaluate(name, DType.FP32, a), a)


@pytest.mark.parametrize("dtype", DType, ids=lambda d: d.text)
def test_simple_against_golden(lane, tmp_path, dtype):
    """Every one-cycle operation of the type, in random order and with anything above the type's width."""
    names = [name for name, types in ALU_TYPES.items() if dtype in types]
    names = [name for name in names if alu_class(name, dtype) == "simple"]
    a, b = softfloat.fp32_pairs() if dtype.is_float else softfloat.int_pairs(dtype)
    random = softfloat.generator()
    pick = random.integers(0, len(a), 400_000)
    above = (random.integers(0, 1 << (32 - dtype.bits), (2, len(pick))) << dtype.bits).astype(np.uint32)
    a, b = (extend(dtype, x[pick]) ^ high for x, high in zip((a, b), above, strict=True))
    mask = random.integers(0, 1 << 32, len(pick))
    choice, modular = (random.integers(0, n, len(pick) // COPIES).repeat(COPIES) for n in (len(names), 2))
    op = np.array([ALU_OP[name] for name in names])[choice]
    got = operate(lane, tmp_path, "simple", op, dtype, a, b, mask=mask, modular=modular)
    for k, name in enumerate(names):
        for wrap in (False, True):
            at = (choice == k) & (modular == wrap)
            expected = evaluate(name, dtype, a[at], b[at], mask=mask[at], modular=wrap)
            softfloat.same(got[at], expected, a[at], b[at], np.full(at.sum(), ALU_OP[name]))


@pytest.mark.parametrize("dtype", [d for d in ALU_TYPES["MUL"] if not d.is_float], ids=lambda d: d.text)
def test_integer_multiply_against_golden(lane, tmp_path, dtype):
    a, b = softfloat.int_pairs(dtype)
    modular = np.repeat([0, 1], len(a))
    a, b = np.tile(a, 2), np.tile(b, 2)
    got = operate(lane, tmp_path, "float", ALU_OP["MUL"], dtype, a, b, modular=modular)
    for wrap in (False, True):
        at = modular == wrap
        softfloat.same(got[at], evaluate("MUL", dtype, a[at], b[at], modular=wrap), a[at], b[at])
