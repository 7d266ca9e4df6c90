"""Switch units on the golden chip, against loops written from the instruction table's sentences."""

import numpy as np
import pytest

from sw.arch.dtype import DType
from sw.golden.error import GoldenError
from sw.golden.moves import reduce
from tests.golden.bench import TINY, Bench, timing

VL, LANES = TINY.vl, TINY.lanes
AT = 40
SEED = 20264


def random_bytes(*shape, high=256, seed=0):
    return np.random.default_rng(SEED + seed).integers(0, high, shape, np.uint8)


def run_one(name: str, queue: str, inputs: dict[str, np.ndarray], streams: int, **values) -> np.ndarray:
    """Runs one instruction of SXM_E whose operands arrive on the given streams; its results, uint8
    [streams, VL]."""
    bench = Bench(TINY)
    for stream, vector in inputs.items():
        bench.give("SXM_E", AT, stream, vector)
    getattr(bench.program.at(AT).queue(queue), name)(dst="W0", **values)
    bench.run()
    return bench.drive("SXM_E", AT + timing(TINY, name.upper()).d_func, "W0", streams)


@pytest.mark.parametrize("mode", ["NORTH", "SOUTH"])
@pytest.mark.parametrize("n", range(LANES + 1))
def test_shift(mode, n):
    x = random_bytes(VL)
    got = run_one("shift", "SXM_E_SHIFT0", {"E0": x}, 1, src="E0", mode=mode, n=n)[0]
    for i in range(VL):
        origin = i - n if mode == "NORTH" else i + n
        assert got[i] == (x[origin] if 0 <= origin < VL else 0)


def test_shift_by_a_select_map():
    x, select = random_bytes(VL), random_bytes(VL, high=5, seed=1)
    bench = Bench(TINY)
    bench.give("SXM_E", AT - 1, "E1", select)
    bench.give("SXM_E", AT, "E1", random_bytes(VL, seed=2))
    bench.give("SXM_E", AT, "E0", x)
    engine = "SXM_E_SHIFT0"
    bench.program.at(AT - 1).queue(engine).select_map(src="E1")
    bench.program.at(AT).queue(engine).shift(src="E0", mode="SELECT", n=2, dst="W0")
    bench.run()
    got = bench.drive("SXM_E", AT + timing(TINY, "SHIFT").d_func, "W0")[0]
    padded = [0, 0, *x, 0, 0]
    for i in range(VL):
        choices = {0: padded[i + 2], 1: padded[i], 2: padded[i + 4]}
        assert got[i] == choices.get(int(select[i]), 0)


def test_permute_and_its_map():
    x = random_bytes(2, VL)
    index = np.random.default_rng(SEED).integers(0, VL + 3, VL).astype(np.uint16)
    index[0] = 256
    bench = Bench(TINY)
    bench.group("SXM_E", AT, "E2", index)
    for k in (0, 1, 2):
        bench.give("SXM_E", AT + k, "E0", x[k % 2])
    engine = "SXM_E_PERMUTE0"
    bench.program.at(AT).queue(engine).map(src="E2")
    for k in (1, 2):
        bench.program.at(AT + k).queue(engine).permute(src="E0", dst="W0")
    bench.run()
    for k in (1, 2):
        got = bench.drive("SXM_E", AT + k + timing(TINY, "PERMUTE").d_func, "W0")[0]
        assert list(got) == [x[k % 2][i] if i < VL else 0 for i in index]


def test_permute_without_a_map_is_refused():
    with pytest.raises(GoldenError, match="PERMUTE of queue SXM_E_PERMUTE0 .* has no map"):
        run_one("permute", "SXM_E_PERMUTE0", {"E0": random_bytes(VL)}, 1, src="E0")


def test_distribute():
    x, index = random_bytes(VL), random_bytes(VL, high=LANES + 2, seed=3)
    got = run_one("distribute", "SXM_E_DISTRIBUTE0", {"E0": x, "E5": index}, 1, src="E0", map="E5")[0]
    for i in range(VL):
        base = i // LANES * LANES
        assert got[i] == (x[base + index[i]] if index[i] < LANES else 0)


@pytest.mark.parametrize("n", [3, 4])
def test_rotate(n):
    x = random_bytes(n, VL)
    inputs = {f"E{i}": x[i] for i in range(n)}
    got = run_one("rotate", "SXM_E_ROTATE0", inputs, n * n, src="E0", n=n)
    for i in range(n):
        for j in range(n):
            for r in range(TINY.superlanes):
                for lane in range(LANES):
                    group, place = divmod(lane, n)
                    whole = (group + 1) * n <= LANES
                    expected = x[i, r * LANES + group * n + (place + j) % n] if whole else 0
                    assert got[n * i + j, r * LANES + lane] == expected


def test_transpose():
    x = random_bytes(LANES, VL)
    got = run_one("transpose", "SXM_E_TRANSPOSE0", {f"E{i}": x[i] for i in range(LANES)}, LANES, src="E0")
    for i in range(LANES):
        for lane in range(VL):
            base = lane // LANES * LANES
            assert got[i, lane] == x[lane - base, base + i]


@pytest.mark.parametrize("fn,meaning", [("MAX", max), ("MIN", min), ("SUM", sum)])
def test_reduce_int32(fn, meaning):
    x = np.random.default_rng(SEED).integers(-(1 << 31), 1 << 31, VL).astype(np.int32)
    inputs = {f"E{j}": x.view(np.uint8).reshape(VL, 4)[:, j] for j in range(4)}
    got = run_one("reduce", "SXM_E_REDUCE0", inputs, 4, src="E0", fn=fn, dtype="int32")
    value = np.ascontiguousarray(got.T).view(np.int32)[:, 0]
    assert (value == np.int64(meaning(x.tolist())).astype(np.int32)).all()


@pytest.mark.parametrize("superlanes", [1, 2, 3, 5, 7, 20])
def test_fp32_sums_follow_the_tree(superlanes):
    lanes = 8
    # Numbers of very different size: another order gives another sum.
    rng, shape = np.random.default_rng(SEED), (50, superlanes * lanes)
    x = (rng.normal(0, 1, shape) * 2.0 ** rng.integers(-30, 30, shape)).astype(np.float32)

    def tree(values):
        while len(values) > 1:
            pairs = [a + b for a, b in zip(values[::2], values[1::2], strict=False)]
            values = pairs + ([values[-1]] if len(values) % 2 else [])
        return values[0]

    got = reduce(x.view(np.uint32), "SUM", DType.FP32, lanes).view(np.float32)
    for row, value in zip(x, got, strict=True):
        assert value == tree([tree(list(part)) for part in row.reshape(superlanes, lanes)])
