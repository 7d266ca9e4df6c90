"""Functional coverage: which forms of which instructions ran, on what operands, at which edge of the stack of
superlanes."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import NamedTuple

from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from sw.asm.burst import Burst
from sw.asm.operands import syntax
from sw.asm.timeline import Timeline
from sw.isa.fields import CHAIN, SOURCES
from sw.isa.spec import Instr, Op
from sw.isa.table import TABLE

#: Environment variable that names the folder into which lockstep runs put their coverage.
FOLDER = "TAKT_COVERAGE"
_FILE = "functional-*.jsonl"
#: The assembler's own words, which leave no burst.
_SILENT = ("NOP", "REPEAT")


class Bin(NamedTuple):
    """One thing to be seen.

    form: the instruction with its type and modes, as in assembly. way: a stream direction that it reads or drives, or
    another source of an operand. edge: `first` and `last` superlane, `alone` where its neighbour has no power; empty
    where that makes no difference.
    """

    form: str
    way: str
    edge: str


@dataclass
class Coverage:
    """How often every bin was hit."""

    hits: Counter[Bin] = field(default_factory=Counter)

    @classmethod
    def of(cls, schedule: Timeline) -> "Coverage":
        """What one iteration of a program covers."""
        hits: Counter[Bin] = Counter()
        for burst in schedule.bursts:
            for op in burst.word:
                for seen in _bins(schedule.image.config, burst, op):
                    hits[seen] += burst.count
        return cls(hits)

    @classmethod
    def load(cls, folder: Path) -> "Coverage":
        """The sum of all that was appended to a folder."""
        hits: Counter[Bin] = Counter()
        for path in sorted(folder.glob(_FILE)):
            for line in path.read_text().splitlines():
                hits.update({Bin(*key): count for *key, count in json.loads(line)})
        return cls(hits)

    def append(self, folder: Path) -> None:
        """Adds these hits to a folder; processes may do so at the same time."""
        with (folder / _FILE.replace("*", str(os.getpid()))).open("a") as file:
            file.write(json.dumps([[*seen, count] for seen, count in self.hits.items()]) + "\n")

    def holes(self, c: Config) -> list[Bin]:
        """Bins of this configuration that were never hit, in order."""
        return sorted(wanted(c) - set(self.hits))


def wanted(c: Config) -> set[Bin]:
    """All bins of a configuration."""
    classes = {queue.cls for queue in floorplan(c).queues} | {"ICU"}
    rows = [row for row in TABLE if row.cls in classes and row.name not in _SILENT]
    return {seen for row in rows for op in _forms(c, row) for seen in _possible(c, op)}


def _forms(c: Config, row: Instr) -> Iterator[Op]:
    """Every combination of type and modes that is legal."""
    known = syntax(row)
    choices = [range(len(known.fields[name].names)) for name in known.suffixes]
    for values in product(*choices):
        op = Op(row, dict.fromkeys(row.fields, 0) | {"out": 1, "rows": 1} | dict(zip(known.suffixes, values, strict=True)))
        if row.refuse(c, op.values) is None:
            yield op


def _name(op: Op) -> str:
    """The form, such as `CONVERT.fp16.int8`; what has no meaning for a type is left out."""
    known = syntax(op.instr)
    modes = [known.fields[name].names[op[name]] for name in known.suffixes]
    if "overflow" in known.suffixes and modes[0].startswith("fp"):
        modes.pop()
    return ".".join([op.instr.name, *modes])


def _possible(c: Config, op: Op) -> Iterator[Bin]:
    ways = [f"{verb} {side}" for verb, has in (("reads", op.reads(c)), ("drives", op.drives(c))) if has for side in "EW"]
    edges = ("",) if op.instr.slot == "icu" else _edges(c, None)
    yield from (Bin(_name(op), way, edge) for way, edge in product(ways or [""], edges))
    for source, names in _chains(op):
        taken = [name for name in names if name != "STREAM"]
        yield from (Bin(_name(op), f"{source} {name}", "") for name in taken)


def _bins(c: Config, burst: Burst, op: Op) -> Iterator[Bin]:
    if op.instr.name in _SILENT:
        return
    ways = {
        f"{verb} {'EW'[first >= c.streams]}"
        for verb, groups in (("reads", op.reads(c)), ("drives", op.drives(c)))
        for first, _ in groups
    }
    edges = ("",) if op.instr.slot == "icu" else _edges(c, burst.mask)
    # A vector operation between neighbours touches no stream.
    silent = () if "out" in op.values else ("",)
    yield from (Bin(_name(op), way, edge) for way, edge in product(ways or silent, edges))
    for source, names in _chains(op):
        if names[op[source + "_from"]] != "STREAM":
            yield Bin(_name(op), f"{source} {names[op[source + '_from']]}", "")


def _chains(op: Op) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Operands that come from elsewhere than a stream, and the names of their sources."""
    for source, names in (("a", SOURCES), ("b", SOURCES), ("m", CHAIN)):
        if f"{source}_from" in op.values:
            yield source, names


def _edges(c: Config, mask: int | None) -> Iterable[str]:
    """The edges that a power mask covers; all there are, without a mask."""
    last = c.superlanes - 1
    for name, own, neighbour in (("first", 0, min(1, last)), ("last", last, max(0, last - 1))):
        alone = (False, True) if last else (False,)
        if mask is not None:
            if not mask >> own & 1:
                continue
            alone = (not mask >> neighbour & 1,)
        yield from (f"{name} alone" if by_itself else name for by_itself in alone)


def table(hits: Counter[Bin], bins: Iterable[Bin]) -> list[tuple[str, int, int, int]]:
    """(instruction, bins hit, bins, times) for every instruction."""
    rows: dict[str, list[int]] = {}
    for seen in sorted(bins):
        row = rows.setdefault(seen.form.partition(".")[0], [0, 0, 0])
        row[0] += seen in hits
        row[1] += 1
        row[2] += hits[seen]
    return [(name, *row) for name, row in rows.items()]
