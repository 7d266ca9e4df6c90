"""The instruction table as the page `docs/isa.md`."""

from collections.abc import Callable
from dataclasses import fields as members

from sw.arch.config import PRESETS, Config, load
from sw.arch.dtype import DType
from sw.isa.codec import layout
from sw.isa.fields import ICU_FIELDS, KINDS, SLOTS
from sw.isa.rows.icu import ICU
from sw.isa.rows.vxm import ALU_TYPES
from sw.isa.spec import Field, Instr, Kind, Timing
from sw.isa.table import TABLE

_TITLES = {
    "MEM": "MEM: slices of memory",
    "VXM": "VXM: vector unit",
    "MXM_W": "MXM, weights",
    "MXM_A": "MXM, activations",
    "MXM_R": "MXM, results",
    "SXM_SHIFT": "SXM, shift engine",
    "SXM_PERMUTE": "SXM, permute engine",
    "SXM_DISTRIBUTE": "SXM, distribute engine",
    "SXM_ROTATE": "SXM, rotate engine",
    "SXM_TRANSPOSE": "SXM, transpose engine",
    "SXM_REDUCE": "SXM, reduce engine",
    "C2C_SEND": "C2C, transmit half of a port",
    "C2C_RECEIVE": "C2C, receive half of a port",
}

_HEAD = """# Instructions

This page is made from the table in `sw/isa/table.py` by `make docs`; do not edit it. `docs/assembly.md` says
how words are written, `docs/timing.md` what the constants mean. All times are cycles from issue in
superlane-0 time.

The low three bits of every word are its kind: {kinds}.
Kind UNIT is a word of the queue's unit, all others are instructions that every queue takes. Where a slot's
`op` is 0 the slot is empty; slots of one word issue together. Word layouts below are those of `full`; widths
follow from the configuration. In memory and in images a word is 16 bytes, little endian.
"""

_CONSTANTS = """Constants:

- `d_skew`: operands stand at the stop.
- `d_func`: the result stands in the next stop's register, or where it is no stream, is in force.
- `access`: the SRAM is accessed.
- `chain_skew`: a chain operand is taken from the neighbour's result register.
- `d_chain`: the result stands there.
- `turn`: least distance to the next instruction on the same resource, 1 where it is not listed.
"""


def isa_page(form: Callable[[Instr], str]) -> str:
    """The whole page; `form` gives the written form of a row."""
    kinds = ", ".join(f"{code} {name}" for code, name in enumerate(KINDS))
    parts = [_HEAD.format(kinds=kinds), _CONSTANTS, "## Every queue: instruction control\n", _rows(ICU, form)]
    parts += [_control_layout(), _timing(ICU)]
    for cls, title in _TITLES.items():
        rows = tuple(instr for instr in TABLE if instr.cls == cls)
        parts += [f"## {title}\n", _rows(rows, form), _layout(cls)]
        parts += [_timing(rows)]
    return "\n".join(parts)


def table(head: tuple[str, ...], rows: list[tuple]) -> str:
    """A table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return (
        "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
        + "\n"
    )


def _rows(rows: tuple[Instr, ...], form) -> str:
    lines = [(f"`{form(row)}`", row.code, row.doc + _notes(row)) for row in rows]
    return table(("written", "code", "meaning"), lines)


def _notes(row: Instr) -> str:
    if row.cls == "VXM":
        return f" ({', '.join(dtype.text for dtype in ALU_TYPES[row.name])})"
    return "" if row.repeatable else " No REPEAT may follow."


def _meaning(field: Field, c: Config) -> str:
    if field.kind is Kind.ENUM:
        return f"{field.doc}: " + ", ".join(f"{code} {name}" for code, name in enumerate(field.names))
    low, high = field.limits(c)
    return f"{field.doc} ({low} … {high})" if field.kind in (Kind.UINT, Kind.SINT) else field.doc


def _layout(cls: str) -> str:
    c = load("full")
    form = layout(cls, c)
    lines = [("2:0", "", "kind", "1 UNIT")]
    for slot in SLOTS[cls]:
        for place in form.slots[slot].values():
            last = place.offset + place.bits - 1
            bits = f"{last}:{place.offset}" if place.bits > 1 else str(last)
            lines.append((bits, slot, f"`{place.field.name}`", _meaning(place.field, c)))
    return f"Word of {form.bits} bits:\n\n" + table(("bits", "slot", "field", "meaning"), lines)


def _control_layout() -> str:
    c, lines = load("full"), []
    for row in ICU:
        at = 3
        for name in row.fields:
            field = ICU_FIELDS[name]
            last = at + field.bits(c) - 1
            lines.append((row.name, f"{last}:{at}", f"`{name}`", _meaning(field, c)))
            at = last + 1
    return "Fields behind the kind:\n\n" + table(("instruction", "bits", "field", "meaning"), lines)


def _timing(rows: tuple[Instr, ...]) -> str:
    """Constants under every preset; instructions and types with the same ones share lines."""
    presets = [load(name) for name in PRESETS]
    groups: dict[tuple, dict[str, list[str]]] = {}
    for row in rows:
        for text, values in _cases(row):
            timings = tuple(row.timing(c, values) for c in presets)
            groups.setdefault(timings, {}).setdefault(row.name, []).append(text)
    lines = []
    for timings, names in groups.items():
        label = ", ".join(f"{name} {'/'.join(filter(None, texts))}".strip() for name, texts in names.items())
        for constant in (member.name for member in members(Timing)):
            values = [getattr(timing, constant) for timing in timings]
            if values[0] is not None and (constant != "turn" or set(values) != {1}):
                lines.append((label, f"`{constant}`", *values))
                label = ""
    return table(("instruction", "constant", *PRESETS), lines) if lines else ""


def _cases(row: Instr) -> list[tuple[str, dict[str, int]]]:
    """The types that a row works on, each with field values that have it; one where types do not matter."""
    zeros = dict.fromkeys(row.fields, 0)
    if "dtype" not in row.fields:
        return [("", zeros)]
    known = next(field for field in SLOTS[row.cls][row.slot] if field.name == "dtype")
    cases = [(name, zeros | {"dtype": code}) for code, name in enumerate(known.names)]
    if row.cls == "VXM":
        full = load("full")
        cases = [(DType(v["dtype"]).text, v) for _, v in cases if row.refuse(full, v) is None]
    if all(len({row.timing(load(name), values) for _, values in cases}) == 1 for name in PRESETS):
        return [("", cases[0][1])]
    return cases
