"""Verilog in Yosys: passes run over it quietly, and what they report as JSON."""

import json
import tempfile
from pathlib import Path

from pyosys import libyosys as ys


class Yosys:
    """A design read from Verilog text."""

    def __init__(self, verilog: str):
        self._design = ys.Design()
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "design.v"
            source.write_text(verilog)
            self.run(f"read_verilog {source}")

    def run(self, *commands: str) -> None:
        """Runs commands of Yosys, in order. One that fails ends the process with status 1: the library has no exceptions."""
        for command in commands:
            ys.Pass.call(self._design, f"tee -q {command}")

    def report(self, command: str) -> dict:
        """What a command that writes JSON to the log writes, such as `json` or `stat -json`."""
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "report.json"
            ys.Pass.call(self._design, f"tee -q -o {target} {command}")
            return json.loads(target.read_text())
