"""Programs as text: the printer. What it writes, `sw.asm.text` reads back as the same program."""

import json
from collections.abc import Mapping
from itertools import takewhile

import numpy as np

from sw.arch.config import PRESETS, Config, load
from sw.arch.dtype import DType
from sw.arch.stream import Stream
from sw.asm.entry import Entry
from sw.asm.operands import IMM, STREAM, Imm, Syntax, bind, syntax
from sw.asm.program import Program
from sw.isa.codec import EncodeError, encode
from sw.isa.spec import Kind, Op, Word


def show(program: Program) -> str:
    """The text of a program: directives, then words by time, then queues whose words have no times."""
    c = program.config
    names = [unit.name for unit in program.floorplan.slices]
    lines = [_config_line(c)]
    lines += [f".equ {name}, {value}" for name, value in program.labels.items()]
    for kind, regions in (("input", program.inputs), ("output", program.outputs)):
        lines += [f".{kind} {json.dumps(r.name)}, {names[r.slice]}, {r.addr:#x}, {r.words}" for r in regions]
    for segment in program.segments:
        for k, row in enumerate(segment.data):
            form = "text hex" if segment.text else "hex"
            lines.append(f".data {names[segment.slice]}, {segment.addr + k:#x}, {form} {_hex(row)}")
    for queue, plan in program.texts.items():
        pairs = [f"{names[where]}:{addr:#x}" for pair in plan.rows for where, addr in pair]
        lines.append(", ".join((f".text {queue}", str(plan.boot), *pairs)))
    entries = [entry for words in program.entries.values() for entry in words.values()]
    lines += [show_entry(entry) for entry in sorted(entries, key=lambda e: (e.time, e.queue.index))]
    for queue, words in program.plain.items():
        cls = program.queue(queue).cls
        lines += [f"= {queue} {show_word(word, cls, c)}" for word in words]
    return "\n".join(lines) + "\n"


def show_entry(entry: Entry) -> str:
    """One line: the time, the queue, the word and its REPEAT."""
    repeat = f" REPEAT {entry.copies}, {entry.gap}" if entry.copies else ""
    return f"@{entry.time} {entry.queue.name} {show_word(entry.word, entry.queue.cls, entry.config)}{repeat}"


def show_word(word: Word, cls: str, c: Config) -> str:
    """The instructions of a word, or its number if a field that they do not use is set."""
    given = [written(op, c) for op in word]
    for op, values in zip(word, given, strict=True):
        try:
            same = bind(op.instr, c, values).values == op.values
        except EncodeError:
            same = False
        if not same:
            return f"{encode(word, cls, c):#x}"
    return " | ".join(_show_op(op, values) for op, values in zip(word, given, strict=True))


def written(op: Op, c: Config) -> dict[str, object]:
    """The values of an instruction as people write them: the inverse of `bind`."""
    form, given = syntax(op.instr), {}
    for name in form.suffixes:
        given[name] = form.fields[name].names[op[name]]
    for name in form.operands:
        source = f"{name}_from"
        chosen = form.fields[source].names[op[source]] if source in form.fields else None
        if chosen == IMM and (value := _immediate(op)) is None:
            given |= {source: IMM, "imm": op["imm"]}
        elif chosen == IMM:
            given[name] = value
        else:
            given[name] = chosen if chosen not in (None, STREAM) else _value(op, name, c)
    for name in op.instr.fields:
        known = name in given or name.removesuffix("_from") in given or name in ("imm", "out", form.result)
        if not known and op[name]:
            given[name] = op[name]
    if form.result and (op.drives(c) or op[form.result]):
        given[form.result] = _value(op, form.result, c)
        if "out" in form.fields and not op["out"]:
            given["out"] = 0
    if op["imm"] if "imm" in op.values else 0:
        if not any(op[f] == form.fields[f].names.index(IMM) for f in ("a_from", "b_from") if f in op.values):
            given["imm"] = op["imm"]
    return given


def _immediate(op: Op) -> object | None:
    """The number that stands for an immediate, or its bits if it is an odd float; None for an odd integer."""
    dtype, bits = DType(op["dtype"]), op["imm"]
    if not dtype.is_float:
        value = bits - (1 << 32) if bits >> 31 else bits
        return value if dtype.least <= value <= dtype.greatest else None
    if bits > dtype.mask:
        return Imm(bits)
    number = np.array(bits, f"<u{dtype.streams}").view(dtype.numpy)[()]
    return float(str(number)) if np.isfinite(number) else Imm(bits)


def _value(op: Op, name: str, c: Config) -> object:
    if syntax(op.instr).fields[name].kind is not Kind.STREAM:
        return op[name]
    stream = Stream.of(op[name], c.streams)
    count = next((n for first, n in (*op.drives(c), *op.reads(c)) if first == op[name]), 1)
    if count > 1 and count & (count - 1) == 0:
        return f"SG{count}_{'W' if stream.west else 'E'}[{stream.index // count}]"
    return str(stream)


def _show_op(op: Op, given: Mapping[str, object]) -> str:
    form = syntax(op.instr)
    name = ".".join((op.instr.name, *(str(given[suffix]) for suffix in form.suffixes)))
    # Operands have their place only as long as none before them is missing.
    placed = list(takewhile(given.__contains__, form.operands))
    named = [field for field in given if field not in (*form.suffixes, *placed, form.result)]
    result = f"-> {given[form.result]}" if form.result in given else ""
    if given.get("out") == 0:
        result = f"{form.result}={given[form.result]}"
    operands = ", ".join(_show_value(form, field, given[field]) for field in placed)
    fields = (f"{field}={_show_value(form, field, given[field])}" for field in named)
    parts = (name, operands, *fields, result)
    return " ".join(part for part in parts if part)


def _show_value(form: Syntax, field: str, value: object) -> str:
    if isinstance(value, Imm):
        return f"{value.bits:#x}"
    pattern = field in form.fields and form.fields[field].kind is Kind.BITS
    return f"{value:#x}" if pattern else str(value)


def _config_line(c: Config) -> str:
    if c.name in PRESETS and load(c.name).hash == c.hash:
        return f".config {c.name}"
    name = json.dumps(c.name)[1:-1]
    return f"; for the configuration '{name}' ({c.hash:08x}), which must be given beside this text"


def _hex(row: np.ndarray) -> str:
    return row.tobytes().rstrip(b"\0").hex() or "00"
