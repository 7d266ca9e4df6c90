"""One program on the golden model and on the RTL, compared over every stream drive and every memory write."""

import numpy as np

from sw.asm.image import Image
from sw.asm.timeline import timeline
from sw.golden.chip import GoldenMachine
from sw.isa.table import restart_gap
from sw.trace import compare
from tb.machine import CocotbMachine


def lockstep(rtl: CocotbMachine, image: Image, iterations: int = 1, writes: dict[str, np.ndarray] | None = None):
    """Runs `image` on both machines; AssertionError with a table at the first difference. Returns the golden machine.

    `writes` fills input regions by name. The cycle counts and the faults must be equal too.
    """
    golden = GoldenMachine(rtl.config)
    for machine in (golden, rtl):
        machine.load(image)
        for region, vectors in (writes or {}).items():
            machine.write(region, 0, vectors)
    expected, got = golden.run(iterations, range(iterations)), rtl.run(iterations)
    if expected.fault is None:
        assert got == expected
    else:
        assert got.fault is not None and got.fault.kind == expected.fault.kind
        return golden
    schedule = timeline(image)
    difference = compare(golden.trace(), rtl.trace(), schedule.bursts, schedule.cycles + restart_gap(rtl.config))
    assert difference is None, difference
    return golden
