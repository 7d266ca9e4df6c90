"""Every operation of the vector unit on every type: all pairs of edge values, all sources, masks and directions."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby, product

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.isa.codec import make
from sw.isa.fields import SOURCES
from sw.isa.rows.vxm import ALU_TYPES, VXM, WITH_OVERFLOW, alu_class, reachable_groups
from tests.programs.edges import edges, pairs, singles
from tests.programs.stage import BURST, Stage

STREAM, PREV, NEXT, IMM = range(len(SOURCES))
#: Where a and b come from, other than from streams both; rows with one operand use the first.
VARIANTS = (
    *((PREV, STREAM), (NEXT, STREAM), (IMM, STREAM)),
    *((STREAM, PREV), (STREAM, NEXT), (STREAM, IMM)),
    *((NEXT, PREV), (PREV, IMM)),
)


def experiments(c: Config) -> Iterator[Callable[[Stage], None]]:
    """Experiments for `tests.programs.stage.pack`."""
    for number, (name, dtype, fields) in enumerate(_forms()):
        alus = _alus(c, name, dtype)
        yield partial(_all_pairs, name=name, dtype=dtype, fields=fields, alu=alus[number % len(alus)], west=number % 2)
    full = (1 << c.superlanes) - 1
    masks = dict.fromkeys((full, 1, 1 << (c.superlanes - 1)))
    for (dtype, _), group in groupby(sorted(_forms(), key=_group), key=_group):
        forms = list(group)
        parts = [forms[first : first + BURST - 1] for first in range(0, len(forms), BURST - 1)]
        able = _alus(c, forms[0][0], dtype)
        for number, (part, mask, west) in enumerate(product(parts, masks, (0, 1))):
            yield partial(_sweep, dtype=dtype, forms=part, alu=able[number % len(able)], mask=mask, west=west)
        for number, (part, sources) in enumerate(product(parts, VARIANTS)):
            inner = [alu for alu in able if (alu or PREV not in sources) and (alu + 1 < c.alus or NEXT not in sources)]
            if inner:
                alu = inner[number % len(inner)]
                yield partial(_sweep, dtype=dtype, forms=part, alu=alu, mask=full, west=number % 2, sources=sources)


def _group(form) -> tuple[DType, str]:
    return form[1], alu_class(form[0], form[1])


def _forms() -> Iterator[tuple[str, DType, dict]]:
    for row in VXM:
        for dtype in ALU_TYPES[row.name]:
            if row.name == "CONVERT":
                yield from ((row.name, dtype, {"to": int(to)}) for to in DType)
            elif row.name in WITH_OVERFLOW and not dtype.is_float:
                yield from ((row.name, dtype, {"overflow": how}) for how in (0, 1))
            else:
                yield row.name, dtype, {}


def _alus(c: Config, name: str, dtype: DType) -> list[int]:
    kind = alu_class(name, dtype)
    return list(range(c.alus)) if kind == "simple" else list(getattr(c.vxm, f"{kind}_alus"))


def _sources(stage: Stage, alu: int, flip: int) -> tuple[int, int]:
    """Stream groups of a and b: one eastward, one westward."""
    groups, half = reachable_groups(stage.config, alu), stage.config.streams
    a, b = 4 * groups[0], 4 * groups[-1]
    return (a + half, b) if flip else (a, b + half)


def _mov(stage: Stage, alu: int, dtype: DType, codes: tuple[int, int], n: int) -> None:
    """Has an ALU, if there is one, hand on the first of two streams that its row reaches."""
    c = stage.config
    if 0 <= alu < c.alus:
        reached = [code for code in codes if code % c.streams // 4 in reachable_groups(c, alu)]
        stage.put(f"VXM{alu}", stage.now, "MOV", n - 1, dtype=dtype, a=reached[0])


def _all_pairs(stage: Stage, name: str, dtype: DType, fields: dict, alu: int, west: int) -> None:
    """One operation over all pairs of edges, or over all single values."""
    row = make(name).instr
    a, b = _sources(stage, alu, west)
    left, right = pairs(stage.config, dtype)
    if "b" not in row.fields:
        left = singles(stage.config, dtype)
    else:
        stage.bring_group("VXM", b, stage.now, right, dtype.streams)
        fields = fields | {"b": b}
    stage.bring_group("VXM", a, stage.now, left, dtype.streams)
    n, t = len(left), stage.now
    if "m_from" in row.fields:
        step = -1 if alu else 1
        _mov(stage, alu + step, dtype, (a, b), n)
        fields, n, t = fields | {"m_from": int(step > 0)}, n - 1, t + 1
    dst = 4 * reachable_groups(stage.config, alu)[-1] + stage.config.streams * west
    stage.put(f"VXM{alu}", t, name, n - 1, dtype=dtype, a=a, out=1, dst=dst, **fields)


def _sweep(
    stage: Stage, dtype: DType, forms: list, alu: int, mask: int, west: int, sources: tuple[int, int] = (STREAM, STREAM)
) -> None:
    """One operation a cycle on one ALU, with the same sources of operands for all."""
    c = stage.config
    a, b = _sources(stage, alu, west)
    n = len(forms) + 1
    for code, values in zip((a, b), pairs(c, dtype), strict=True):
        stage.bring_group("VXM", code, stage.now, [values[k % len(values)] for k in range(n)], dtype.streams)
    for neighbour in (alu - 1, alu + 1):
        _mov(stage, neighbour, dtype, (a, b), n)
    groups, values = reachable_groups(c, alu), edges(dtype)
    for k, (name, _, modes) in enumerate(forms):
        fields = make(name).instr.fields
        given = {"a": a, "b": b, "a_from": sources[0], "b_from": sources[1]}
        if "m_from" in fields:
            given["m_from"] = int(alu == 0 or alu + 1 < c.alus and west == 0)
        step = DType(modes.get("to", dtype)).streams
        dst = 4 * groups[k % len(groups)] + k * step % 4 + c.streams * west
        given |= {"dtype": dtype, "imm": _extended(values[k % len(values)], dtype), "out": 1, "dst": dst}
        used = {field: value for field, value in given.items() if field in fields}
        stage.put(f"VXM{alu}", stage.now + 1 + k, name, **used, **modes)
    stage.mask(f"VXM{alu}", mask, stage.now + 1, stage.now + len(forms))


def _extended(bits: int, dtype: DType) -> int:
    """An immediate as a 32-bit lane holds it."""
    return bits - dtype.mask - 1 & 0xFFFFFFFF if not dtype.is_float and bits > dtype.greatest else bits
