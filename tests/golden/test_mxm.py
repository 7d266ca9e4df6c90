"""MXM planes on the golden chip: weights, passes, hold and every ACC mode against numpy's matrix product."""

import numpy as np
import pytest

from sw.golden.error import GoldenError
from tests.golden.bench import TINY, Bench, timing

VL = TINY.vl
SEED = 20263
#: The first pass issues here.
AT = 60


def integers(*shape, seed=0):
    return np.random.default_rng(SEED + seed).integers(-128, 128, shape, np.int8)


def load_weights(bench: Bench, weights: np.ndarray, last: int, install: int | None = None) -> None:
    """All columns of int8 or fp16 [K, N] in consecutive cycles up to `last`; IW then or in cycle
    `install`."""
    queue, size = "MXM_E0_W", weights.dtype.itemsize
    for first in range(0, VL, TINY.lanes):
        cycle = last - (VL - TINY.lanes - first) // TINY.lanes
        for j in range(TINY.lanes):
            bench.group("MXM_E0", cycle, f"E{j * size}", weights[:, first + j].copy())
        dtype = ("int8", "fp16")[size - 1]
        bench.program.at(cycle).queue(queue).lw(dtype, n=TINY.lanes * size, stream="E0", col=first)
    bench.program.at(last if install is None else install).queue(queue).iw()


def one_pass(bench: Bench, cycle: int, a: np.ndarray | None, mode: str, row: int = 0) -> int:
    """A pass (held if `a` is None) and its ACC; gives the cycle in which ACC's result stands at the next
    stop."""
    fp16 = int(bench.fp16)
    dtype = ("int8", "fp16")[fp16]
    if a is None:
        bench.program.at(cycle).queue("MXM_E0_A").abc_hold(dtype)
    else:
        bench.group("MXM_E0", cycle, "E8", a)
        bench.program.at(cycle).queue("MXM_E0_A").abc(dtype, stream="E8")
    meets = cycle + timing(TINY, "ABC", dtype=fp16).d_func
    bench.program.at(meets).queue("MXM_E0_R").acc(dtype, mode, row=row, dst="W4")
    return meets + timing(TINY, "ACC", dtype=fp16).d_func


def fresh(fp16: bool = False) -> Bench:
    bench = Bench(TINY)
    bench.fp16 = fp16
    return bench


def result(bench: Bench, cycle: int) -> np.ndarray:
    return bench.lanes("MXM_E0", cycle, "W4", np.float32 if bench.fp16 else np.int32)


def test_int8_passes_back_to_back():
    w, a = integers(VL, VL), integers(5, VL, seed=1)
    bench = fresh()
    load_weights(bench, w, 40)
    done = [one_pass(bench, AT + i, a[i], "PASS") for i in range(5)]
    bench.run()
    for i, cycle in enumerate(done):
        assert (result(bench, cycle) == a[i].astype(np.int32) @ w.astype(np.int32)).all()


def test_fp16_passes():
    rng = np.random.default_rng(SEED)
    # Multiples of 1/8 below 16: every sum is exact in float32.
    w, a = ((rng.integers(-127, 128, shape) / 8).astype(np.float16) for shape in ((VL, VL), (3, VL)))
    bench = fresh(fp16=True)
    load_weights(bench, w, 40, 45)
    done = [one_pass(bench, AT + i * TINY.mxm.fp16_interval, a[i], "PASS") for i in range(3)]
    bench.run()
    for i, cycle in enumerate(done):
        assert (result(bench, cycle) == a[i].astype(np.float64) @ w.astype(np.float64)).all()


def test_new_weights_take_over_between_two_passes():
    w, a = integers(2, VL, VL), integers(VL, seed=2)
    bench = fresh()
    load_weights(bench, w[0], 40)
    force = timing(TINY, "IW").d_func
    load_weights(bench, w[1], AT + 2 - force)
    done = [one_pass(bench, AT, a, "PASS")]
    done += [one_pass(bench, AT + i, None, "PASS") for i in range(1, 4)]
    bench.run()
    products = [a.astype(np.int32) @ m.astype(np.int32) for m in w]
    for i, cycle in enumerate(done):
        assert (result(bench, cycle) == products[i >= 2]).all(), i


def test_loading_without_installing_changes_nothing():
    w, a = integers(2, VL, VL), integers(VL, seed=2)
    bench = fresh()
    load_weights(bench, w[0], 40)
    load_weights(bench, w[1], 50, AT + 10)
    done = one_pass(bench, AT, a, "PASS")
    bench.run()
    assert (result(bench, done) == a.astype(np.int32) @ w[0].astype(np.int32)).all()


