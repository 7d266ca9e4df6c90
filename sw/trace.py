"""The lockstep trace: every stream drive and every memory write, of the golden model and of the hardware
alike.

A record is one superlane of one event. kind DRIVE: `place` is the stop of the register that receives the
value, `item` the stream code, `cycle` the superlane-0 cycle in which it stands there; drives off the
floorplan are left out. kind WRITE: `place` is the slice in host order, `item` the word address, `cycle` the
access cycle. Cycles count from cycle 0 of the first iteration through all iterations and restart gaps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from sw.arch.stream import Stream
from sw.asm.burst import Burst
from sw.isa.spec import Op

DRIVE, WRITE = range(2)
_KEY = ("cycle", "kind", "place", "item", "superlane")


class TraceError(ValueError):
    """A line that should be a trace record and is not."""


def record_type(lanes: int) -> np.dtype:
    """The TRACE record for superlanes of this many lanes."""
    numbers = [("cycle", "i8"), ("kind", "u1"), ("place", "i4"), ("item", "i4"), ("superlane", "i4")]
    return np.dtype([*numbers, ("data", "u1", (lanes,))])


@dataclass(frozen=True, eq=False)
class Trace:
    """Records of one machine, sorted by cycle, kind, place, item and superlane."""

    config: Config
    records: np.ndarray

    @classmethod
    def of(cls, config: Config, parts: Sequence[np.ndarray]) -> "Trace":
        """A trace from records in any order."""
        records = np.concatenate([np.empty(0, record_type(config.lanes)), *parts])
        order = np.lexsort([records[name] for name in reversed(_KEY)])
        return cls(config, records[order])

    @classmethod
    def parse(cls, config: Config, lines: Iterable[str]) -> "Trace":
        """A trace from what the hardware prints: `~D cycle place item superlane data` for drives and `~W …`
        for writes, the cycle as superlane `superlane` sees it, data as hex digits with lane 0 last; other
        lines are passed over."""
        rows, stops = [], len(floorplan(config).stops)
        for line in lines:
            if not line.startswith(("~D ", "~W ")):
                continue
            words = line.split()
            if len(words) != 6 or len(words[5]) > 2 * config.lanes:
                raise TraceError(f"'{line.strip()}' is not a trace record of {config.lanes} lanes.")
            try:
                cycle, place, item, superlane = map(int, words[1:5])
                data = int(words[5], 16).to_bytes(config.lanes, "little")
            except ValueError as error:
                raise TraceError(f"'{line.strip()}' is not a trace record: {error}.") from error
            kind = WRITE if words[0] == "~W" else DRIVE
            if words[0] == "~D" and not 0 <= place < stops:
                continue
            rows.append((cycle - superlane, kind, place, item, superlane, tuple(data)))
        return cls.of(config, [np.array(rows, record_type(config.lanes))])


def compare(golden: Trace, rtl: Trace, bursts: Sequence[Burst] = (), period: int = 0) -> str | None:
    """None if both traces are equal, else a table of the first difference, field by field.

    `bursts` of the program name the instruction; `period` is the length of an iteration with its restart gap.
    """
    a, b = golden.records, rtl.records
    common = min(len(a), len(b))
    different = np.flatnonzero(a[:common] != b[:common])
    if not different.size and len(a) == len(b):
        return None
    at = int(different[0]) if different.size else common
    expected, got = (r[at] if at < len(r) else None for r in (a, b))
    return _table(golden.config, expected, got, bursts, period)


def _place(record) -> tuple:
    return tuple(int(record[name]) for name in _KEY)


def _table(config: Config, expected, got, bursts, period) -> str:
    keys = [_place(r) if r is not None else None for r in (expected, got)]
    first = expected if got is None or (expected is not None and keys[0] <= keys[1]) else got
    cycle, kind, place, item, superlane = _place(first)
    plan = floorplan(config)
    rows = [("event", ("stream drive", "memory write")[kind]), ("cycle", cycle), ("superlane", superlane)]
    if kind == DRIVE:
        stream = Stream.of(item, config.streams)
        stop = place + 1 if stream.west else place - 1
        names = [unit.name for unit in plan.stops[stop]]
        rows += [("unit", f"stop {stop} ({', '.join(names)})"), ("stream", f"{stream} into stop {place}")]
    else:
        names = [plan.slices[place].name]
        rows += [("unit", names[0]), ("word", item)]
    rows.append(("instruction", _instruction(config, first, names, bursts, period) or "unknown"))
    if keys[0] != keys[1]:
        sides = ("expected", "got") if first is expected else ("got", "expected")
        rows += [(sides[0], _hex(first["data"])), (sides[1], "no such event")]
    else:
        lanes = np.flatnonzero(expected["data"] != got["data"])
        rows.append(("lanes that differ", ", ".join(map(str, lanes))))
        rows += [("expected", _hex(expected["data"])), ("got", _hex(got["data"]))]
    width = max(len(name) for name, _ in rows)
    return "First difference:\n" + "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)


def _hex(data: np.ndarray) -> str:
    return f"{bytes(data[::-1]).hex()} (lane 0 last)"


def _instruction(config: Config, record, units: list[str], bursts, period: int) -> str | None:
    """The instruction that makes this record, if the program has one."""
    cycle = int(record["cycle"]) % period if period else int(record["cycle"])
    for burst in bursts:
        if burst.queue.unit.name not in units:
            continue
        for op in burst.word:
            delay = _delay(config, op, record)
            if delay is not None and (copy := burst.copy_at(cycle - delay)) is not None:
                return f"{op.instr.name} of queue {burst.queue.name}, issued at {cycle - delay}, copy {copy}"
    return None


def _delay(config: Config, op: Op, record) -> int | None:
    """Cycles from issue to a record of this kind, None if the instruction makes no such record."""
    timing, drives = op.timing(config), op.drives(config)
    if record["kind"] == WRITE:
        return None if drives else timing.access
    hit = any(first <= record["item"] < first + count for first, count in drives)
    return timing.d_func if hit else None
