"""Fields of an instruction word, taken apart as the instruction table says."""

from amaranth.hdl import Value

from sw.arch.config import Config
from sw.isa.codec import layout
from sw.isa.spec import Kind


def fields(word: Value, cls: str, slot: str, c: Config) -> dict[str, Value]:
    """Field name -> bits of `word` for one slot of a queue class; SINT fields are signed."""
    parts = {}
    for name, place in layout(cls, c).slots[slot].items():
        bits = word[place.offset : place.offset + place.bits]
        parts[name] = bits.as_signed() if place.field.kind is Kind.SINT else bits
    return parts
