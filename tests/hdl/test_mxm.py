"""The matrix plane against numpy, cycle by cycle, in Amaranth's simulator and as exported Verilog."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from hdl.lib.stamp import ports
from hdl.mxm.bare import BarePlane
from sw.arch.config import load
from sw.arch.hostmap import Fault
from tests.hdl.mxm_bench import ADD_OUT, PASS, SET, Schedule, dot, random_schedule, vectors
from tests.hdl.mxm_player import play

SEED = 20260402
TINY = load("tiny")
CASES = {
    "tiny": TINY,
    "tiny-no-ecc": TINY.replace(ecc={"streams": False, "accumulators": False}),
    "interval-1": TINY.replace(mxm={"fp16_interval": 1}),
    "interval-4": TINY.replace(mxm={"fp16_interval": 4}),
    "fp16-only": TINY.replace(mxm={"types": ("fp16",)}),
    "three": TINY.replace(superlanes=3, mxm={"types": ("int8",)}),
    "fpga": load("fpga"),
}


def simulate(schedule: Schedule) -> tuple[dict, list]:
    """Runs a schedule; returns what was driven, and per cycle (corrected, fault) of each queue."""
    plane = BarePlane(schedule.c, sim=True)
    pins = ports(plane)
    driven, errors = {}, []

    async def bench(ctx):
        for t, values in enumerate(schedule.inputs()):
            for name, value in values.items():
                ctx.set(pins[name][0], value)
            for r in range(schedule.c.superlanes):
                drive = getattr(plane, f"drive_{r}")
                if ctx.get(drive.valid):
                    code = ctx.get(drive.stream) + schedule.c.streams * ctx.get(drive.west)
                    driven[t, r, code] = (ctx.get(drive.data), ctx.get(drive.check))
            errors.append([[int(ctx.get(getattr(plane, f"{what}_{q}"))) for what in ("corrected", "fault")] for q in range(3)])
            await ctx.tick()

    simulator = Simulator(plane)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return driven, errors


@pytest.mark.parametrize("case, dtype", [(case, dtype) for case, c in CASES.items() for dtype in c.mxm.types])
def test_random_schedules(case, dtype):
    c = CASES[case]
    schedule = random_schedule(c, dtype, SEED)
    driven, errors = simulate(schedule)
    schedule.compare(driven)
    assert all(pair == [0, 0] for cycle in errors for pair in cycle)


@pytest.mark.parametrize("case, loops", [("tiny", False), ("tiny", True), ("tiny-no-ecc", True)])
def test_exported(case, loops, tmp_path):
    """Plain, and with equal lanes written as loops; both types one after the other."""
    for dtype in ("int8", "fp16"):
        (tmp_path / dtype).mkdir()
        schedule = random_schedule(CASES[case], dtype, SEED + 1, passes=80)
        schedule.compare(play(schedule, tmp_path / dtype, loops))


def loaded(seed: int) -> tuple[Schedule, np.ndarray, int]:
    """A schedule on `tiny` with int8 weights in the array, the weights, and the first cycle for a pass."""
    rng = np.random.default_rng(seed)
    schedule = Schedule(TINY, rng)
    w = vectors(rng, (TINY.vl, TINY.vl), "int8")
    return schedule, w, schedule.load(1, w, "int8", 4) + 1


def flip(schedule: Schedule, t: int, superlane: int, *bits: int) -> None:
    """Turns bits of the one operand that stands on the streams at cycle t."""
    [code] = {code for cycle, code in schedule.streams if cycle == t}
    schedule.flips += [(t, superlane, code, bit) for bit in bits]


def test_one_wrong_bit_is_corrected_and_counted():
    schedule, w, t = loaded(SEED)
    for k in range(39):  # every bit of a superlane's word of 32 + 7
        a = vectors(schedule.rng, (TINY.vl,), "int8")
        p = dot(a, w, "int8")
        schedule.accumulate(schedule.activate(t + k, a, "int8"), PASS, 0, "int8", p)
        flip(schedule, t + k, k % 2, k)
    driven, errors = simulate(schedule)
    schedule.compare(driven)
    assert sum(cycle[1][0] for cycle in errors) == 39
    assert all(fault == Fault.NONE for cycle in errors for _, fault in cycle)


def test_one_wrong_bit_in_weights_is_corrected_and_counted():
    schedule, w, t = loaded(SEED)
    code = min(code for cycle, code in schedule.streams if cycle == 2)
    schedule.flips += [(2, 0, code + 1, 5), (2, 1, code, 33)]
    a = vectors(schedule.rng, (TINY.vl,), "int8")
    schedule.accumulate(schedule.activate(t, a, "int8"), PASS, 0, "int8", dot(a, w, "int8"))
    driven, errors = simulate(schedule)
    schedule.compare(driven)
    assert sum(cycle[0][0] for cycle in errors) == 2


def test_two_wrong_bits_are_a_fault():
    schedule, w, t = loaded(SEED)
    a = vectors(schedule.rng, (TINY.vl,), "int8")
    schedule.accumulate(schedule.activate(t, a, "int8"), PASS, 0, "int8", dot(a, w, "int8"))
    flip(schedule, t, 1, 3, 34)
    _, errors = simulate(schedule)
    assert [fault for cycle in errors for _, fault in (cycle[1],) if fault] == [Fault.ECC]


def test_superlane_without_power_gives_zeros():
    schedule, w, t = loaded(SEED)
    first, second = (vectors(schedule.rng, (TINY.vl,), "int8") for _ in range(2))
    schedule.masks["activations"][t + 1] = 0b01
    schedule.accumulate(schedule.activate(t, first, "int8"), PASS, 0, "int8", dot(first, w, "int8"))
    half = second.copy()
    half[TINY.lanes :] = 0
    schedule.accumulate(schedule.activate(t + 1, second, "int8"), PASS, 0, "int8", dot(half, w, "int8"))
    # the superlane that slept still holds its first activations
    held = np.concatenate([second[: TINY.lanes], first[TINY.lanes :]])
    schedule.accumulate(schedule.activate(t + 2, None, "int8"), PASS, 0, "int8", dot(held, w, "int8"))
    at = schedule.activate(t + 3, first, "int8")
    schedule.masks["results"][at] = 0b10
    schedule.accumulate(at, PASS, 0, "int8", dot(first, w, "int8"))
    driven, _ = simulate(schedule)
    schedule.compare(driven)


def test_row_used_again_too_soon_fails_in_simulation():
    schedule, w, t = loaded(SEED)
    a = vectors(schedule.rng, (TINY.vl,), "int8")
    p = dot(a, w, "int8")
    schedule.accumulate(schedule.activate(t, a, "int8"), SET, 3, "int8", None)
    schedule.accumulate(schedule.activate(t + 1, a, "int8"), ADD_OUT, 3, "int8", p + p)
    with pytest.raises(AssertionError, match="too soon"):
        simulate(schedule)


def test_acc_without_a_pass_fails_in_simulation():
    schedule, _, t = loaded(SEED)
    schedule.accumulate(t + 20, SET, 0, "int8", None)
    with pytest.raises(AssertionError, match="no pass"):
        simulate(schedule)
