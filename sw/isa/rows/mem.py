"""Rows of the MEM slices."""

from sw.arch.config import Config
from sw.isa.spec import Instr, Timing, Values, groups
from sw.isa.stages import latch


def _region(c: Config, v: Values) -> str | None:
    first, last = v["addr"], v["addr"] + v["rows"] - 1
    if v["rows"] < 1:
        return "rows is 0, a region has at least 1 word"
    if last >= c.mem.words or first // c.bank_words != last // c.bank_words:
        return f"the region {first} … {last} leaves its bank of {c.bank_words} words"
    return None


def _mem(name: str, slot: str, code: int, fields: tuple[str, ...], doc: str, timing, **more) -> Instr:
    return Instr(
        name=name,
        cls="MEM",
        slot=slot,
        code=code,
        fields=(*fields, "stride"),
        doc=doc,
        timing=timing,
        strides=(("addr", "stride"),),
        **more,
    )


MEM = (
    _mem(
        "READ",
        "read",
        1,
        ("addr", "stream"),
        "stream <- mem[addr]",
        lambda c, v: Timing(d_func=2, access=0),
        drives=groups(1, "stream"),
    ),
    _mem(
        "GATHER",
        "read",
        2,
        ("addr", "rows", "stream", "map"),
        "stream <- mem[addr + map], superlane by superlane; offset 0xFFFF reads zero, another offset >= rows is a fault.",
        lambda c, v: Timing(d_skew=0, d_func=latch(c) + 2, access=latch(c)),
        reads=groups(2, "map"),
        drives=groups(1, "stream"),
        refuse=_region,
    ),
    _mem(
        "WRITE",
        "write",
        1,
        ("addr", "stream"),
        "mem[addr] <- stream",
        lambda c, v: Timing(d_skew=0, access=0),
        reads=groups(1, "stream"),
    ),
    _mem(
        "SCATTER",
        "write",
        2,
        ("addr", "rows", "stream", "map"),
        "mem[addr + map] <- stream, superlane by superlane; offset 0xFFFF writes nothing, another offset >= rows is a fault.",
        lambda c, v: Timing(d_skew=0, access=latch(c)),
        reads=lambda c, v: ((v["stream"], 1), (v["map"], 2)),
        refuse=_region,
    ),
)
