"""Reads and merges what simulators built with `coverage=True` wrote."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

#: One line of coverage.dat: fields `\x01key\x02value` between quotes, then the number of hits.
_LINE = re.compile(r"^C '(.*)' (\d+)$")


@dataclass(frozen=True, order=True)
class Point:
    """A place that may be covered, in a module however often it is instantiated.

    kind: `line`, `branch`, `toggle` or `user`. what: the signal and edge, or the block, in Verilator's words.
    """

    module: str
    kind: str
    file: str
    line: int
    what: str


def merge(files: Iterable[Path]) -> Counter[Point]:
    """Hits of every point in all the files together; points that were never hit are there with 0."""
    hits: Counter[Point] = Counter()
    for path in files:
        for line in path.read_text().splitlines():
            if match := _LINE.match(line):
                fields = dict(field.split("\x02", 1) for field in match[1].split("\x01") if field)
                kind, _, module = fields["page"].removeprefix("v_").partition("/")
                hits[Point(module, kind, fields["f"], int(fields["l"]), fields["o"])] += int(match[2])
    return hits


def summary(hits: Counter[Point]) -> list[tuple[str, str, int, int]]:
    """(module, kind, points hit, points) for every module and kind, in order."""
    points = Counter((point.module, point.kind) for point in hits)
    covered = Counter((point.module, point.kind) for point, count in hits.items() if count)
    return [(*key, covered[key], total) for key, total in sorted(points.items())]


def holes(hits: Counter[Point]) -> list[Point]:
    """The points that were never hit, in order."""
    return sorted(point for point, count in hits.items() if not count)
