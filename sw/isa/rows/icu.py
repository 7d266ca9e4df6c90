"""Rows of instruction control, which every queue takes."""

from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from sw.isa.fields import KINDS, WORD_BYTES
from sw.isa.spec import Instr, Timing, Values, at_issue, groups
from sw.isa.stages import latch


def fetch_beats(c: Config) -> int:
    """Consecutive cycles over which one IFETCH takes its stream pair: enough for whole words."""
    return max(1, WORD_BYTES // (2 * c.vl))


def fetch_words(c: Config) -> int:
    """Words that one IFETCH brings."""
    return 2 * c.vl * fetch_beats(c) // WORD_BYTES


def _ifetch(c: Config, v: Values) -> Timing:
    """North with the stagger and south again; a superlane's words are written one a cycle, then one is read."""
    trip = 2 * (c.superlanes - 1)
    writes = max(1, 2 * c.lanes // WORD_BYTES)
    return Timing(d_skew=0, d_func=latch(c) + trip + fetch_beats(c) - 1 + writes + 2, turn=2 * c.superlanes)


def notify_cycles(c: Config) -> int:
    """Cycles from one place of the chip to all queues."""
    return len(floorplan(c).stops) + 6


def _notify(c: Config, v: Values) -> Timing:
    return Timing(d_func=notify_cycles(c))


def _icu(name: str, fields: tuple[str, ...], doc: str, timing=at_issue, **more) -> Instr:
    return Instr(
        name=name,
        cls="ICU",
        slot="icu",
        code=KINDS.index(name),
        fields=fields,
        doc=doc,
        timing=timing,
        repeatable=name in ("NOTIFY", "CONFIG"),
        **more,
    )


def _positive(*names: str):
    def refuse(c: Config, v: Values) -> str | None:
        for name in names:
            if v[name] < 1:
                return f"{name} is {v[name]}, it must be at least 1"
        return None

    return refuse


ICU = (
    _icu("HALT", (), "Ends the queue; when every queue has halted the iteration ends."),
    _icu("NOP", ("n",), "Issues nothing for exactly n cycles.", refuse=_positive("n")),
    _icu(
        "REPEAT",
        ("n", "gap"),
        "Issues the word before it n more times, copy k at k*gap cycles after it, advancing its strides; takes no cycle.",
        refuse=_positive("n", "gap"),
    ),
    _icu(
        "IFETCH", ("stream",), "Appends program text from a stream pair to this queue.", _ifetch, reads=groups(2, "stream")
    ),
    _icu("SYNC", (), "Parks the queue until a NOTIFY lands."),
    _icu("NOTIFY", (), "Releases every queue that is parked when it lands, d_func cycles after issue.", _notify, releases=True),
    _icu("CONFIG", ("mask",), "Powers the superlanes whose mask bit is 1 for the words of this queue that follow."),
)
