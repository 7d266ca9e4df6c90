"""Bring-up on the RTL: what is measured is what wires are like, and a link that fails is told with what is wrong."""

import re
from dataclasses import replace

import pytest

from sw.arch.config import ConfigError, load
from sw.arch.links import APART, link_latency
from sw.arch.system import Port, System
from sw.asm.program import Program
from sw.bringup.bringup import BringUp, BringUpError
from sw.bringup.exchange import Exchange
from sw.bringup.table import Follow, Table
from sw.check.system import check_system
from sw.golden.chip import GoldenSystem
from sw.network.start import Start
from sw.network.topology import ring
from tb.system import NOISE_WORDS, PERIOD_PS, CocotbSystem, Wire, wires_of
from tests.systems import CHIP

#: What a latency may be off where one HAC follows the other's, and what both ways of any cable may have too much, which is what
#: is added for phases not seen. What one way has too much the other has too little, as far as HACs do not agree.
NEAR, ADDED = 3, 4
#: Cycles until all HACs agree.
SETTLED = 3_000


def expected(system: System, wires: list[Wire]) -> dict[tuple[Port, Port], int]:
    # Measured ages have in them already what HACs disagree.
    return {(wire.source, wire.target): link_latency(CHIP, wire.delay) - APART for wire in wires}


def runs_as_the_table_says(table: Table, rtl: CocotbSystem) -> None:
    """A program made by the table passes the checker, and does on the RTL what it does on the golden model."""
    start = Start(table.system)
    programs = [Program(CHIP) for _ in rtl.chips]
    exchange = Exchange(start, programs, start.begin, seed=31)
    for chip, program in enumerate(programs):
        start.write(chip, program)
    images = [program.image() for program in programs]
    assert [str(finding) for finding in check_system(table.system, images)] == []
    golden = GoldenSystem(table.system)
    for chips in (golden.chips, rtl.chips):
        for chip, image in zip(chips, images, strict=True):
            chip.load(image)
    table.set_hacs(rtl.chips)
    late = SETTLED * len(set(start.releases)) * PERIOD_PS
    assert rtl.run(delays=[late] + [0] * (len(images) - 1), limit=60_000) == golden.run()
    assert exchange.wrong(rtl.chips) == exchange.wrong(golden.chips) == []


@pytest.mark.parametrize(
    ("chips", "delays", "offsets"),
    [
        (2, [3, 40], [100, -100]),
        pytest.param(4, [0, 90, 130, 55], [0, 100, -100, 50], marks=pytest.mark.slow),
        pytest.param(3, [300, 17, 700], [-50, 0, 50], marks=pytest.mark.slow),
    ],
)
def test_latencies_are_those_of_the_wires(chips, delays, offsets, tmp_path):
    system = ring(CHIP, chips)
    wires = wires_of(system, delays)
    with CocotbSystem(system, wires, offsets, tmp_path) as rtl:
        found = BringUp(rtl, system)
        assert found.failures == []
        table = found.table
        true = expected(system, wires)
        print(table)
        off = {(link.source, link.target): link.latency - true[link.source, link.target] for link in table.system.links}
        assert off.keys() == true.keys()
        # The greatest age counts, and ages vary.
        most = ADDED + max(table.spreads)
        assert all(0 <= more + off[there, here] <= most for (here, there), more in off.items())
        assert all(abs(off[link.source, link.target]) <= NEAR for link in Start(table.system).tree)
        (tmp_path / "table.toml").write_text(table.to_toml())
        again = Table.load(tmp_path / "table.toml", CHIP)
        assert again == table
        runs_as_the_table_says(again, rtl)


def test_links_that_fail_are_told(tmp_path):
    """A ring of three chips, of which one wire is not there: the others do as well."""
    system = ring(CHIP, 3)
    wires = wires_of(system, [3, 40, 9])
    wires = [wire for wire in wires if wire.source != Port(2, 0)]
    with CocotbSystem(system, wires, [0, 50, -50], tmp_path) as rtl:
        found = BringUp(rtl, system)
        assert [str(failure) for failure in found.failures] == [
            "The link from port 0 of chip 2 to port 1 of chip 0 fails: nothing new comes, the count that is heard "
            "stands still at 0.",
            "The link from port 1 of chip 0 to port 0 of chip 2 fails: its other direction fails, without which its latency "
            "cannot be measured.",
        ]
        assert len(found.table.system.links) == 4
        runs_as_the_table_says(found.table, rtl)


