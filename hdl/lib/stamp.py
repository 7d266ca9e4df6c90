"""Units that are elaborated once and stamped many times.

Amaranth writes one Verilog module per instance. A stamped component is, on export, elaborated once under its own name,
and every place that uses it becomes an instance of that module; in simulation with Amaranth it is simply inlined.
"""

import warnings

from amaranth.back import rtlil
from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, UnusedElaboratable, Value
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring

from hdl.lib.gate import Gated, Sleeper
from hdl.lib.sram import Sram

# Of all copies of a stamped unit only the first is elaborated; the others are no mistake.
warnings.filterwarnings("ignore", category=UnusedElaboratable)


def ports(component: wiring.Component) -> dict[str, tuple[Value, str]]:
    """Verilog port name -> (value, "i" or "o"), without ports of width 0."""
    found = {}
    for path, member, value in component.signature.flatten(component):
        value = Value.cast(value)
        if len(value):
            found["__".join(map(str, path))] = (value, "i" if member.flow is wiring.In else "o")
    return found


class Export:
    """The platform of an export: collects the RTLIL of every stamped unit, once a name."""

    def __init__(self):
        #: Module name -> RTLIL text, in the order in which the modules were finished.
        self.units: dict[str, str] = {}
        #: Module name -> parameters it was made with.
        self.parameters: dict[str, dict] = {}
        #: Module name -> ports, "i" or "o" and width.
        self.ports: dict[str, dict[str, tuple[str, int]]] = {}
        #: Names of modules that are SRAM macros.
        self.srams: set[str] = set()
        #: Names of modules that stand still when they have nothing to do (`hdl.lib.gate`).
        self.gated: set[str] = set()
        #: Modules written straight in Verilog: name -> text.
        self.primitives: dict[str, str] = {}
        #: Module name -> number of uses.
        self.uses: dict[str, int] = {}

    def unit(self, name: str, component: wiring.Component) -> str:
        """Elaborates `component` as module `name` unless that is done; returns its RTLIL."""
        parameters = {key: value for key, value in vars(component).items() if not _is_port(component, key)}
        known = self.parameters.setdefault(name, parameters)
        if repr(known) != repr(parameters):
            raise ValueError(f"Two different units are stamped as '{name}': {known} and {parameters}.")
        self.uses[name] = self.uses.get(name, 0) + 1
        if name not in self.units:
            named = ports(component)
            direction = {"i": PortDirection.Input, "o": PortDirection.Output}
            sleeps = isinstance(component, Sleeper)
            self.units[name] = rtlil.convert(
                Gated(component) if sleeps else component,
                name=name,
                platform=self,
                ports={key: (value, direction[way]) for key, (value, way) in named.items()},
                emit_src=False,
            )
            if isinstance(component, Sram):
                self.srams.add(name)
            if sleeps:
                self.gated.add(name)
            self.ports[name] = {key: (way, len(value)) for key, (value, way) in named.items()}
        return self.units[name]


def _is_port(component: wiring.Component, key: str) -> bool:
    return key in component.signature.members or key.startswith("_")


class Stamped(wiring.Component):
    """Stands for `unit` with the same signature but for the members that are `bound`; see `stamp`."""

    def __init__(self, unit: wiring.Component, name: str, bound: dict):
        self.unit, self.unit_name, self.bound = unit, name, bound
        members = {key: member for key, member in unit.signature.members.items() if key not in bound}
        super().__init__(members)

    def elaborate(self, platform):
        if not isinstance(platform, Export):
            m = Module()
            m.submodules.unit = self.unit
            for name, (value, way) in ports(self.unit).items():
                outer = self._outer(name)
                m.d.comb += value.eq(outer) if way == "i" else outer.eq(value)
            return m
        text = platform.unit(self.unit_name, self.unit)
        pins = {f"{way}_{name}": self._outer(name) for name, (_, way) in ports(self.unit).items()}
        for clock, signal in (("clk", ClockSignal()), ("rst", ResetSignal())):
            if has_input(text, self.unit_name, clock):
                pins[f"i_{clock}"] = signal
        return Instance(self.unit_name, **pins)

    def _outer(self, name: str) -> Value:
        """What the unit's port `name` is joined to outside."""
        first, *path = name.split("__")
        value = self.bound.get(first) if first in self.bound else getattr(self, first)
        for step in path:
            value = value[int(step)] if step.isdigit() else getattr(value, step)
        return Value.cast(value)


def stamp(unit: wiring.Component, name: str, **bound) -> Stamped:
    """A stand-in for `unit` with the same ports, exported once as module `name`.

    `bound` members are joined to the given interfaces at once and are no members of the stand-in; wide ones cost far
    less time to export that way. ValueError (on export) if two units with different parameters have one name.
    """
    return Stamped(unit, name, bound)


def has_input(text: str, module: str, port: str) -> bool:
    """Whether the RTLIL of a module declares an input of this name."""
    body = text[text.index(f"module \\{module}\n") :]
    body = body[: body.index("\nend\n")]
    return any(
        line.split()[-1] == f"\\{port}" and " input " in line
        for line in body.splitlines()
        if line.lstrip().startswith("wire")
    )
