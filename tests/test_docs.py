"""Generated pages are fresh, and what they say of limits is true."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from scripts.docs import PAGES
from sw.arch.config import PRESETS, C2c, Config, ConfigError, Ecc, Mem, Mxm, Sxm, Vxm, load
from sw.arch.describe import ENTRIES
from sw.isa.codec import layout, make
from sw.isa.table import TABLE

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_fresh(name):
    assert (DOCS / name).read_text() == PAGES[name](), f"docs/{name} is stale; run `make docs`"


def test_every_instruction_is_on_the_page_with_its_latency():
    page = (DOCS / "isa.md").read_text()
    for row in TABLE:
        assert re.search(rf"^\| `{row.name}\b", page, re.MULTILINE), row.name
    permute = [make("PERMUTE").timing(load(name)).d_func for name in PRESETS]
    assert f"| `d_func` | {' | '.join(map(str, permute))} |" in page.split("## SXM, permute")[1]
    assert f"Word of {layout('MEM', load('full')).bits} bits" in page


def test_every_entry_of_a_configuration_is_described():
    groups = {"mem": Mem, "vxm": Vxm, "mxm": Mxm, "sxm": Sxm, "c2c": C2c, "ecc": Ecc}
    names = {f.name for f in fields(Config)} - set(groups) - {"name"}
    names |= {f"{group}.{f.name}" for group, kind in groups.items() for f in fields(kind)}
    assert {entry.name for entry in ENTRIES} == names


def changed(base: str, name: str, value) -> Config:
    """A preset with one entry changed."""
    group, dot, entry = name.rpartition(".")
    if name == "mem.slices":
        return load(base).replace(mem={entry: value, "slices_per_stop": 1})
    return load(base).replace(**({group: {entry: value}} if dot else {name: value}))


def accepted(name: str, value: int) -> bool:
    """Whether some preset can have this value. Entries that limit others leave those as they are."""
    for base in PRESETS:
        try:
            changed(base, name, value)
        except ConfigError:
            continue
        return True
    return False


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.low is not None], ids=lambda e: e.name)
def test_limits_are_as_described(entry):
    for value in (entry.low, entry.high):
        assert accepted(entry.name, value), f"{entry.name} = {value}"
    for value in (entry.low // 2 if entry.power_of_two else entry.low - 1, entry.high + 1, 2 * entry.high):
        with pytest.raises(ConfigError, match=re.escape(entry.name)):
            changed("full", entry.name, value)
    if entry.power_of_two:
        assert not accepted(entry.name, entry.low + 1)
