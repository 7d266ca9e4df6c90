"""The files that a user of the Verilog gets: text, manifest, FuseSoC core, lint waivers."""

import hashlib
import json
import platform
import re
from dataclasses import asdict, replace
from importlib.metadata import version

from hdl.export import Verilog
from hdl.hierarchy import instances, parts
from sw.arch.config import Config
from sw.arch.version import VERSION

#: What the names of all modules begin with, so that they meet no others in a user's design.
PREFIX = "takt_"
FILE = "takt_chip.v"
WAIVERS_FILE = "waivers.vlt"
#: Verilator rule -> why the text may break it.
WAIVERS = {
    "DECLFILENAME": "one file holds all modules, so that one file is all that has to be passed on",
    "PROCASSINIT": "registers have the value after power-up and after reset both, for FPGAs that start without a reset",
    "WIDTHEXPAND": "operands are widened by the rules of Verilog, which the generator relies on in every expression",
    "WIDTHTRUNC": "`!` of a vector asks whether it is zero, and an assignment drops upper bits by the rules of Verilog",
    "UNUSEDSIGNAL": "signals of the source keep their names in waves even where nothing reads them",
    "UNDRIVEN": "an interface has the same members at every unit, also where a configuration drives none of them",
    "UNUSEDPARAM": "a primitive has its parameters also where one of them is not needed",
    "CASEOVERLAP": "the functions behind one-hot selections list a pattern for each bit, and only one bit is set",
    "VARHIDDEN": "the functions behind one-hot selections name their arguments a, b and s",
    "SYMRSVDWORD": "ports keep the names of the source; `interrupt` is a word of the C++ that Verilator writes",
}


def package(design: Verilog, c: Config) -> dict[str, str]:
    """File name -> text. The same for the same configuration and tool versions, byte for byte. The names of modules get
    PREFIX, the top module `chip` becomes `takt_chip`."""
    design = _prefixed(design)
    manifest = json.dumps(_manifest(design, c), indent=1)
    return {
        FILE: design.text,
        "manifest.json": manifest + "\n",
        "takt.core": _core(design, c),
        WAIVERS_FILE: waivers(WAIVERS),
    }


def _prefixed(design: Verilog) -> Verilog:
    names = {name: name if name.startswith(PREFIX) else PREFIX + name for name in parts(design.text)}
    begins = re.compile(rf"^(module |  )({'|'.join(names)})(?=[ (])", re.MULTILINE)
    return replace(
        design,
        top=names[design.top],
        text=begins.sub(lambda found: found[1] + names[found[2]], design.text),
        ports={names[name]: ports for name, ports in design.ports.items()},
    )


def waivers(rules: dict[str, str]) -> str:
    """A Verilator control file that switches these rules off in the design, each with its reason."""
    lines = [f'// {reason}\nlint_off -rule {rule} -file "*{FILE}"' for rule, reason in rules.items()]
    return "\n".join(["`verilator_config", *lines, ""])


def _manifest(design: Verilog, c: Config) -> dict:
    found = parts(design.text)
    counts = instances(found, design.top)
    ways = {"i": "input", "o": "output"}
    modules = {}
    for name, part in found.items():
        ports = {
            key: {"direction": ways[way], "width": width}
            for key, (way, width) in design.ports.get(name, {}).items()
        }
        modules[name] = {"instances": counts[name], "lines": part.lines, "ports": ports}
    return {
        "configuration": asdict(c) | {"hash": f"{c.hash:08x}"},
        "top": design.top,
        "file": FILE,
        "sha256": hashlib.sha256(design.text.encode()).hexdigest(),
        "lines": design.text.count("\n"),
        "clock": "clk",
        "reset": "rst, synchronous, active high",
        "memories": [
            {"module": name, "depth": depth, "width": width, "instances": counts[name]}
            for name, part in found.items()
            for depth, width in part.memories
        ],
        "modules": modules,
        "versions": {"python": platform.python_version()}
        | {"takt": VERSION}
        | {name: version(name) for name in ("amaranth", "pyosys")},
    }


def _core(design: Verilog, c: Config) -> str:
    """Description of the design for FuseSoC."""
    return f"""CAPI=2:
name: "takt:takt:chip_{c.name}:{VERSION}"
description: "Takt tensor streaming processor, configuration {c.name} ({c.hash:08x})"

filesets:
  rtl:
    files: [{FILE}]
    file_type: verilogSource
  waivers:
    files: [{WAIVERS_FILE}]
    file_type: vlt

targets:
  default: &default
    filesets: [rtl]
    toplevel: {design.top}
  lint:
    <<: *default
    filesets: [rtl, waivers]
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [-Wall]
"""
