"""The vector unit on the golden chip: operands, chains, immediates, and results one by one against numpy."""

import numpy as np
import pytest

from sw.arch.dtype import DType
from sw.asm.operands import NEXT, PREV
from sw.golden.error import GoldenError
from tests.golden.bench import TINY, Bench, timing

SEED = 20262
AT = 20


def operands(dtype: str, count: int = 2) -> np.ndarray:
    rng = np.random.default_rng(SEED)
    t = DType.parse(dtype)
    if t.is_float:
        return rng.normal(0, 100, (count, TINY.vl)).astype(t.numpy)
    return rng.integers(t.least, t.greatest + 1, (count, TINY.vl)).astype(t.numpy)


def clip(dtype: str, x):
    t = DType.parse(dtype)
    return np.clip(x, t.least, t.greatest).astype(t.numpy)


BINARY = [
    ("add", "int8", "sat", lambda a, b: clip("int8", a + b)),
    ("add", "int16", "mod", lambda a, b: (a + b).astype(np.int16)),
    ("sub", "int32", "sat", lambda a, b: clip("int32", a - b)),
    ("mul", "int16", "mod", lambda a, b: (a * b).astype(np.int16)),
    ("mul", "int8", "sat", lambda a, b: clip("int8", a * b)),
    ("max", "int16", None, np.maximum),
    ("xor", "int32", None, np.bitwise_xor),
    ("lt", "int8", None, lambda a, b: np.where(a < b, -1, 0)),
]


@pytest.mark.parametrize("name,dtype,overflow,meaning", BINARY)
@pytest.mark.parametrize("way", ["EW", "WE", "EE"])
def test_two_streams_in_one_out(name, dtype, overflow, meaning, way):
    a, b = operands(dtype)
    streams = f"{way[0]}0", f"{way[1]}4"
    bench = Bench(TINY)
    bench.group("VXM", AT, streams[0], a)
    bench.group("VXM", AT, streams[1], b)
    extra = {"overflow": overflow} if overflow else {}
    getattr(bench.program.at(AT).vxm(0), name)(dtype, a=streams[0], b=streams[1], dst="E8", **extra)
    bench.run()
    done = AT + timing(TINY, name.upper(), dtype=DType.parse(dtype)).d_func
    got = bench.lanes("VXM", done, "E8", a.dtype)
    assert (got == meaning(a.astype(np.int64), b.astype(np.int64)).astype(a.dtype)).all()


def test_fp32_arithmetic_is_ieee():
    a, b = operands("fp32")
    bench = Bench(TINY)
    bench.group("VXM", AT, "E0", a)
    bench.group("VXM", AT, "W4", b)
    bench.program.at(AT).vxm(1).mul("fp32", a="E0", b="W4", dst="W0")
    bench.run()
    got = bench.lanes("VXM", AT + timing(TINY, "MUL", dtype=DType.FP32).d_func, "W0", np.float32)
    assert (got == a * b).all()


def test_conversion_changes_the_width_on_the_streams():
    a = operands("fp32", 1)[0]
    bench = Bench(TINY)
    bench.group("VXM", AT, "E0", a)
    bench.program.at(AT).vxm(0).convert("fp32", "int8", a="E0", dst="E4")
    bench.run()
    done = AT + timing(TINY, "CONVERT", dtype=DType.FP32).d_func
    assert (bench.lanes("VXM", done, "E4", np.int8) == np.clip(np.rint(a), -128, 127)).all()
    assert len(bench.records[bench.records["cycle"] == done]) == TINY.superlanes


@pytest.mark.parametrize("first,step,source", [(0, 1, PREV), (3, -1, NEXT)])
def test_a_chain_through_all_alus_both_ways(first, step, source):
    a = operands("int16", 1)[0]
    bench = Bench(TINY)
    bench.group("VXM", AT, "E0", a)
    t = AT
    for i, (name, change) in enumerate((("add", 5), ("sub", 7), ("mul", 3), ("sub", 9))):
        out = {"dst": "E4"} if i == 3 else {}
        alu = bench.program.at(t).vxm(first + step * i)
        getattr(alu, name)("int16", a=source if i else "E0", b=change, overflow="mod", **out)
        own = timing(TINY, name.upper(), dtype=DType.INT16)
        last, t = t, t + own.d_chain - own.chain_skew
    bench.run()
    expected = (a + np.int16(5) - np.int16(7)) * np.int16(3) - np.int16(9)
    assert (bench.lanes("VXM", last + own.d_func, "E4", np.int16) == expected).all()


def test_select_takes_its_mask_from_the_chain():
    a, b = operands("int32")
    bench = Bench(TINY)
    spent = timing(TINY, "LT", dtype=DType.INT32)
    then = AT + spent.d_chain - spent.chain_skew
    for cycle in (AT, then):
        bench.group("VXM", cycle, "E0", a)
        bench.group("VXM", cycle, "W0", b)
    bench.program.at(AT).vxm(2).lt("int32", a="E0", b="W0")
    bench.program.at(then).vxm(3).select("int32", a="E0", b="W0", m="PREV", dst="W4")
    bench.run()
    got = bench.lanes("VXM", then + timing(TINY, "SELECT", dtype=DType.INT32).d_func, "W4", np.int32)
    assert (got == np.minimum(a, b)).all()


def test_a_chain_without_a_producer_is_refused():
    a = operands("int8", 1)[0]
    bench = Bench(TINY)
    bench.group("VXM", AT, "E0", a)
    bench.program.at(AT).vxm(0).neg("int8", a="E0")
    bench.program.at(AT + 3).vxm(1).neg("int8", a=PREV, dst="E4")
    with pytest.raises(GoldenError, match=f"NEG of queue VXM1 at cycle {AT + 3} takes PREV"):
        bench.run()


def test_two_results_of_one_alu_in_one_cycle_are_refused():
    a = operands("int32", 1)[0]
    bench = Bench(TINY)
    slow, fast = (timing(TINY, n, dtype=DType.INT32).d_func for n in ("MUL", "NEG"))
    for cycle in (AT, AT + slow - fast):
        bench.group("VXM", cycle, "E0", a)
    bench.program.at(AT).vxm(0).mul("int32", a="E0", b=3, dst="E4")
    bench.program.at(AT + slow - fast).vxm(0).neg("int32", a="E0", dst="E8")
    with pytest.raises(GoldenError, match="leave one ALU in one cycle"):
        bench.run()
