"""Coverage of the chip `tiny` under the lockstep tests: functional bins, and lines and toggles of the Verilog.

Builds a simulator that counts, runs the tests on it, and prints tables; what was never seen is named.
"""

import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from sw.arch.config import load
from tb.coverage import merge, summary
from tb.functional import FOLDER, Coverage, table, wanted

ROOT = Path(__file__).resolve().parent.parent
#: Least covered modules that are listed by name.
WORST = 10


def main() -> int:
    """0 if the tests passed and no functional bin is a hole."""
    folder = ROOT / "build" / "coverage"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "tests/tb/test_lockstep.py"]
    status = subprocess.run(command, cwd=ROOT, env=os.environ | {FOLDER: str(folder)}).returncode
    config, seen = load("tiny"), Coverage.load(folder)
    print(f"\n{'instruction':16}{'bins':>12}{'times':>12}")
    for name, hit, bins, times in table(seen.hits, wanted(config)):
        print(f"{name:16}{f'{hit} of {bins}':>12}{times:12,}")
    holes = seen.holes(config)
    print(f"\n{len(holes)} functional holes")
    for hole in holes:
        print(f"  {hole.form}: {' '.join(part for part in hole[1:] if part)}")
    _code(folder)
    return status or bool(holes)


def _code(folder: Path) -> None:
    """Percentages per module and kind, least covered first."""
    modules: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for module, kind, hit, points in summary(merge(sorted(folder.glob("*.dat")))):
        modules[module][kind] = hit, points
    for kind in ("line", "branch", "toggle"):
        counts = [(name, *kinds[kind]) for name, kinds in modules.items() if kind in kinds]
        rows = sorted((hit / points, name, points) for name, hit, points in counts)
        if not rows:
            continue
        total = sum(share * points for share, _, points in rows) / sum(points for *_, points in rows)
        print(f"\n{kind}: {total:.1%} of all modules; least covered:")
        for share, name, points in rows[:WORST]:
            print(f"  {name:40}{share:8.1%} of {points}")


if __name__ == "__main__":
    sys.exit(main())
