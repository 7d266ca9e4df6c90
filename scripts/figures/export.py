"""Verilog of `full`, written by the command that users run, in a process of its own."""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from figures.figure import Bound, Figure, Found


@dataclass(frozen=True)
class Written:
    """Wall time, largest resident memory, lines of all Verilog files."""

    seconds: float
    gib: float
    lines: int


@cache
def written() -> Written:
    """Exports `full`; CalledProcessError if that fails."""
    with tempfile.TemporaryDirectory() as folder:
        code = "from takt.cli import main; main()"
        command = [sys.executable, "-c", code, "verilog", "--config", "full", "-o", folder]
        begin = time.monotonic()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, command)
        lines = sum(path.read_bytes().count(b"\n") for path in Path(folder).rglob("*.v"))
    # Linux counts in KiB, macOS in bytes.
    return Written(seconds, usage.ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20), lines)


def full_s() -> Found:
    return Found(written().seconds, {"peak GiB": written().gib, "cores": os.cpu_count()})


def full_lines() -> Found:
    return Found(written().lines)


FIGURES = (
    Figure("export.full_s", "s", full_s, (Bound("<=", 120), Bound("<=", 8, of="peak GiB"))),
    Figure("export.full_lines", "lines", full_lines, (Bound("<=", 200_000),)),
)
