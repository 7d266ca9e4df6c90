"""Rows of the links between chips."""

from sw.arch.config import Config
from sw.arch.links import HAC_PERIOD, frame_words
from sw.isa.rows.icu import notify_cycles
from sw.isa.spec import Instr, Timing, Values, at_issue, groups
from sw.isa.stages import latch


def _to_wire(c: Config, busy: int) -> Timing:
    # Corrected operands in a register, the port's own copy of them, the word on its way out.
    return Timing(d_skew=0, d_func=latch(c) + 2, turn=busy)


def _receive(c: Config, v: Values) -> Timing:
    # Behind the first word the others, then both syndromes, their logarithms, the wrong byte's place, its correction.
    return Timing(d_func=frame_words(c) + 4, turn=frame_words(c))


def _released(c: Config, cycles: int) -> Timing:
    return Timing(d_func=cycles)


def least_pause(c: Config) -> int:
    """Cycles that RUNTIME_DESKEW takes at least, for clocks may have drifted half a period apart."""
    return notify_cycles(c) + HAC_PERIOD // 2 + 1


def _pause(c: Config, v: Values) -> str | None:
    least = least_pause(c)
    return f"t is {v['t']}, it must be at least {least}" if v["t"] < least else None


def _link(name: str, cls: str, code: int, fields: tuple[str, ...], doc: str, timing, **more) -> Instr:
    slot = cls.removeprefix("C2C_").lower()
    return Instr(name=name, cls=cls, slot=slot, code=code, fields=fields, doc=doc, timing=timing, **more)


C2C = (
    _link(
        "SEND",
        "C2C_SEND",
        1,
        ("stream", "number", "stride"),
        "Sends the vector on stream as frame `number`; its first word is on the wire d_func later.",
        lambda c, v: _to_wire(c, frame_words(c)),
        reads=groups(1, "stream"),
        strides=(("number", "stride"),),
    ),
    _link(
        "FORWARD",
        "C2C_SEND",
        2,
        ("link",),
        "Passes on the frame whose first word stands at receive port `link` of this unit; it is on the wire d_func later.",
        lambda c, v: _to_wire(c, frame_words(c)),
        refuse=lambda c, v: f"link is {v['link']}, a unit has {c.c2c.links}" if v["link"] >= c.c2c.links else None,
    ),
    _link("TRANSMIT", "C2C_SEND", 3, (), "Sends the mark; it is on the wire d_func later.", lambda c, v: _to_wire(c, 1)),
    _link(
        "RECEIVE",
        "C2C_RECEIVE",
        1,
        ("stream", "number", "stride"),
        "Takes frame `number`, whose first word stands at the port, corrects it and drives it.",
        _receive,
        drives=groups(1, "stream"),
        strides=(("number", "stride"),),
    ),
    _link("ALIGN", "C2C_RECEIVE", 2, (), "The mark stands at the port.", at_issue),
    _link(
        "DESKEW",
        "C2C_RECEIVE",
        3,
        ("wait",),
        "Releases every parked queue when the HAC overflows, with `wait` not before a mark has come to this port. Program "
        "time stands still until then; they go on d_func later.",
        lambda c, v: _released(c, notify_cycles(c)),
        repeatable=False,
        releases=True,
    ),
    _link(
        "RUNTIME_DESKEW",
        "C2C_RECEIVE",
        4,
        ("t",),
        "Releases every parked queue t cycles later, as the HAC counts them.",
        lambda c, v: _released(c, v.get("t", 0)),
        refuse=_pause,
        repeatable=False,
        releases=True,
    ),
)
