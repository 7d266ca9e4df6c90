"""What stands in a generated design, read back from its Verilog: modules, instances, memories."""

import re
from collections import Counter
from dataclasses import dataclass, field

_MODULE = re.compile(r"^module (\S+?) ?(?:#\(|\()")
_MEMORY = re.compile(r"^  (?:\(\* no_rw_check \*\) )?reg (?:\[(\d+):0\] )?(\S+) \[(\d+):0\];")
_INSTANCE = re.compile(r"^  (\S+) (?:#\(|\S+ \($)")
_KEYWORDS = {"assign", "always", "initial", "input", "output", "wire", "reg", "function", "if", "case", "end"}


@dataclass
class Part:
    """One module: lines of text, how often it uses which modules, and its memories as (depth, width)."""

    lines: int = 0
    uses: Counter = field(default_factory=Counter)
    memories: list[tuple[int, int]] = field(default_factory=list)


def parts(text: str) -> dict[str, Part]:
    """The modules of a design by name."""
    found: dict[str, Part] = {}
    part = None
    for line in text.splitlines():
        if start := _MODULE.match(line):
            part = found[start[1].lstrip("\\")] = Part()
        if part is None:
            continue
        part.lines += 1
        if memory := _MEMORY.match(line):
            part.memories.append((int(memory[3]) + 1, int(memory[1] or 0) + 1))
        elif (used := _INSTANCE.match(line)) and used[1] not in _KEYWORDS:
            part.uses[used[1].lstrip("\\")] += 1
        if line.startswith("endmodule"):
            part = None
    return found


def instances(found: dict[str, Part], top: str) -> Counter:
    """How often every module stands in the whole design below (and including) `top`."""
    total: Counter = Counter({top: 1})
    waiting = [(top, 1)]
    while waiting:
        name, times = waiting.pop()
        for used, count in found[name].uses.items():
            if used in found:
                total[used] += times * count
                waiting.append((used, times * count))
    return total
