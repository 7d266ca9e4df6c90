"""One program for every row with a result on a stream, whose operands stand in exactly one cycle."""

from collections.abc import Callable
from functools import partial

import numpy as np

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.isa.codec import make
from sw.isa.fields import SOURCES
from sw.isa.rows.sxm import SXM
from sw.isa.rows.vxm import ALU_TYPES, VXM, alu_class
from sw.isa.spec import Op
from tests.programs.stage import Stage

#: Vectors that pass an instruction, one a cycle, and which of them is its operand.
PASSING, OPERAND = 5, 2
#: What the vectors hold: all as they are, the operand changed, all others changed.
SAME, OPERAND_CHANGED, OTHERS_CHANGED = range(3)
#: Words that load a map, and what works by it.
MAPPED = {"MAP": "PERMUTE", "SELECT_MAP": "SHIFT"}
_ROWS = {row.name: row for row in (*VXM, *SXM)}


def probes(c: Config) -> dict[str, Callable[[int], tuple[Stage, int, Op]]]:
    """By name: makes the program of a variant, the issue cycle of the probed instruction, and that instruction."""
    found = {}
    for row in VXM:
        kinds = {alu_class(row.name, dtype): dtype for dtype in ALU_TYPES[row.name]}
        for kind, dtype in kinds.items():
            found[f"{row.name} ({kind})"] = partial(_vector, c, row.name, dtype)
            if row.name in ("ADD", "MUL", "TANH"):
                found[f"{row.name} ({kind}) of PREV"] = partial(_chained, c, row.name, dtype)
    for row in SXM:
        if row.name not in MAPPED:
            found[row.name] = partial(_switch, c, row.name)
    found["GATHER"] = partial(_gather, c)
    return found


def _passing(stage: Stage, unit: str, code: int, variant: int, below: int = 256) -> None:
    """Five different vectors on a stream, the third of them in cycle `now`."""
    c = stage.config
    # Operands a and b are equal, which matters to comparisons, until they are changed.
    rows = np.random.default_rng(code % 4).integers(0, below, (PASSING, c.vl))
    others = np.random.default_rng(100 + code).integers(0, below, (PASSING, c.vl))
    changed = np.arange(PASSING) == OPERAND
    if variant == SAME:
        changed[:] = False
    elif variant == OTHERS_CHANGED:
        changed = ~changed
    stage.bring(unit, code, stage.now - OPERAND, np.where(changed[:, None], others, rows))


def _operands(stage: Stage, unit: str, op: Op, variant: int) -> None:
    for first, count in op.reads(stage.config):
        for code in range(first, first + count):
            _passing(stage, unit, code, variant)


def _vector(c: Config, name: str, dtype: DType, variant: int) -> tuple[Stage, int, Op]:
    stage, fields = Stage(c), _ROWS[name].fields
    alu = c.vxm.special_alus[-1]
    values = {"dtype": dtype, "a": 0, "out": 1, "dst": c.streams + 12}
    if "b" in fields:
        values["b"] = c.streams
    if "to" in fields:
        values["to"] = DType.INT32
    op = make(name, **values)
    _operands(stage, "VXM", op, variant)
    if "m_from" in fields:
        stage.put(f"VXM{alu - 1}", stage.now - 1, "MOV", dtype=DType.INT32, a_from=SOURCES.index("IMM"), imm=1)
    return _issue(stage, f"VXM{alu}", op)


def _chained(c: Config, name: str, dtype: DType, variant: int) -> tuple[Stage, int, Op]:
    """Operand a comes from the neighbour, which passes on one vector a cycle."""
    stage, fields = Stage(c), _ROWS[name].fields
    alu, mov = c.vxm.special_alus[-1], make("MOV", dtype=dtype, a=0)
    values = {"dtype": dtype, "a_from": SOURCES.index("PREV"), "out": 1, "dst": c.streams + 12}
    if "b_from" in fields:
        values |= {"b_from": SOURCES.index("IMM"), "imm": 0x3F800001}
    if "to" in fields:
        values["to"] = DType.INT32
    _operands(stage, "VXM", mov, variant)
    timing = mov.timing(c)
    stage.put(f"VXM{alu - 1}", stage.now - OPERAND, "MOV", PASSING - 1, dtype=dtype, a=0)
    op = make(name, **values)
    issue = stage.now + timing.d_chain - op.timing(c).chain_skew
    return _issue(stage, f"VXM{alu}", op, issue)


def _switch(c: Config, name: str, variant: int) -> tuple[Stage, int, Op]:
    stage, row = Stage(c), _ROWS[name]
    values = {"src": 0, "dst": c.streams} | ({"map": 8} if name == "DISTRIBUTE" else {})
    if name == "SHIFT":
        values["n"] = 1
    op = make(name, **values)
    queue = f"SXM_E_{row.cls.removeprefix('SXM_')}0"
    if name == "PERMUTE":
        stage.bring_group("SXM_E", 2, stage.now - 8, np.arange(c.vl)[::-1], 2)
        stage.put(queue, stage.now - 8, "MAP", src=2)
    if name == "DISTRIBUTE":
        _passing(stage, "SXM_E", 0, variant)
        _passing(stage, "SXM_E", 8, variant, below=c.lanes)
    else:
        _operands(stage, "SXM_E", op, variant)
    return _issue(stage, queue, op)


def mapped(c: Config, name: str, variant: int) -> tuple[Stage, int, Op]:
    """A program that loads a map of zeros, then one of five that pass by, with one word before that and one behind; its
    second issue cycle of `name`, and the words that work by the maps."""
    stage, row = Stage(c), _ROWS[MAPPED[name]]
    queue, start = f"SXM_E_{row.cls.removeprefix('SXM_')}0", stage.now - 12
    values = {"src": 4, "dst": c.streams} | ({"mode": 2, "n": 1} if name == "SELECT_MAP" else {})
    op = make(row.name, **values)
    for map_streams in make(name, src=0).reads(c):
        first, size = map_streams
        stage.bring_group("SXM_E", first, start, np.zeros((1, c.vl)), size)
        _passing(stage, "SXM_E", first, variant, below=3)
        if size > 1:
            stage.bring("SXM_E", first + 1, stage.now - OPERAND, np.zeros((PASSING, c.vl)))
    stage.bring("SXM_E", 4, stage.now - 1, np.arange(3)[:, None] * 0 + np.arange(c.vl) + 1)
    for cycle in (start, stage.now):
        stage.put(queue, cycle, name, src=0)
    for cycle in (stage.now - 1, stage.now + 1):
        stage.put(queue, cycle, row.name, **op.values)
    return stage, stage.now, op


def _gather(c: Config, variant: int) -> tuple[Stage, int, Op]:
    stage = Stage(c)
    name = stage.plan.slices[c.mem.slices].name
    stage.own(name)
    _passing(stage, name, 0, variant, below=c.bank_words)
    stage.bring(name, 1, stage.now - OPERAND, np.zeros((PASSING, c.vl)))
    return _issue(stage, name, make("GATHER", addr=0, rows=c.bank_words, stream=c.streams + 3, map=0))


def _issue(stage: Stage, queue: str, op: Op, cycle: int | None = None) -> tuple[Stage, int, Op]:
    at = stage.now if cycle is None else cycle
    stage.put(queue, at, op.instr.name, **op.values)
    return stage, at, op
