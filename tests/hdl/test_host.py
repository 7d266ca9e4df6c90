"""The host port in Verilator, at four shapes; the scenarios are those of `tb.tb_host_*`."""

import json

import pytest

from hdl.export import export
from hdl.host.bus import BusShape
from hdl.host.port import HostPort
from hdl.host.sequencer import Sequencer
from sw.arch.hostmap import REGISTERS, render
from tb.harness import Sources, build, run

COMMON = {"slices": 3, "words": 40, "queues": 5, "queue_words": 12, "units": 7}
SHAPES = {
    "narrow": {"lanes": 4, "superlanes": 2, **COMMON},
    "sliver": {"lanes": 2, "superlanes": 3, **COMMON},
    "small": {"lanes": 16, "superlanes": 4, **COMMON},
    "plain": {"lanes": 8, "superlanes": 1, "ecc": False, **COMMON},
}
TIMING = {
    "narrow": {"release": 1, "gather": 0, "restart_gap": 3},
    "sliver": {"release": 0, "gather": 1, "restart_gap": 5},
    "small": {"release": 2, "gather": 3, "restart_gap": 40},
    "plain": {"release": 1, "gather": 1, "restart_gap": 12},
}


@pytest.mark.parametrize("name", SHAPES)
def test_host_port(name, tmp_path):
    shape = BusShape(**SHAPES[name])
    timing = TIMING[name] | {"config_hash": 0xC0FFEE01}
    port = HostPort(shape, **timing)
    text = export(port, "host").text
    build_dir = build(Sources("host", {"host.v": text}))
    sizes = {"ecc": shape.ecc, **SHAPES[name], "word_bits": shape.word_bits, "data_bits": shape.data_bits,
             "queue_parts": shape.queue_parts}
    env = {"TAKT_HOST": json.dumps({"shape": sizes, **timing})}
    for module in ("access", "data", "run"):
        run(build_dir, f"tb.tb_host_{module}", test_dir=tmp_path / module, env=env)


def test_registers_have_distinct_words_in_the_page():
    offsets = [register.offset for register in REGISTERS.values()]
    assert len(set(offsets)) == len(offsets) and max(offsets) < 4096 and all(o % 4 == 0 for o in offsets)


def test_manual_has_the_current_tables(request):
    manual = (request.config.rootpath / "docs" / "host.md").read_text()
    assert render() in manual


def test_a_gap_without_room_for_the_reset_is_refused():
    with pytest.raises(ValueError, match="restart gap of 4 cycles"):
        Sequencer(restart_gap=4, release=1, gather=2)
