"""A generated design as a graph of bits, across the borders of its modules."""

from dataclasses import dataclass, field
from functools import cached_property

from hdl.yosys import Yosys

#: Cells whose output bit i depends on bit i of A and B alone, and on all of S.
BITWISE = {"$mux", "$and", "$or", "$xor", "$xnor", "$not"}
REGISTERS = {"$dff", "$dffe", "$sdff", "$sdffe", "$sdffce", "$adff", "$aldff"}


@dataclass
class Cone:
    """What bits depend on, through registers too: registers and memories by path, inputs of the top."""

    registers: set[tuple[str, ...]] = field(default_factory=set)
    memories: set[tuple[str, ...]] = field(default_factory=set)
    inputs: set[str] = field(default_factory=set)
    bits: int = 0


class Netlist:
    """The modules of a Verilog text below `top`. A place is a tuple of instance names, () being the top."""

    def __init__(self, text: str, top: str):
        yosys = Yosys(text)
        yosys.run(f"hierarchy -check -top {top}", "proc", "memory_collect", "opt_clean")
        self.modules = {name: _Module(raw) for name, raw in yosys.report("json")["modules"].items()}
        self.top = top

    def module(self, place: tuple[str, ...]) -> "_Module":
        """The module that stands at a place."""
        name = self.top
        for step in place:
            name = self.modules[name].cells[step]["type"]
        return self.modules[name]

    def inside(self, place: tuple[str, ...]) -> list[str]:
        """Names of the instances of modules at a place."""
        return [name for name, cell in self.module(place).cells.items() if cell["type"] in self.modules]

    def port(self, place: tuple[str, ...], name: str) -> list[tuple[tuple[str, ...], int]]:
        """The bits of a port of the module at a place, as starts of a cone."""
        return [(place, bit) for bit in self.module(place).ports[name]["bits"]]

    def cone(self, starts, through) -> Cone:
        """What `starts` depend on. `through(place, name of a memory)` tells which ports of a memory count."""
        found, seen = Cone(), set()
        waiting = list(starts)
        while waiting:
            node = waiting.pop()
            place, bit = node
            if isinstance(bit, str) or node in seen:
                continue
            seen.add(node)
            module = self.module(place)
            if bit in module.inputs:
                port, index = module.inputs[bit]
                if not place:
                    found.inputs.add(port)
                else:
                    outside = self.module(place[:-1]).cells[place[-1]]["connections"].get(port)
                    waiting.extend([(place[:-1], outside[index])] if outside else [])
                continue
            name, port, index = module.drivers[bit]
            cell = module.cells[name]
            if cell["type"] in self.modules:
                inner = self.modules[cell["type"]].ports[port]["bits"]
                waiting.append(((*place, name), inner[index]))
                continue
            if cell["type"] in REGISTERS:
                found.registers.add((*place, module.names.get(bit, name)))
            elif cell["type"] == "$mem_v2":
                found.memories.add((*place, name))
            waiting.extend((place, before) for before in _before(cell, index, through, place, name))
        found.bits = len(seen)
        return found


class _Module:
    def __init__(self, raw: dict):
        self.ports, self.cells = raw["ports"], raw["cells"]
        self._raw = raw
        self.inputs = {
            bit: (name, index)
            for name, port in self.ports.items()
            if port["direction"] == "input"
            for index, bit in enumerate(port["bits"])
        }

    @cached_property
    def drivers(self) -> dict:
        """Bit -> (cell, port, index) of what drives it."""
        return {
            bit: (name, port, index)
            for name, cell in self.cells.items()
            for port, bits in cell["connections"].items()
            if cell["port_directions"].get(port) == "output"
            for index, bit in enumerate(bits)
        }

    @cached_property
    def names(self) -> dict:
        """Bit -> name of a signal that it belongs to."""
        return {
            bit: name
            for name, net in self._raw["netnames"].items()
            if not net["hide_name"]
            for bit in net["bits"]
        }


def _before(cell: dict, index: int, through, place, name: str) -> list:
    """The bits that output bit `index` of a cell depends on."""
    nets, kind = cell["connections"], cell["type"]
    inputs = {key: bits for key, bits in nets.items() if cell["port_directions"].get(key) == "input"}
    if kind in REGISTERS:
        return [
            inputs["D"][index],
            *(bit for key, bits in inputs.items() if key not in ("D", "CLK") for bit in bits),
        ]
    if kind == "$mem_v2":
        wanted = through(place, name)
        return [bit for key, bits in inputs.items() if key in wanted for bit in bits]
    if kind in BITWISE:
        narrow = [bits[index] for key, bits in inputs.items() if key in "AB" and index < len(bits)]
        widened = [bits[-1] for key, bits in inputs.items() if key in "AB" and index >= len(bits)]
        return narrow + widened + inputs.get("S", [])
    if kind == "$pmux":
        width = len(inputs["A"])
        return [inputs["A"][index], *inputs["B"][index::width], *inputs["S"]]
    return [bit for bits in inputs.values() for bit in bits]
