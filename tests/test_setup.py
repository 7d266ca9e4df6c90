"""What a stranger meets first: the sentence about a missing tool, and a lock that fits the project file."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def preflight(path, **env):
    return subprocess.run(
        ["/bin/sh", "scripts/preflight.sh"],
        cwd=ROOT,
        env={"PATH": str(path), "PYTHON": sys.executable, **env},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def tools(tmp_path):
    """A directory with links to the tools that a build needs, to be the whole PATH."""
    compiler = shutil.which("g++") or shutil.which("clang++") or shutil.which("c++")
    for name, target in (("perl", shutil.which("perl")), ("g++", compiler)):
        os.symlink(target, tmp_path / name)
    return tmp_path


def test_nothing_is_missing(tools):
    done = preflight(tools)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == sys.executable


@pytest.mark.parametrize(("tool", "named"), [("perl", "perl"), ("g++", "C++ compiler")])
def test_a_missing_tool_is_one_sentence(tools, tool, named):
    (tools / tool).unlink()
    done = preflight(tools)
    assert done.returncode == 1
    assert re.fullmatch(rf"Takt needs .*{re.escape(named)}.*, which is missing: .*\.\n", done.stderr)


@pytest.mark.parametrize("variable", ["PYTHON", "CXX", "VERILATOR"])
def test_a_tool_that_is_named_must_be_there(tools, variable):
    done = preflight(tools, **{variable: "no-such-tool"})
    assert done.returncode == 1
    assert "no-such-tool" in done.stderr and done.stderr.count("\n") == 1


def test_the_lock_pins_what_the_project_asks_for_with_hashes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["dev"]
    lock = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^([\w-]+)==\S+ \\\n    --hash=sha256:", lock, re.MULTILINE)
    assert {re.match(r"[\w-]+", line)[0] for line in asked} <= set(pinned)
    assert len(pinned) == len(re.findall(r"^[\w-]+==", lock, re.MULTILINE))
