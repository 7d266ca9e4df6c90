"""`make sim` as a stranger runs it: in a fresh clone with empty caches, and once more."""

import os
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

from figures.figure import Bound, Figure, Found

ROOT = Path(__file__).resolve().parent.parent.parent


@cache
def seconds() -> tuple[float, float]:
    """Wall time of the first and the second run; CalledProcessError if one fails."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        # Make hands its own variables down, an active environment its tools.
        dropped = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VIRTUAL_ENV", "PYTHONPATH")
        environment = {name: value for name, value in os.environ.items() if name not in dropped}
        environment |= {"XDG_CACHE_HOME": f"{folder}/cache", "CCACHE_DIR": f"{folder}/ccache"}
        environment |= {"PIP_CACHE_DIR": f"{folder}/pip"}
        return _run(clone, environment), _run(clone, environment)


def _run(clone: Path, environment: dict[str, str]) -> float:
    begin = time.monotonic()
    subprocess.run(["make", "sim"], cwd=clone, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


def cold() -> Found:
    return Found(seconds()[0], {"cores": os.cpu_count()})


def warm() -> Found:
    return Found(seconds()[1], {"cold": seconds()[0]})


FIGURES = (
    Figure("setup.cold_s", "s", cold, (Bound("<=", 480),), long=True),
    Figure("setup.warm_s", "s", warm, (Bound("<=", 60),), long=True),
)
