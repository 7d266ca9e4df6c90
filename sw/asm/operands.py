"""From the values that people write to field values: the binding behind builder and text.

How a row is written follows from its fields alone: enumerations are suffixes of the name, `x_from` and `x`
make one operand, `dst` is the result, strides are keywords, and all other fields are operands in the order of
the row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.arch.stream import Stream
from sw.isa.codec import EncodeError
from sw.isa.fields import ICU_FIELDS, SLOTS
from sw.isa.spec import Field, Instr, Kind, Op

IMM, STREAM = "IMM", "STREAM"


#: Suffixes that may be left out.
OPTIONAL = ("overflow",)


class OperandError(EncodeError):
    """A value that does not fit; `operand` names which one, as it was given."""

    def __init__(self, sentence: str, operand: str):
        super().__init__(sentence)
        self.operand = operand


@dataclass(frozen=True)
class Imm:
    """An immediate given by the 32 bits that the lane sees; negative numbers are in two's complement."""

    bits: int


@dataclass(frozen=True)
class Neighbour:
    """A chain operand: the result of the ALU before (`PREV`) or after (`NEXT`)."""

    name: str


PREV = Neighbour("PREV")
NEXT = Neighbour("NEXT")


@dataclass(frozen=True)
class Syntax:
    """How a row is written: `suffixes` behind the name, `operands` in order, then `result` if it has one."""

    fields: dict[str, Field]
    suffixes: tuple[str, ...]
    operands: tuple[str, ...]
    result: str | None
    #: Everything that has a place by position in the builder, in the order of the row.
    order: tuple[str, ...]


@cache
def syntax(instr: Instr) -> Syntax:
    """The written form of a row."""
    known = (
        ICU_FIELDS if instr.slot == "icu" else {field.name: field for field in SLOTS[instr.cls][instr.slot]}
    )
    fields = {name: known[name] for name in instr.fields}
    sources = {name for name in fields if name.endswith("_from")}
    strides = {stride for _, stride in instr.strides}
    suffixes = tuple(name for name in fields if fields[name].kind is Kind.ENUM and name not in sources)
    # A chain choice without a stream of its own, such as the mask of SELECT, is an operand by itself.
    alone = {name.removesuffix("_from"): name for name in sources if name.removesuffix("_from") not in fields}
    skip = {*suffixes, *strides, "dst", "out", "imm", *(sources - set(alone.values()))}
    operands = tuple(name.removesuffix("_from") for name in fields if name not in skip)
    result = "dst" if "dst" in fields else None
    placed = {*suffixes, *operands, result} - set(OPTIONAL)
    order = tuple(
        dict.fromkeys(name.removesuffix("_from") for name in fields if name.removesuffix("_from") in placed)
    )
    return Syntax(fields, suffixes, operands, result, order)


def bind(instr: Instr, c: Config, given: Mapping[str, object]) -> Op:
    """The instruction with these values, given as people write them.

    A key is a field, or an operand `x` that stands for the fields `x_from` and `x` (then a stream, `PREV`,
    `NEXT`, or a number or `Imm`, which becomes the immediate). Suffixes and operands must be given, but not
    `overflow`; all else is 0 by default. Giving `dst` sets `out`. OperandError in a sentence for what does
    not fit.
    """
    form = syntax(instr)
    values = dict.fromkeys(instr.fields, 0)
    for name, value in given.items():
        try:
            if f"{name}_from" in given:
                raise EncodeError(f"{instr.name}: {name} and {name}_from cannot both be given.")
            if f"{name}_from" in form.fields:
                _bind_operand(instr, c, values, name, value, given)
            elif name in form.fields:
                values[name] = _field_value(instr, c, form.fields[name], value)
            else:
                known = ", ".join(dict.fromkeys((*form.order, *instr.fields)))
                raise EncodeError(f"{instr.name} has no operand '{name}'; it has {known or 'none'}.")
        except EncodeError as error:
            raise OperandError(str(error), name) from error
    for name in form.order:
        if name != form.result and name not in given and f"{name}_from" not in given:
            raise EncodeError(f"{instr.name} lacks {name}; it takes {', '.join(form.order)}.")
    if "dst" in given and "out" in form.fields and "out" not in given:
        values["out"] = 1
    return Op(instr, values)


