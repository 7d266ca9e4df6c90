"""Superlane power masks: what an unpowered superlane leaves alone, and that it puts zeros into what crosses
it."""

import numpy as np
import pytest

from sw.asm.operands import PREV
from sw.golden.error import GoldenError
from tests.golden.bench import TINY, Bench, timing

VL, LANES = TINY.vl, TINY.lanes
SOUTH, NORTH, ALL = 1, 2, 3
SEED = 20266
AT = 60


def vectors(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(SEED + seed).integers(0, 256, (count, VL), np.uint8)


def mix(south: np.ndarray, north: np.ndarray) -> list[int]:
    return [*south[:LANES], *north[LANES:]]


def power(bench: Bench, queue: str, mask: int, time: int = 0) -> None:
    bench.program.at(time).queue(queue).config(mask=mask)


def stop(bench: Bench, name: str) -> int:
    return bench.plan.unit(name).stop


def chain_of_reads(masks: dict[str, int]) -> Bench:
    """Slices whose READs of word 0 meet on one diagonal of E0, which MEM_E0 writes to word 5."""
    bench = Bench(TINY)
    for i, (name, mask) in enumerate(masks.items()):
        power(bench, name, mask)
        bench.program.data(name, 0, vectors(len(masks))[i])
        bench.program.at(20 + stop(bench, name)).queue(name).read(0, "E0")
    arrival = 20 + stop(bench, "MEM_E0") + timing(TINY, "READ").d_func - 1
    bench.program.at(arrival).queue("MEM_E0").write(5, "E0")
    return bench


@pytest.mark.parametrize(
    "masks,south,north",
    [
        ({"MEM_W15": ALL, "MEM_W8": NORTH}, 0, 1),
        ({"MEM_W15": ALL, "MEM_W8": NORTH, "MEM_W2": SOUTH}, 2, 1),
        ({"MEM_W15": SOUTH, "MEM_W8": NORTH}, 0, 1),
        ({"MEM_W15": ALL, "MEM_W8": 0, "MEM_W2": SOUTH}, 2, 0),
        ({"MEM_W15": NORTH, "MEM_W8": SOUTH, "MEM_W2": ALL}, 2, 2),
    ],
)
def test_a_masked_drive_leaves_the_older_value_elsewhere(masks, south, north):
    bench = chain_of_reads(masks)
    chip = bench.run()
    data = vectors(len(masks))
    assert list(chip.read(bench.slice("MEM_E0"), 5, 1)[0]) == mix(data[south], data[north])
    recorded = bench.records[bench.records["kind"] == 0]
    assert len(recorded) == sum(mask.bit_count() for mask in masks.values())


def test_a_superlane_that_nobody_drove_cannot_be_read():
    with pytest.raises(GoldenError, match="WRITE of queue MEM_E0 .* which nobody drove"):
        chain_of_reads({"MEM_W15": SOUTH, "MEM_W2": SOUTH}).run()


def test_but_an_unpowered_reader_does_not_look():
    bench = chain_of_reads({"MEM_W15": SOUTH, "MEM_W2": SOUTH})
    power(bench, "MEM_E0", SOUTH)
    chip = bench.run()
    assert list(chip.read(bench.slice("MEM_E0"), 5, 1)[0, :LANES]) == list(vectors(2)[1, :LANES])
    assert bench.records[bench.records["kind"] == 1]["superlane"].tolist() == [0]


@pytest.mark.parametrize("before", [True, False])
def test_masked_writes_keep_what_the_word_held(before):
    bench = Bench(TINY)
    old, new, last = vectors(3)
    if before:
        bench.program.data("MEM_E0", 7, old)
    for i, (mask, vector) in enumerate(((NORTH, new), (SOUTH, last))):
        power(bench, "MEM_E0", mask, 15 + 10 * i)
        bench.give("MEM_E0", 20 + i * 10, "E0", vector)
        bench.program.at(20 + i * 10).queue("MEM_E0").write(7, "E0")
    power(bench, "MEM_E0", ALL, 35)
    bench.program.at(40).queue("MEM_E0").read(7, "E1")
    bench.run()
    assert list(bench.drive("MEM_E0", 40 + timing(TINY, "READ").d_func, "E1")[0]) == mix(last, new)


def test_reading_a_word_that_was_written_in_part_is_refused():
    bench = Bench(TINY)
    power(bench, "MEM_E0", NORTH)
    bench.give("MEM_E0", 20, "E0", vectors(1)[0])
    bench.program.at(20).queue("MEM_E0").write(7, "E0")
    power(bench, "MEM_E0", ALL, 25)
    bench.program.at(40).queue("MEM_E0").read(7, "E1")
    with pytest.raises(GoldenError, match="READ of queue MEM_E0 at cycle 40 reads a word"):
        bench.run()


def test_a_chain_from_an_unpowered_superlane_is_refused():
    bench = Bench(TINY)
    power(bench, "VXM0", SOUTH)
    bench.give("VXM", AT, "E0", vectors(1)[0])
    bench.program.at(AT).vxm(0).neg("int8", a="E0")
    bench.program.at(AT + 1).vxm(1).neg("int8", a=PREV, dst="E4")
    with pytest.raises(GoldenError, match="takes PREV"):
        bench.run()


def test_shift_and_reduce_get_zeros_from_unpowered_superlanes():
    x = vectors(4)
    bench = Bench(TINY)
    for queue in ("SXM_E_SHIFT0", "SXM_E_REDUCE0"):
        power(bench, queue, NORTH)
    for j in range(4):
        bench.give("SXM_E", AT, f"E{j}", x[j])
    bench.program.at(AT).queue("SXM_E_SHIFT0").shift(src="E0", mode="NORTH", n=2, dst="W0")
    bench.program.at(AT).queue("SXM_E_REDUCE0").reduce(src="E0", fn="SUM", dtype="int32", dst="W4")
    bench.run()
    lanes = np.ascontiguousarray(x.T).view(np.int32)[:, 0].astype(np.int64)
    r = bench.records

    def north(code: int) -> np.ndarray:
        return r["data"][(r["item"] == TINY.streams + code) & (r["kind"] == 0)]

    assert north(0).tolist() == [[0, 0, *x[0, LANES : 2 * LANES - 2]]]
    total = np.concatenate([north(4 + j) for j in range(4)]).T.copy().view(np.int32)[:, 0]
    assert (total == lanes[LANES:].sum().astype(np.int32)).all()


def test_maps_change_only_in_powered_superlanes():
    maps, x = vectors(2) % 4, vectors(1, seed=1)[0]
    bench = Bench(TINY)
    queue = "SXM_E_SHIFT0"
    for i, (mask, time) in enumerate(((ALL, 30), (NORTH, 40))):
        power(bench, queue, mask, time - 5)
        bench.give("SXM_E", time, "E0", maps[i])
        bench.program.at(time).queue(queue).select_map(src="E0")
    power(bench, queue, ALL, 45)
    bench.give("SXM_E", AT, "E0", x)
    bench.program.at(AT).queue(queue).shift(src="E0", mode="SELECT", n=1, dst="W0")
    bench.run()
    padded = [0, *x, 0]
    expected = [
        {0: padded[i + 1], 1: padded[i], 2: padded[i + 2]}.get(int(m), 0) for i, m in enumerate(mix(*maps))
    ]
    assert list(bench.drive("SXM_E", AT + timing(TINY, "SHIFT").d_func, "W0")[0]) == expected


def test_mxm_masks_are_zeros_for_activations_and_old_values_for_weights_and_sums():
    rng = np.random.default_rng(SEED)
    w = rng.integers(-128, 128, (2, VL, VL), np.int8)
    a = rng.integers(-128, 128, (3, VL), np.int8)
    bench = Bench(TINY)
    load, act, res = (f"MXM_E0_{x}" for x in "WAR")
    for i, mask in enumerate((ALL, NORTH)):
        power(bench, load, mask, 30 + 10 * i)
        for k in range(VL // LANES):
            for j in range(LANES):
                bench.group("MXM_E0", 35 + 10 * i + k, f"E{j}", w[i, :, k * LANES + j].copy())
            bench.program.at(35 + 10 * i + k).queue(load).lw("int8", n=LANES, stream="E0", col=k * LANES)
    power(bench, load, ALL, 50)
    bench.program.at(51).queue(load).iw()
    weights = np.concatenate((w[0, :LANES], w[1, LANES:]))
    meets = timing(TINY, "ABC").d_func
    step = 10
    # Pass 0 whole, pass 1 with the south superlane alone, then the vector held with all power again.
    for i, mask in enumerate((ALL, SOUTH, ALL)):
        t = AT + step * i
        power(bench, act, mask, t - 1)
        if i < 2:
            bench.group("MXM_E0", t, "E0", a[i])
            bench.program.at(t).queue(act).abc("int8", stream="E0")
        else:
            bench.program.at(t).queue(act).abc_hold("int8")
    # SET everywhere, ADD in the north alone, READ.
    for i, (mode, mask) in enumerate((("SET", ALL), ("ADD", NORTH), ("ADD_OUT", ALL))):
        t = AT + step * i + meets
        power(bench, res, mask, t - 1)
        bench.program.at(t).queue(res).acc("int8", mode, row=1, dst="W4")
    bench.run()
    half = a[1].astype(np.int32)
    held = np.array(mix(a[1], a[0]), np.int32)
    half[LANES:] = 0
    p = [v.astype(np.int32) @ weights.astype(np.int32) for v in (a[0], half, held)]
    acc = np.array(mix(p[0], p[0] + p[1]))
    got = bench.lanes("MXM_E0", AT + 2 * step + meets + timing(TINY, "ACC").d_func, "W4", np.int32)
    assert (got == acc + p[2]).all()


def test_gather_and_scatter_under_masks():
    unit = "MEM_E15"
    data, x = vectors(4), vectors(1, seed=5)[0]
    bench = Bench(TINY)
    bench.program.data(unit, 0, data)
    power(bench, unit, NORTH, 10)
    # Superlane 0 would be out of range in both: unpowered, it does nothing.
    for t in (AT, AT + 4):
        bench.group(unit, t, "E2", np.repeat(np.array([9, 3], np.uint16), LANES))
    bench.give(unit, AT, "E4", x)
    bench.program.at(AT).queue(unit).scatter(addr=0, rows=4, stream="E4", map="E2")
    bench.program.at(AT + 4).queue(unit).gather(addr=0, rows=4, stream="W0", map="E2")
    chip = bench.run()
    assert bench.result.fault is None
    data[3, LANES:] = x[LANES:]
    assert (chip.read(bench.slice(unit), 0, 4) == data).all()
    got = bench.records[(bench.records["kind"] == 0) & (bench.records["item"] == TINY.streams)]
    assert got["superlane"].tolist() == [1] and got["data"][0].tolist() == x[LANES:].tolist()
