"""One program on the golden model and on the RTL, compared over every stream drive and every memory write."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sw.arch.config import Config
from sw.asm.image import Image
from sw.asm.timeline import timeline
from sw.golden.chip import GoldenMachine
from sw.isa.table import restart_gap
from sw.trace import compare
from tb.chip import build_chip
from tb.functional import FOLDER, Coverage
from tb.machine import CocotbMachine


@contextmanager
def machine(config: Config, folder: Path, plain: bool = False) -> Iterator[CocotbMachine]:
    """The RTL, of a simulator that counts lines and toggles where `scripts/coverage.py` asks for it."""
    wanted = os.environ.get(FOLDER)
    with CocotbMachine(config, build_chip(config, plain=plain, coverage=bool(wanted)), folder) as running:
        yield running
    if wanted:
        (folder / "coverage.dat").rename(Path(wanted) / f"{config.name}-{os.getpid()}.dat")


def lockstep(rtl: CocotbMachine, image: Image, iterations: int = 1, writes: dict[str, np.ndarray] | None = None):
    """Runs `image` on both machines; AssertionError with a table at the first difference. Returns the golden machine.

    `writes` fills input regions by name. The cycle counts and the faults must be equal too.
    """
    golden = GoldenMachine(rtl.config)
    for runner in (golden, rtl):
        runner.load(image)
        for region, vectors in (writes or {}).items():
            runner.write(region, 0, vectors)
    expected, got = golden.run(iterations, range(iterations)), rtl.run(iterations)
    if expected.fault is not None:
        assert got.fault is not None and got.fault.kind == expected.fault.kind
        return golden
    assert got == expected
    schedule = timeline(image)
    difference = compare(golden.trace(), rtl.trace(), schedule.bursts, schedule.cycles + restart_gap(rtl.config))
    assert difference is None, difference
    if FOLDER in os.environ:
        Coverage.of(schedule).append(Path(os.environ[FOLDER]))
    return golden
