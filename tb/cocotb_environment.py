"""The environment variables with which a simulator finds its Python, its tests and where to report."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import cocotb_tools.config
import find_libpython

from tb.toolchain import ToolError


def cocotb_environment(
    top: str, module: str, names: Sequence[str], results: Path, seed: int
) -> dict[str, str]:
    """What the simulator's cocotb reads to run the tests `names` of `module`, or all when there are none.

    Raises ToolError.
    """
    libpython = find_libpython.find_libpython()
    if libpython is None:
        raise ToolError(f"cocotb needs the shared libpython of {sys.executable}; install python3-dev.")
    env = {
        "COCOTB_TOPLEVEL": top,
        "COCOTB_TEST_MODULES": module,
        "COCOTB_RESULTS_FILE": str(results),
        "COCOTB_RANDOM_SEED": str(seed),
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "TOPLEVEL_LANG": "verilog",
        "GPI_USERS": f"{libpython};{cocotb_tools.config.pygpi_entry_point()}",
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
    }
    if names:
        env["COCOTB_TEST_FILTER"] = rf"\.({'|'.join(map(re.escape, names))})(/.*)?$"
    return env
