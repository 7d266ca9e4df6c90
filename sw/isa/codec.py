"""Words as numbers: layout of every queue class, and range-checked encoding and decoding."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from sw.arch.config import Config
from sw.isa.fields import ICU_FIELDS, KIND_BITS, KINDS, SLOTS, WORD_BYTES
from sw.isa.rows.icu import ICU
from sw.isa.spec import Field, Kind, Op, Word
from sw.isa.table import by_code, instruction

UNIT = KINDS.index("UNIT")
_ICU_BY_CODE = {instr.code: instr for instr in ICU}


def words_to_bytes(words: Iterable[int]) -> bytes:
    """Words as they stand in memory, in a fetch and in an image."""
    return b"".join(word.to_bytes(WORD_BYTES, "little") for word in words)


def words_from_bytes(raw: bytes) -> list[int]:
    """The words in bytes from `words_to_bytes`."""
    return [int.from_bytes(raw[at : at + WORD_BYTES], "little") for at in range(0, len(raw), WORD_BYTES)]


class EncodeError(ValueError):
    """An instruction that has no encoding; the text names the field, the value and the limit."""


@dataclass(frozen=True)
class Place:
    """Where a field stands in a word."""

    field: Field
    offset: int
    bits: int
    #: Least and greatest value.
    limits: tuple[int, int]

    def put(self, value: int) -> int:
        """The field's contribution to the word."""
        return (value & ((1 << self.bits) - 1)) << self.offset

    def get(self, word: int) -> int:
        """The field's value in the word."""
        raw = word >> self.offset & ((1 << self.bits) - 1)
        signed = self.field.kind is Kind.SINT and raw >> (self.bits - 1)
        return raw - (1 << self.bits) if signed else raw


@dataclass(frozen=True)
class Layout:
    """The word format of one queue class: total width, and slot -> field name -> place."""

    bits: int
    slots: dict[str, dict[str, Place]]


@cache
def layout(cls: str, c: Config) -> Layout:
    """The word format of a queue class under a configuration."""
    slots, offset = {}, KIND_BITS
    for slot, fields in SLOTS[cls].items():
        places = {}
        for field in fields:
            places[field.name] = Place(field, offset, field.bits(c), field.limits(c))
            offset += field.bits(c)
        slots[slot] = places
    control = {}
    for instr in ICU:
        at = KIND_BITS
        for name in instr.fields:
            field = ICU_FIELDS[name]
            control[f"{instr.name}.{name}"] = Place(field, at, field.bits(c), field.limits(c))
            at += ICU_FIELDS[name].bits(c)
        offset = max(offset, at)
    return Layout(offset, slots | {"icu": control})


def _place(op: Op, name: str, form: Layout) -> Place:
    if op.instr.slot == "icu":
        return form.slots["icu"][f"{op.instr.name}.{name}"]
    return form.slots[op.instr.slot][name]


def check(op: Op, c: Config, cls: str) -> None:
    """EncodeError if a value does not fit its field, or the values are not legal together."""
    name = op.instr.name
    if op.instr.slot != "icu" and op.instr.cls != cls:
        raise EncodeError(f"{name} belongs to queues of class {op.instr.cls}, not {cls}.")
    form = layout(cls, c)
    for field_name in op.instr.fields:
        if field_name not in op.values:
            raise EncodeError(f"{name}: the field {field_name} is missing.")
        low, high = _place(op, field_name, form).limits
        value = op.values[field_name]
        if not low <= value <= high:
            raise EncodeError(f"{name}: {field_name} is {value}, it must be from {low} to {high}.")
    for values in (op.reads(c), op.drives(c)):
        for first, count in values:
            index = first % c.streams
            aligned = 1 << (count - 1).bit_length()
            if index % aligned or index + count > c.streams:
                raise EncodeError(
                    f"{name}: a group of {count} streams starts at stream {index}; it must start at a multiple of "
                    f"{aligned} and end by stream {c.streams - 1}."
                )
    if sentence := op.instr.refuse(c, op.values):
        raise EncodeError(f"{name}: {sentence}.")


def encode(word: Word, cls: str, c: Config) -> int:
    """The number of a word of queue class `cls`; EncodeError in a sentence."""
    form = layout(cls, c)
    seen = set()
    number = 0
    for op in word:
        check(op, c, cls)
        if op.instr.slot in seen or (seen and "icu" in seen | {op.instr.slot}):
            raise EncodeError(f"{op.instr.name} does not fit in one word with {word[0].instr.name}.")
        seen.add(op.instr.slot)
        if op.instr.slot == "icu":
            number |= op.instr.code
        else:
            number |= UNIT | form.slots[op.instr.slot]["op"].put(op.instr.code)
        for name in op.instr.fields:
            number |= _place(op, name, form).put(op.values[name])
    if not word:
        raise EncodeError("A word holds at least one instruction.")
    return number


def decode(number: int, cls: str, c: Config) -> Word:
    """The instructions of a word; EncodeError if the number is no word of this class."""
    form = layout(cls, c)
    if number >> form.bits:
        raise EncodeError(f"The word {number:#x} is wider than the {form.bits} bits of class {cls}.")
    kind = number & ((1 << KIND_BITS) - 1)
    ops = []
    if kind != UNIT:
        instr = _ICU_BY_CODE[kind]
        places = form.slots["icu"]
        ops.append(Op(instr, {name: places[f"{instr.name}.{name}"].get(number) for name in instr.fields}))
    else:
        for slot in SLOTS[cls]:
            places = form.slots[slot]
            code = places["op"].get(number)
            if code == 0:
                continue
            if code not in by_code(cls, slot):
                raise EncodeError(f"The word {number:#x} has code {code} in slot {slot}, which {cls} does not have.")
            instr = by_code(cls, slot)[code]
            ops.append(Op(instr, {name: places[name].get(number) for name in instr.fields}))
    word = tuple(ops)
    if encode(word, cls, c) != number:
        raise EncodeError(f"The word {number:#x} sets bits that {word[0].instr.name} does not use.")
    return word


def make(name: str, **values: int) -> Op:
    """An instruction by name; fields not given are 0. KeyError for an unknown name, EncodeError for an unknown field."""
    instr = instruction(name)
    for field in values:
        if field not in instr.fields:
            raise EncodeError(f"{name} has no field {field}; it has {', '.join(instr.fields)}.")
    return Op(instr, {field: values.get(field, 0) for field in instr.fields})
