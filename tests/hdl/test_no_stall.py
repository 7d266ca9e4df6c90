"""No stall, no handshake, no arbiter inside of the core: read off the generated design.

When a queue issues, and who drives which stream when, depends on the host's control wires and on program
text alone: the cones of all these bits, followed backward through all registers, reach no stream and no data
memory. So nothing that a unit computes, and nothing that another unit does, can move a cycle; there is nothing
a unit could stall on, and nothing that is granted.
"""

import re

import pytest

from hdl.export import export_chip
from sw.arch.config import load
from sw.arch.floorplan import floorplan
from tests.hdl.netlist import Netlist

CONFIG = load("tiny")
#: What decides when a queue issues; `issue__word` is what it issues.
ISSUE = ("issue__valid", "issue__mask", "issue__word", "fetch", "fetch_stream", "notify", "halted")
#: What decides who drives which stream; `data` and `check` are what is driven.
DRIVE = re.compile(r"drive_\d+__(valid|west|stream|size)$")
CONTROL = {"start", "reset", "freeze", "clear", "rst", "clk"}
QUEUES = {f"{queue.name.lower()}_queue" for queue in floorplan(CONFIG).queues}
HANDSHAKE = re.compile(r"ready|(?<!in)stall|busy|grant|credit|backpressure|hold_off|wait_for|arbit", re.IGNORECASE)


@pytest.fixture(scope="module")
def design():
    return export_chip(CONFIG)


@pytest.fixture(scope="module")
def core(design):
    return Netlist(design.text, "core")


def is_text(place):
    """Whether memories at this place hold program text."""
    return place[0] in QUEUES


def control_of(place, name):
    """When text is written and which word is read is control; what the text says is the program."""
    return (
        ("RD_ADDR", "RD_EN", "WR_ADDR", "WR_EN")
        if is_text(place)
        else ("RD_ADDR", "RD_EN", "RD_DATA", "WR_DATA")
    )


def cells(core):
    """Places of all stops in all superlanes."""
    for row in core.inside(()):
        if row.startswith("row_"):
            for cell in core.inside((row,)):
                yield row, cell


def only_control(cone):
    """Asserts that a cone holds no data."""
    outside = {name for name in cone.inputs if not name.startswith("bus__request__")}
    assert outside <= CONTROL, "a control bit depends on an input of the core that carries no control"
    data = sorted(place for place in cone.memories if not is_text(place))
    assert not data, f"control depends on data memory {data[:3]}"
    streams = sorted(place for place in cone.registers if "stop" in place[:-1])
    assert not streams, f"control depends on stream registers {streams[:3]}"


def test_when_a_queue_issues_depends_on_program_text_alone(core):
    starts = [bit for queue in QUEUES for port in ISSUE for bit in core.port((queue,), port)]
    cone = core.cone(starts, control_of)
    only_control(cone)
    assert {place[0] for place in cone.memories} == QUEUES
    for place in cone.registers:
        # its own registers, those of the wires between queues, and the way that text takes south
        assert len(place) == 1 or place[0] in QUEUES or "fetch" in place, (
            f"{place} decides when a queue issues"
        )
    assert {"start", "freeze"} <= cone.inputs


def test_who_drives_a_stream_when_depends_on_program_text_alone(core):
    starts, stops = [], 0
    for row, cell in cells(core):
        ports = [port for port in core.module((row, cell, "stop")).ports if DRIVE.match(port)]
        starts += [bit for port in ports for bit in core.port((row, cell, "stop"), port)]
        stops += 1
    assert stops == CONFIG.superlanes * len(floorplan(CONFIG).stops)
    cone = core.cone(starts, control_of)
    only_control(cone)
    assert {place[0] for place in cone.memories} <= QUEUES and cone.memories


def test_the_search_finds_data_where_it_is(core):
    """What is driven does come from streams and memories, so a control bit that did would have been found."""
    row, cell = next(
        place for place in cells(core) if core.module((*place, "stop")).ports.keys() & {"drive_0__data"}
    )
    found = core.cone(core.port((row, cell, "stop"), "drive_0__data"), control_of)
    with pytest.raises(AssertionError):
        only_control(found)
    assert any("stop" in place for place in found.registers)


def test_no_port_of_the_core_asks_anybody_to_wait(core):
    waiting = [
        (name, port)
        for name, module in core.modules.items()
        for port in module.ports
        if HANDSHAKE.search(port)
    ]
    assert waiting == []


def test_the_host_port_alone_has_handshakes(design):
    asking = {name for name, ports in design.ports.items() if any(HANDSHAKE.search(port) for port in ports)}
    assert asking == {design.top, "host"}
