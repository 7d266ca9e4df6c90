"""The views of a traced run show variables that the chip has, under the names of the program."""

import re

import pytest

from hdl.chip import Chip
from hdl.export import export
from sw.arch.config import load
from sw.asm.program import Program
from tb.views import WAVES, groups, keep_waves, write_views

TINY = load("tiny")


@pytest.fixture(scope="module")
def image():
    program = Program(TINY)
    program.at(1).mem("W1").read(3, "E5", stride=1).repeat(2)
    program.at(9).vxm(0).add("int32", "SG4_E[1]", 7, "SG4_W[0]")
    program.at(20).mem("W0").write(4, "W1")
    return program.image()


@pytest.fixture(scope="module")
def modules():
    """Verilog module -> its instances and its variables with their widths."""
    text = export(Chip(TINY), "chip").text
    found = {}
    for name, body in re.findall(r"^module (\w+)\((.*?)^endmodule", text, re.S | re.M):
        instances = dict((i, m) for m, i in re.findall(r"^  (\w+) (\w+) \($", body, re.M))
        variables = re.findall(r"^  (?:input|output|wire|reg) (?:\[(\d+):0\] )?(\w+)", body, re.M)
        found[name] = instances, {variable: int(high or 0) + 1 for high, variable in variables}
    return found


def test_every_variable_is_there(image, modules):
    paths = [path for group in groups(image) for path in group.signals.values()]
    assert len(paths) > 10
    for path in paths:
        name, _, bits = path.partition("[")
        top, *scopes, variable = name.split(".")
        module = top
        for scope in scopes:
            module = modules[module][0][scope]
        high = int(bits.partition(":")[0]) if bits else 0
        assert high < modules[module][1][variable], path


def test_streams_and_queues_are_named(image):
    shown = {group.title: group.signals for group in groups(image)}
    assert set(shown["Queues"]) == {
        f"{queue} {what}" for queue in ("MEM_W0", "MEM_W1", "VXM0") for what in ("valid", "word")
    }
    assert list(shown["Results"]) == ["MEM_W0 WRITE from W1"]
    driven = {"MEM_W1 READ to E5", *(f"VXM ADD to W{j}" for j in range(4))}
    assert set(shown["Streams"]) == driven


def test_a_reader_sees_what_the_stop_upstream_drives(image):
    shown = {group.title: group.signals for group in groups(image)}
    lane_bits = 8 * TINY.lanes
    mem = next(
        x for x, stop in enumerate(Program(TINY).floorplan.stops) if "MEM_W0" in [u.name for u in stop]
    )
    expected = f"chip.core.row_0.cell_{mem + 1}.stop.west[{2 * lane_bits - 1}:{lane_bits}]"
    assert shown["Results"]["MEM_W0 WRITE from W1"] == expected


def test_both_files_name_all_of_it(image, tmp_path):
    gtkwave, surfer = write_views(image, tmp_path / "dump.fst")
    for group in groups(image):
        for label, path in group.signals.items():
            assert f"+{{{label}}} {path}" in gtkwave.read_text()
            assert f"variable_add {path.partition('[')[0]}" in surfer.read_text()


def test_waves_are_kept_with_their_views(image, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    traced = tmp_path / "dump.fst"
    traced.write_bytes(b"waves")
    told = keep_waves(image, traced, "some")
    assert not traced.exists() and (WAVES / "some.fst").read_bytes() == b"waves"
    for name in ("some.fst", "some.gtkw", "some.sucl"):
        assert str(WAVES / name) in told and (WAVES / name).stat().st_size
