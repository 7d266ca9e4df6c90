"""The floorplan as a text drawing."""

from itertools import groupby

from sw.arch.config import Config
from sw.arch.floorplan import Floorplan, floorplan


def draw(c: Config) -> str:
    """Stops from west to east; stops of memory in a row are one box."""
    plan = floorplan(c)
    boxes = [_box(plan, stops) for stops in _grouped(plan)]
    height = max(len(lines) for _, lines in boxes)
    rows = [[] for _ in range(height + 3)]
    for label, lines in boxes:
        width = max(len(label), *map(len, lines))
        padded = [line.center(width) for line in [*lines, *[""] * (height - len(lines))]]
        for row, text in zip(rows, [label.center(width), "-" * width, *padded, "-" * width], strict=True):
            row.append(text)
    drawn = ["stop  " + "   ".join(rows[0])]
    for row in rows[1:]:
        edge = set("".join(row)) == {"-"}
        drawn.append("    +-" + "-+-".join(row) + "-+" if edge else "    | " + " | ".join(row) + " |")
    last = c.streams - 1
    east, west = f"E0 .. E{last} ---->", f"<---- W0 .. W{last}"
    drawn.append("    " + east + west.rjust(len(drawn[1]) - 4 - len(east)))
    return "\n".join(line.rstrip() for line in drawn)


def _grouped(plan: Floorplan) -> list[list[int]]:
    """Runs of stops that share a box."""

    def key(x: int):
        unit = plan.stops[x][0]
        return (unit.kind, unit.hemisphere) if unit.kind == "MEM" else x

    return [list(run) for _, run in groupby(range(len(plan.stops)), key)]


def _box(plan: Floorplan, stops: list[int]) -> tuple[str, list[str]]:
    """The label over a box, and its lines."""
    label = str(stops[0]) if len(stops) == 1 else f"{stops[0]} .. {stops[-1]}"
    units = [unit for x in stops for unit in plan.stops[x]]
    if units[0].kind != "MEM":
        return label, [unit.name for unit in units]
    numbers = [unit.number for unit in units]
    west = units[0].hemisphere == 0
    first, last = (max(numbers), min(numbers)) if west else (min(numbers), max(numbers))
    letter = "W" if west else "E"
    return label, [f"MEM_{letter}{first} .. MEM_{letter}{last}", f"{len(plan.stops[stops[0]])} at a stop"]