def test_accumulator_modes():
    w, a = integers(VL, VL), integers(6, VL, seed=3)
    bench = fresh()
    load_weights(bench, w, 40)
    modes = [("SET", 3), ("SET", 5), ("ADD", 3), ("ADD_OUT", 3), ("ADD_OUT", 5), ("READ", 3)]
    step = timing(TINY, "ACC").turn
    done = [one_pass(bench, AT + i * step, a[i], mode, row) for i, (mode, row) in enumerate(modes)]
    bench.run()
    p = a.astype(np.int32) @ w.astype(np.int32)
    assert (result(bench, done[3]) == p[0] + p[2] + p[3]).all()
    assert (result(bench, done[4]) == p[1] + p[4]).all()
    assert (result(bench, done[5]) == p[0] + p[2]).all()
    results = (bench.records["kind"] == 0) & (bench.records["item"] >= TINY.streams)
    drives = bench.records[results & (bench.records["cycle"] >= done[0])]
    assert set(drives["cycle"]) == set(done[3:])


def test_repeat_walks_through_columns_and_rows():
    w, a = integers(VL, VL), integers(VL, seed=4)
    bench = fresh()
    half = TINY.lanes // 2
    for k in range(VL // half):
        for j in range(half):
            bench.give("MXM_E0", 40 + k, f"E{j}", w[:, k * half + j].view(np.uint8).copy())
    load = bench.program.at(40).queue("MXM_E0_W").lw("int8", n=half, stream="E0", col=0, stride=half)
    load.repeat(VL // half - 1)
    bench.program.at(50).queue("MXM_E0_W").iw()
    bench.give("MXM_E0", AT, "E8", a.view(np.uint8))
    bench.program.at(AT).queue("MXM_E0_A").abc("int8", stream="E8")
    bench.program.at(AT + 1).queue("MXM_E0_A").abc_hold("int8").repeat(2)
    meets, out = AT + timing(TINY, "ABC").d_func, timing(TINY, "ACC").d_func
    queue = "MXM_E0_R"
    bench.program.at(meets).queue(queue).acc("int8", "SET", row=5, stride=-1).repeat(3)
    bench.program.at(meets + 10).queue(queue).acc("int8", "READ", row=2, dst="W4", stride=1).repeat(3)
    bench.run()
    for k in range(4):
        assert (result(bench, meets + 10 + k + out) == a.astype(np.int32) @ w.astype(np.int32)).all()


def test_int32_accumulation_wraps():
    w, a = np.full((VL, VL), -128, np.int8), np.full(VL, -128, np.int8)
    bench = fresh()
    load_weights(bench, w, 40)
    step = timing(TINY, "ACC").turn
    one_pass(bench, AT, a, "SET")
    one = VL << 14
    # 2^17 each pass: enough of them for the sum to wrap.
    count = (1 << 31) // one
    bench.program.at(AT + step).queue("MXM_E0_A").abc_hold("int8").repeat(count - 1, step)
    meets = AT + step + timing(TINY, "ABC_HOLD").d_func
    bench.program.at(meets).queue("MXM_E0_R").acc("int8", "ADD", row=0).repeat(count - 1, step)
    last = meets + count * step
    bench.program.at(last).queue("MXM_E0_R").acc("int8", "READ", row=0, dst="W4")
    bench.run()
    expected = (one * (count + 1) + (1 << 31)) % (1 << 32) - (1 << 31)
    assert (result(bench, last + timing(TINY, "ACC").d_func) == expected).all()


def test_acc_without_a_pass_is_refused():
    bench = fresh()
    bench.program.at(AT).queue("MXM_E0_R").acc("int8", "PASS", row=0, dst="W4")
    with pytest.raises(GoldenError, match=f"ACC of queue MXM_E0_R at cycle {AT} meets no pass"):
        bench.run()


def test_an_accumulator_row_that_was_never_set_is_refused():
    bench = fresh()
    load_weights(bench, integers(VL, VL), 40)
    one_pass(bench, AT, integers(VL), "ADD", row=7)
    with pytest.raises(GoldenError, match="accumulator row 7, never set"):
        bench.run()


def test_a_pass_of_the_wrong_type_is_refused():
    bench = fresh(fp16=True)
    load_weights(bench, integers(VL, VL), 40)
    one_pass(bench, AT, np.zeros(VL, np.float16), "PASS")
    with pytest.raises(GoldenError, match="is of fp16, but column 0 was loaded as int8"):
        bench.run()


def test_a_column_that_was_never_loaded_is_refused():
    bench = fresh()
    for j in range(TINY.lanes):
        bench.give("MXM_E0", 40, f"E{j}", integers(VL).view(np.uint8))
    bench.program.at(40).queue("MXM_E0_W").lw("int8", n=TINY.lanes, stream="E0", col=0)
    bench.program.at(41).queue("MXM_E0_W").iw()
    one_pass(bench, AT, integers(VL), "PASS")
    with pytest.raises(GoldenError, match=f"uses column {TINY.lanes}, which no LW has loaded"):
        bench.run()


def test_a_pass_before_any_install_is_refused():
    bench = fresh()
    load_weights(bench, integers(VL, VL), 40, AT + 9)
    one_pass(bench, AT, integers(VL), "PASS")
    with pytest.raises(GoldenError, match="finds no weights, no IW came before it"):
        bench.run()
