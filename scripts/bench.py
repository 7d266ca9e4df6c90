"""Measures the project's figures, prints them as a table and writes them to build/bench.json.

Every key is always in the file. `--only KEY ...` measures some and leaves the others as they are there; a
figure that was never measured has the value null. What takes many minutes beyond the rest is measured only with
`--all` or when named. Goals that are not met are shown, and with `--check` the exit status is 1.
"""

import argparse
import json
import sys
from pathlib import Path

from figures import (
    chips,
    compiler,
    dense,
    digits,
    export,
    ffn,
    gemm,
    link,
    link_errors,
    llama,
    network,
    onnx,
    plane,
    setup,
    traffic,
    weights,
)
from figures.figure import Figure
from rich.console import Console
from rich.table import Table

#: In the order of the table.
FIGURES: tuple[Figure, ...] = (
    *digits.RESULTS,
    *gemm.FIGURES,
    *weights.FIGURES,
    *digits.SPEEDS,
    *plane.FIGURES,
    *export.FIGURES,
    *llama.FIGURES,
    *ffn.FIGURES,
    *dense.FIGURES,
    *compiler.FIGURES,
    *chips.FIGURES,
    *link.FIGURES,
    *link_errors.FIGURES,
    *network.FIGURES,
    *traffic.FIGURES,
    *onnx.FIGURES,
    *setup.FIGURES,
)
OUTPUT = Path("build/bench.json")


def table(rows: list[dict]) -> Table:
    """Rows as they stand in the file, for people."""
    made = Table(title="Takt's figures")
    for name in ("key", "value", "unit", "yardstick", "goal", "met"):
        made.add_column(name, justify="right" if name == "value" else "left", no_wrap=name in ("key", "value"))
    for row in rows:
        made.add_row(
            row["key"],
            text(row["value"]),
            row["unit"],
            "\n".join(f"{name}: {text(value)}" for name, value in row["yardstick"].items()),
            row["goal"],
            {True: "yes", False: "[red]NO[/red]", None: ""}[row["met"]],
        )
    return made


def text(value) -> str:
    """A number for people."""
    if isinstance(value, list):
        return ", ".join(text(one) for one in value)
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else "not measured" if value is None else str(value)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    keys = [figure.key for figure in FIGURES]
    parser.add_argument("--only", metavar="KEY", nargs="+", choices=keys, help=f"of {', '.join(keys)}")
    parser.add_argument("--all", action="store_true", help="also what takes many minutes")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a measured goal is not met")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="file (default: %(default)s)")
    options = parser.parse_args()
    console = Console(stderr=True)
    known = {}
    if options.output.exists():
        known = {row["key"]: row for row in json.loads(options.output.read_text())}
    measured = []
    for figure in FIGURES:
        if figure.key in options.only if options.only else options.all or not figure.long:
            console.print(f"Measuring {figure.key} ...", highlight=False)
            known[figure.key] = figure.row()
            measured.append(known[figure.key])
            options.output.parent.mkdir(parents=True, exist_ok=True)
            rows = [known.get(one.key, one.empty()) for one in FIGURES]
            options.output.write_text(json.dumps(rows, indent=1) + "\n")
    Console().print(table(measured))
    if not options.only and not options.all:
        left = ", ".join(figure.key for figure in FIGURES if figure.long)
        console.print(f"Measured only when named (make bench ONLY=key), since they take minutes: {left}.")
    return int(options.check and not all(row["met"] is not False for row in measured))


if __name__ == "__main__":
    sys.exit(main())
