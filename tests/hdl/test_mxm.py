"""The matrix plane in Amaranth's simulator against numpy, cycle by cycle."""

import pytest
from amaranth.sim import Simulator

from hdl.lib.stamp import ports
from hdl.mxm.bare import BarePlane
from sw.arch.config import load
from tests.hdl.mxm_bench import Schedule, random_schedule

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


@pytest.mark.parametrize("dtype", ["int8", "fp16"])
@pytest.mark.parametrize("case", CASES)
def test_random_schedules(case, dtype):
    c = CASES[case]
    if dtype not in c.mxm.types:
        pytest.skip(f"{case} has no {dtype}")
    schedule = random_schedule(c, dtype, SEED)
    driven, errors = simulate(schedule)
    schedule.compare(driven)
    assert all(pair == [0, 0] for cycle in errors for pair in cycle)
