"""Verilog in fewer lines: what says little a line is put beside its like, and parities are written with a mask."""

import re

WIDTH = 110
_CONNECTION = re.compile(r"    \.\S+ ?\(.*\),?$")
_PARITY = re.compile(r"(?<== )\^ \{ ([^{}]+) \}(?=;)")
_BITS = re.compile(r"(\\\S+ |\w+)\[(\d+)(?::(\d+))?\]")
_WIRE = re.compile(r"  wire ((?:signed )?(?:\[\d+:0\] )?)((?:\\\S+ )|\w+);$")


def packed(text: str) -> str:
    """The same design: port connections share lines, and so do internal wires of the same width; the parity of bits of one
    vector masks it instead of listing them.

    Wires move to the first of their width in a run of wires, which comes before all that uses them.
    """
    lines: list[str] = []
    wires: dict[str, list[str]] = {}
    connections: list[str] = []
    ports: set[str] = set()

    def flush() -> None:
        for kind, names in wires.items():
            lines.extend(_filled(f"  wire {kind}", names, ", ", ";"))
        wires.clear()
        if connections:
            lines.extend(_filled("    ", connections, " ", ""))
            connections.clear()

    for line in text.split("\n"):
        if found := _WIRE.match(line):
            if found[2] not in ports:
                wires.setdefault(found[1], []).append(found[2])
                continue
        if _CONNECTION.match(line):
            connections.append(line.strip())
            continue
        flush()
        if line.startswith(("  input ", "  output ")):
            ports.add(line.rstrip(";").split(maxsplit=2)[-1].split("] ")[-1])
        elif line == "endmodule":
            ports.clear()
        lines.append(_PARITY.sub(_masked, line))
    return "\n".join(lines)


def _masked(found: re.Match) -> str:
    """A parity with a mask, if its bits are of one vector and it gets shorter by that."""
    pieces = [_BITS.fullmatch(piece) for piece in found[1].split(", ")]
    if len(pieces) < 4 or not all(pieces) or len({piece[1] for piece in pieces}) > 1:
        return found[0]
    ends = [(int(piece[2]), int(piece[3] or piece[2])) for piece in pieces]
    top, bottom = max(high for high, _ in ends), min(low for _, low in ends)
    mask = 0
    for high, low in ends:
        mask ^= ((1 << (high - low + 1)) - 1) << (low - bottom)
    return f"^ ( {pieces[0][1]}[{top}:{bottom}] & {top - bottom + 1}'h{mask:x} )"


def _filled(head: str, items: list[str], between: str, end: str) -> list[str]:
    """Lines of items, each with `head` and `end`."""
    lines, line = [], head
    for item in items:
        if line != head and len(line) + len(item) > WIDTH:
            lines.append(line.removesuffix(between) + end)
            line = head
        line += item + between
    return [*lines, line.removesuffix(between) + end]
