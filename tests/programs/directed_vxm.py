"""Every operation of the vector unit on every type: all pairs of edge values, all sources, masks and directions."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby, product

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.isa.codec import make
from sw.isa.fields import SOURCES
from sw.isa.table import ALU_TYPES, VXM, WITH_OVERFLOW, alu_class, reachable_groups
from tests.programs.edges import edges, pairs, singles
from tests.programs.stage import BURST, Stage

STREAM, PREV, NEXT, IMM = range(len(SOURCES))
#: Where a and b come from; rows with one operand use the first.
VARIANTS = ((STREAM, STREAM), (PREV, STREAM), (STREAM, NEXT), (STREAM, IMM), (IMM, STREAM), (NEXT, PREV), (PREV, IMM))


def experiments(c: Config) -> Iterator[Callable[[Stage], None]]:
    """Experiments for `tests.programs.stage.pack`."""
    for number, (name, dtype, fields) in enumerate(_forms()):
        alus = _alus(c, name, dtype)
        yield partial(_all_pairs, name=name, dtype=dtype, fields=fields, alu=alus[number % len(alus)], west=number % 2)
    masks = dict.fromkeys((c_full(c), 1, 1 << (c.superlanes - 1)))
    ordered = sorted(_forms(), key=_group)
    for (dtype, _), forms in groupby(ordered, key=_group):
        forms = list(forms)
        settings = list(product(masks, (0, 1), (0, 1)))
        for number, (mask, west, flip) in enumerate(settings):
            for first in range(0, len(forms), BURST - 1):
                part = forms[first : first + BURST - 1]
                yield partial(_sweep, dtype=dtype, forms=part, mask=mask, west=west, flip=flip, turn=number)


def c_full(c: Config) -> int:
    """All superlanes."""
    return (1 << c.superlanes) - 1


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


def _mov(stage: Stage, alu: int, dtype: DType, a: int, n: int) -> None:
    if 0 <= alu < stage.config.alus:
        stage.put(f"VXM{alu}", stage.now, "MOV", n - 1, dtype=dtype, a=a)


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
        _mov(stage, alu + step, dtype, a, n)
        fields, n, t = fields | {"m_from": int(step > 0)}, n - 1, t + 1
    dst = 4 * reachable_groups(stage.config, alu)[-1] + stage.config.streams * west
    stage.put(f"VXM{alu}", t, name, n - 1, dtype=dtype, a=a, out=1, dst=dst, **fields)


def _sweep(stage: Stage, dtype: DType, forms: list, mask: int, west: int, flip: int, turn: int) -> None:
    """One operation a cycle on one ALU, with operands from everywhere."""
    c = stage.config
    able = _alus(c, forms[0][0], dtype)
    alu = able[turn % len(able)]
    a, b = _sources(stage, alu, flip)
    n = len(forms) + 1
    for code, values in zip((a, b), pairs(c, dtype), strict=True):
        stage.bring_group("VXM", code, stage.now, [values[k % len(values)] for k in range(n)], dtype.streams)
    for neighbour in (alu - 1, alu + 1):
        _mov(stage, neighbour, dtype, a, n)
    missing = {PREV} if alu == 0 else {NEXT} if alu == c.alus - 1 else set()
    variants = [v for v in VARIANTS if not missing & set(v)]
    groups, values = reachable_groups(c, alu), edges(dtype)
    for k, (name, _, fields) in enumerate(forms):
        row = make(name).instr
        sources = dict(zip(("a_from", "b_from"), variants[(k + turn) % len(variants)], strict=True))
        given = {field: source for field, source in sources.items() if field in row.fields}
        if "m_from" in row.fields:
            given = {"m_from": int(alu == 0), "b_from": IMM if turn % 3 else STREAM}
        step = DType(fields.get("to", dtype)).streams
        dst = 4 * groups[k % len(groups)] + k * step % 4 + c.streams * west
        imm = _extended(values[(k + turn) % len(values)], dtype)
        operands = {"a": a, "b": b} if "b" in row.fields else {"a": a}
        stage.put(f"VXM{alu}", stage.now + 1 + k, name, dtype=dtype, imm=imm, out=1, dst=dst, **operands, **given, **fields)
    stage.mask(f"VXM{alu}", mask, stage.now + 1, stage.now + len(forms))


def _extended(bits: int, dtype: DType) -> int:
    """An immediate as a 32-bit lane holds it."""
    return bits - dtype.mask - 1 & 0xFFFFFFFF if not dtype.is_float and bits > dtype.greatest else bits