def _bind_operand(
    instr: Instr, c: Config, values: dict, name: str, value, given: Mapping[str, object]
) -> None:
    form, source = syntax(instr), f"{name}_from"
    choices = form.fields[source].names
    if isinstance(value, Neighbour):
        value = value.name
    if isinstance(value, str) and value in choices and value not in (IMM, STREAM):
        values[source] = choices.index(value)
    elif isinstance(value, str | Stream) and name in form.fields:
        values[name] = _field_value(instr, c, form.fields[name], value)
    elif IMM in choices and not isinstance(value, str | Stream):
        if "imm" in given or any(values[f] == choices.index(IMM) for f in values if f.endswith("_from")):
            raise EncodeError(f"{instr.name}: both operands are immediates, a word holds one.")
        dtype = _field_value(instr, c, form.fields["dtype"], given.get("dtype", 0))
        values[source] = choices.index(IMM)
        values["imm"] = immediate(value, DType(dtype))
    else:
        raise EncodeError(f"{instr.name}: {name} is {value}, it must be one of {', '.join(choices)}.")


def immediate(value, dtype: DType) -> int:
    """The 32 bits of an immediate as a lane of type `dtype` sees it.

    A number is rounded to a float type; for an integer type it must be an integer of its width, signed or
    not.
    """
    if isinstance(value, Imm):
        if not -(1 << 31) <= value.bits < 1 << 32:
            raise EncodeError(
                f"The immediate is {value.bits}, it must be from {-(1 << 31)} to {(1 << 32) - 1}."
            )
        return value.bits & 0xFFFFFFFF
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise EncodeError(f"The operand {value!r} is neither a stream, a number, PREV nor NEXT.")
    if dtype.is_float:
        if value != value:
            return dtype.nan
        with np.errstate(over="ignore"):
            rounded = dtype.numpy.type(min(max(value, -1e300), 1e300))
        return int.from_bytes(rounded.tobytes(), "little")
    if not isinstance(value, int | np.integer):
        raise EncodeError(f"The immediate {value} is a float, the operation works on {dtype.text}.")
    if not dtype.least <= value <= dtype.mask:
        raise EncodeError(f"The immediate is {value}, {dtype.text} goes from {dtype.least} to {dtype.mask}.")
    return int(value if value <= dtype.greatest else value - dtype.mask - 1) & 0xFFFFFFFF


def _field_value(instr: Instr, c: Config, field: Field, value) -> int:
    where = f"{instr.name}: {field.name}"
    if field.kind is Kind.ENUM and not isinstance(value, int | np.integer) or isinstance(value, DType):
        text = value.text if isinstance(value, DType) else str(value)
        for code, name in enumerate(field.names):
            if name.lower() == text.lower():
                return code
        raise EncodeError(f"{where} is '{text}', it must be one of {', '.join(field.names)}.")
    if field.kind is Kind.ENUM and field.names[0].isdecimal():
        if str(value) not in field.names:
            raise EncodeError(f"{where} is {value}, it must be one of {', '.join(field.names)}.")
        return field.names.index(str(value))
    if field.kind is Kind.STREAM and isinstance(value, str | Stream):
        return stream_code(value, c, where)
    if isinstance(value, bool) and field.kind is Kind.FLAG:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise EncodeError(f"{where} is {value!r}, it must be a number.")
    low, high = field.limits(c)
    if not low <= value <= high:
        raise EncodeError(f"{where} is {value}, it must be from {low} to {high}.")
    return int(value)


def stream_code(value: str | Stream, c: Config, where: str) -> int:
    """The field number of a stream; EncodeError that begins with `where`."""
    try:
        stream = Stream.parse(value) if isinstance(value, str) else value
    except ValueError as error:
        raise EncodeError(f"{where}: {error}") from error
    if not 0 <= stream.index < c.streams:
        last = Stream(stream.west, c.streams - 1)
        raise EncodeError(f"{where} is {stream}, the last stream is {last}.")
    return stream.code(c.streams)
