"""Programs that show when words of a matrix plane take effect: weights and activations that are all equal."""

import numpy as np

from sw.asm.program import Program
from sw.isa.codec import make
from sw.isa.fields import ACC_MODES
from tests.programs.stage import Stage

PLANE = "MXM_E0"
#: First of the streams on which ACC drives, westward.
SUMS = 4
MODES = {name: code for code, name in enumerate(ACC_MODES)}


def number(kind: int, value: int) -> int:
    """The bits of a small number in a plane's type."""
    return int(np.float16(value).view(np.uint16)) if kind else value


def weights(stage: Stage, kind: int, install: int, value: int, loads: tuple[int, ...] = (-1, 0)) -> int:
    """Loads `value` into the columns, `lanes` at a time in cycles counted from `install`, and installs in that cycle; gives
    the first cycle in which a pass may multiply them."""
    c, size = stage.config, 1 + kind
    for k, cycle in enumerate(loads):
        column = np.full(c.vl, number(kind, value))
        for j in range(c.lanes):
            stage.bring_group(PLANE, j * size, install + cycle, column[None], size)
        fields = {"dtype": kind, "n": (c.lanes * size).bit_length() - 1, "col": k * c.lanes}
        stage.put(f"{PLANE}_W", install + cycle, "LW", **fields)
    stage.put(f"{PLANE}_W", install, "IW")
    return install + make("IW").timing(c).d_func


def activations(stage: Stage, kind: int, cycle: int, value: int) -> int:
    """One pass over `value`, between vectors of zeros; gives the cycle in which its sums stand at ACC."""
    c = stage.config
    rows = np.stack([np.full(c.vl, number(kind, v)) for v in (0, value, 0)])
    stage.bring_group(PLANE, 12, cycle - 1, rows, 1 + kind)
    stage.put(f"{PLANE}_A", cycle, "ABC", dtype=kind, stream=12)
    return cycle + make("ABC", dtype=kind).timing(c).d_func


def take(stage: Stage, kind: int, cycle: int, mode: str, row: int = 0) -> int:
    """One ACC; gives the cycle in which its result stands in the next stop's registers."""
    op = make("ACC", dtype=kind, mode=MODES[mode], row=row, dst=stage.config.streams + SUMS)
    stage.put(f"{PLANE}_R", cycle, "ACC", **op.values)
    return cycle + op.timing(stage.config).d_func


def stored(stage: Stage, cycle: int) -> Program:
    """The program with outputs `sum 0` … `sum 3`, the bytes of the sums that stand at the next stop in `cycle`."""
    c, program, plan = stage.config, stage.program, stage.plan
    stop = plan.unit(PLANE).stop - 1
    for k, name in enumerate(["MEM_W0", "MEM_W1", "MEM_W2", "MEM_W3"]):
        program.output(f"sum {k}", name, 0)
        stage.put(name, cycle + stop - plan.unit(name).stop, "WRITE", addr=0, stream=c.streams + SUMS + k)
    return program
