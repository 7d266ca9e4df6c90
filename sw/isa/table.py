"""The instruction table: the rows of all units, one per instruction, and what follows from all of them together.

Assembler, checker, golden model, compiler, hardware and manual all read these rows, and a latency is written nowhere
else. `d_skew`, `d_func` and the other constants of a row are functions of the configuration; `docs/timing.md` works
through what they mean.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.arch.floorplan import floorplan
from sw.isa.rows.c2c import C2C
from sw.isa.rows.icu import ICU
from sw.isa.rows.mem import MEM
from sw.isa.rows.mxm import MXM
from sw.isa.rows.sxm import SXM
from sw.isa.rows.vxm import VXM
from sw.isa.spec import Instr, Timing

TABLE: tuple[Instr, ...] = (*ICU, *MEM, *VXM, *MXM, *SXM, *C2C)
_BY_NAME = {instr.name: instr for instr in TABLE}


def instruction(name: str) -> Instr:
    """The row with this name; KeyError in a sentence."""
    if name not in _BY_NAME:
        raise KeyError(f"There is no instruction '{name}'.")
    return _BY_NAME[name]


@cache
def by_code(cls: str, slot: str) -> dict[int, Instr]:
    """Rows of one slot of a queue class, by code."""
    return {instr.code: instr for instr in TABLE if (instr.cls, instr.slot) == (cls, slot)}


def timings(c: Config, rows: Iterable[Instr]) -> Iterator[Timing]:
    """The constants of each row under `c`, for every data type; no other field of a word decides about them."""
    return (row.timing(c, {"dtype": dtype}) for row in rows for dtype in DType)


@cache
def restart_gap(c: Config) -> int:
    """Cycles from the end of one iteration to cycle 0 of the next: stagger, longest d_func, length of the floorplan."""
    classes = {"ICU", *(queue.cls for queue in floorplan(c).queues)}
    longest = max(timing.d_func or 0 for timing in timings(c, [row for row in TABLE if row.cls in classes]))
    return c.superlanes - 1 + longest + len(floorplan(c).stops)


def run_cycles(c: Config, cycles: int, iterations: int) -> int:
    """Cycles of N iterations of T cycles each: N*T + (N-1)*restart_gap."""
    return iterations * cycles + (iterations - 1) * restart_gap(c)
