"""ONNX's own suite of node tests on the golden model of `small`."""

import subprocess
import sys
from functools import cache
from pathlib import Path

from figures.figure import Bound, Figure, Found

ROOT = Path(__file__).resolve().parents[2]
#: Columns of the suite's table, after the operator's name.
_COLUMNS = ("passed", "folded on the host", "refused", "refused at run", "too large", "failed")


@cache
def counts() -> dict[str, int]:
    """Tests by outcome; RuntimeError with the end of what the suite says if it gives no counts."""
    command = [sys.executable, "-m", "tests.compiler.onnx_suite", "--golden"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        name, *numbers = line.split()
        if name == "sum":
            return dict(zip(_COLUMNS, map(int, numbers), strict=True))
    raise RuntimeError(f"ONNX's suite gave no counts: {(done.stdout + done.stderr)[-500:]}")


def outcome(name: str) -> Found:
    return Found(counts()[name], {other: count for other, count in counts().items() if other != name})


FIGURES = (
    Figure("onnx.passed", "tests", lambda: outcome("passed"), (Bound(">=", 300),), long=True),
    Figure(
        "onnx.failed", "tests", lambda: outcome("failed"), (Bound("==", 0), Bound("==", 0, of="refused at run")), long=True
    ),
)
