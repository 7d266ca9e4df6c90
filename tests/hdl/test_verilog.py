"""The Verilog that users get: clean for three independent tools, stable, and described by its manifest."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyslang
import pytest
from pyosys import libyosys as ys

from hdl.export import export_chip
from hdl.package import FILE, WAIVERS_FILE, package
from sw.arch.config import load
from sw.arch.floorplan import floorplan
from tb.toolchain import find_toolchain

ROOT = Path(__file__).parents[2]
CONFIG = load("tiny")


@pytest.fixture(scope="module")
def files():
    return package(export_chip(CONFIG), CONFIG)


@pytest.fixture(scope="module")
def folder(files, tmp_path_factory):
    made = tmp_path_factory.mktemp("verilog")
    for name, text in files.items():
        (made / name).write_text(text)
    return made


@pytest.fixture(scope="module")
def manifest(files):
    return json.loads(files["manifest.json"])


def test_verilator_has_nothing_to_say_beyond_the_waivers(folder, manifest):
    tools = find_toolchain()
    command = [tools.verilator, "--lint-only", "-Wall", "--top-module", manifest["top"], WAIVERS_FILE, FILE]
    done = subprocess.run(command, cwd=folder, env=tools.environment(), capture_output=True, text=True)
    assert "%Warning" not in done.stderr and "%Error" not in done.stderr, done.stderr[:2000]
    assert done.returncode == 0


def test_every_waiver_has_a_reason(files):
    _, *lines = files[WAIVERS_FILE].splitlines()
    for reason, rule in zip(lines[::2], lines[1::2], strict=True):
        assert reason.startswith("// ") and len(reason) > 40
        assert re.fullmatch(rf'lint_off -rule [A-Z]+ -file "\*{FILE}"', rule)


def test_slang_parses_it(folder):
    tree = pyslang.syntax.SyntaxTree.fromFile(str(folder / FILE))
    assert [str(d.code) for d in tree.diagnostics] == []
    compilation = pyslang.ast.Compilation()
    compilation.addSyntaxTree(tree)
    errors = [d for d in compilation.getAllDiagnostics() if d.isError()]
    assert [str(d.code) for d in errors] == []


def test_yosys_reads_it_back(folder, manifest):
    design = ys.Design()
    for command in (
        f"read_verilog {folder / FILE}",
        f"hierarchy -check -top {manifest['top']}",
        "proc",
        "check -assert",
    ):
        ys.Pass.call(design, f"tee -q {command}")


def test_it_is_the_same_text_from_every_run():
    code = (
        "import hashlib, sys; from hdl.export import export_chip; from sw.arch.config import load;"
        f"print(hashlib.sha256(export_chip(load('{CONFIG.name}')).text.encode()).hexdigest())"
    )
    hashes = set()
    for seed in ("1", "4711"):
        env = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
        )
        hashes.add(done.stdout.split()[-1])
    assert len(hashes) == 1


def test_one_module_per_distinct_unit(files, manifest):
    names = re.findall(r"^module (\S+?) ?[(#]", files[FILE], re.MULTILINE)
    assert len(names) == len(set(names)) == len(manifest["modules"])
    assert all(re.fullmatch(r"takt_[a-z]\w*", name) for name in names)
    assert manifest["top"] == "takt_chip"
    modules, plan = manifest["modules"], floorplan(CONFIG)
    assert modules["takt_mem_slice"]["instances"] == len(plan.slices)
    assert modules["takt_mem_tile"]["instances"] == len(plan.slices) * CONFIG.superlanes
    assert modules["takt_row"]["instances"] == CONFIG.superlanes
    queues = {
        name: module["instances"]
        for name, module in modules.items()
        if re.fullmatch("takt_queue_(?!memory).*(?<!__unit)", name)
    }
    assert sum(queues.values()) == len(plan.queues)


def test_ports_have_the_names_of_the_source(files, manifest):
    for name, module in manifest["modules"].items():
        if not module["ports"]:
            continue
        body = re.search(rf"^module {name} ?\(.*?^endmodule", files[FILE], re.MULTILINE | re.DOTALL)[0]
        for port, told in module["ports"].items():
            width = f"[{told['width'] - 1}:0] " if told["width"] > 1 else ""
            # a name that Verilog keeps for itself would stand here with a backslash
            line = rf"^  {told['direction']} {re.escape(width)}{re.escape(port)};"
            assert re.search(line, body, re.MULTILINE), (name, port)


def test_the_manifest_lists_every_memory(manifest):
    kinds = {(m["depth"], m["width"]): m["instances"] for m in manifest["memories"]}
    assert kinds[CONFIG.bank_words, 39] == 2 * len(floorplan(CONFIG).slices) * CONFIG.superlanes
    queues = [m for m in manifest["memories"] if m["module"].startswith("takt_queue_memory")]
    assert sum(m["instances"] for m in queues) == len(floorplan(CONFIG).queues)
    assert {m["depth"] for m in queues} == {CONFIG.queue_words}


def test_the_manifest_says_what_was_exported_with_what(files, manifest):
    assert manifest["sha256"] == hashlib.sha256(files[FILE].encode()).hexdigest()
    assert manifest["lines"] == files[FILE].count("\n")
    assert manifest["configuration"]["hash"] == f"{CONFIG.hash:08x}"
    assert set(manifest["versions"]) == {"python", "takt", "amaranth", "pyosys"}
    assert f"toplevel: {manifest['top']}" in files["takt.core"] and files["takt.core"].startswith("CAPI=2:\n")