#: What spoils a wire, and what is said of it.
ALL = range(NOISE_WORDS)
SPOILED = {
    "dies": ({}, ALL[500:], "nothing new comes, the count that is heard stands still at \\d+"),
    "two bytes of each word": (dict.fromkeys(ALL, 0x00FFFF00), (), "no counts are heard"),
    "a byte of each word": (dict.fromkeys(ALL, 0xFF00), (), "frames come damaged, or others than were sent"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("noise", "lost", "how"), SPOILED.values(), ids=SPOILED)
def test_how_a_link_fails_is_told(noise, lost, how, tmp_path):
    system = ring(CHIP, 2)
    good, bad, *others = wires_of(system, [3, 40])
    wires = [good, replace(bad, noise=noise, lost=frozenset(lost)), *others]
    with CocotbSystem(system, wires, [100, -100], tmp_path) as rtl:
        found = BringUp(rtl, system)
        first, second = map(str, found.failures)
        assert re.fullmatch(f"The link from {bad.source} to {bad.target} fails: {how}\\.", first)
        assert second.startswith(f"The link from {bad.target} to {bad.source} fails: its other direction fails")
        assert len(found.table.system.links) == 2


@pytest.mark.slow
def test_chips_that_no_cable_joins_are_told(tmp_path):
    system = ring(CHIP, 3)
    wires = [wire for wire in wires_of(system, [5]) if wire.source.chip < 2]
    with CocotbSystem(system, wires, [0, 0, 0], tmp_path) as rtl, pytest.raises(
        BringUpError, match="^Chip 2 cannot be started, .* port 0 of chip 2 to port 1 of chip 0 fails: nothing new comes"
    ):
        BringUp(rtl, system)


def written(chips: str = "2", latency: str = "26", parent: str = "0", port: str = "1", lead: str = "15") -> str:
    """A table of one link, with an entry that is wrong."""
    rows = f'config = "linked"\nhash = {CHIP.hash}\nchips = {chips}'
    rows += f"\nlinks = [{{from=[0, 0], to=[1, 1], latency={latency}, spread=1}}]"
    return rows + f"\nhacs = [{{chip=1, parent={parent}, port={port}, lead={lead}}}]"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("chips = ", "is no table of links"),
        ("chips = 2", "is no table of links: 'config' is missing"),
        ('config = "other"\nhash = 1\nchips = 2', r"was measured on chips 'other' \(00000001\), these are 'linked' \("),
        (f'config = "linked"\nhash = {CHIP.hash}\nchips = 2\nlinks = [{{from=[0, 9], to=[1, 0], latency=3, spread=1}}]',
         "names port 9 of chip 0, a chip of 'linked' has 4 ports"),
        (written(chips="3"), "is of 3 chips, its 1 links can join 2 to 2"),
        (written(chips="true"), "is no table of links: True is no whole number"),
        (written(latency="26.5"), "is no table of links: 26.5 is no whole number"),
        (written(latency="0"), "The link from port 0 of chip 0 has a latency of 0"),
        (written(port="3"), "chip 1 follows chip 0 by port 3, where no link from that chip ends"),
        (written(parent="1"), "chip 1 follows chip 1 by port 1"),
        (written(lead="252"), "lead of chip 1 is 252, it must be below 252"),
    ],
)  # fmt: skip
def test_files_that_are_no_tables_are_refused(text, sentence, tmp_path):
    path = tmp_path / "table.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        Table.load(path, CHIP)


def test_a_table_of_a_preset_names_its_chips(tmp_path):
    path = tmp_path / "table.toml"
    table = Table(ring(load("linked"), 3), tuple(range(6)), {1: Follow(0, 1, 15), 2: Follow(0, 0, 251)})
    path.write_text(table.to_toml())
    assert Table.load(path) == Table.load(path, load("linked")) == table
    path.write_text(replace(table, system=ring(CHIP.replace(name='a "chip"'), 3)).to_toml())
    with pytest.raises(ConfigError, match="measured on chips 'a \"chip\"', which is no preset; their configuration must be"):
        Table.load(path)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="is no table of links: 'utf-8' codec"):
        Table.load(path)
