"""Verilog of a component: one module per distinct unit, with stable names."""

import gc
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from amaranth.lib import wiring
from pyosys import libyosys as ys

from hdl.chip import Chip
from hdl.lib.stamp import Export
from hdl.packed import packed
from sw.arch.config import Config

TOP = "chip"
"""Name of a chip's top module."""


#: No word of an SRAM is read and written in one cycle; tools that know it need no logic around their block RAM.
_SRAM = re.compile(r"^(  )(reg \[\d+:0\] mem \[\d+:0\];)$", re.MULTILINE)
_INNER = re.compile(r"^(module|  cell) \\(\S+)", re.MULTILINE)


def _plain_name(found: re.Match) -> str:
    """A module inside a stamped one has both names, joined by a dot; Verilog wants no dots."""
    return f"{found[1]} \\{found[2].replace('.', '__')}"


@dataclass(frozen=True)
class Verilog:
    """An exported design: its top module, the text, per module its ports and number of instances, and which are gated."""

    top: str
    text: str
    ports: dict[str, dict[str, tuple[str, int]]]
    uses: dict[str, int]
    gated: frozenset[str]


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Netlists are millions of objects that live long; looking for garbage among them takes a fifth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(200_000, 10, 10)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def export(component: wiring.Component, top: str) -> Verilog:
    """Elaborates `component` as module `top` and writes the whole design as plain Verilog."""
    platform = Export()
    with _rare_collections():
        platform.unit(top, component)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "design.il", Path(folder) / "design.v"
        source.write_text(_INNER.sub(_plain_name, "\n".join(platform.units.values())))
        design = ys.Design()
        for command in (
            f"read_rtlil {source}",
            "proc",
            "opt_clean",
            "opt_dff -nosdff",
            # Names that only repeat another one make up two thirds of the text of a large chip.
            "pmuxtree",
            "opt_clean -purge",
            # An SRAM has no contents after power-up, and a line of text for each of its words is much text.
            *(f"delete {name}/t:$meminit*" for name in sorted(platform.srams)),
            f"write_verilog -noattr {target}",
        ):
            ys.Pass.call(design, f"tee -q {command}")
        text = _SRAM.sub(r"\1(* no_rw_check *) \2", packed(target.read_text()))
    text += "".join(text for _, text in sorted(platform.primitives.items()))
    return Verilog(top, text, platform.ports, platform.uses, frozenset(platform.gated))


def export_chip(c: Config, sim: bool = False) -> Verilog:
    """The whole chip; `sim` adds the simulation-only assertions and the lockstep trace."""
    return export(Chip(c, sim), TOP)
