"""What bring-up has found, in a file that programs are made by."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sw.arch.config import PRESETS, Config, ConfigError, load
from sw.arch.hostmap import HAC_FOLLOW, HAC_LEAD, HAC_PORT
from sw.arch.links import HAC_PERIOD
from sw.arch.system import Link, Port, System


@dataclass(frozen=True)
class Follow:
    """How a chip's HAC goes with another's: which chip it is, by which port it is heard, how old its counts are there."""

    parent: int
    port: int
    lead: int

    @property
    def register(self) -> int:
        """What the register HAC is set to."""
        return self.lead << HAC_LEAD.start | self.port << HAC_PORT.start | 1 << HAC_FOLLOW


@dataclass(frozen=True)
class Table:
    """A system whose links are known.

    system : the links that work, with the latencies that programs go by
    spreads : by how many cycles the age of each link's counts varied
    follows : for every chip but the first how its HAC goes with another's
    """

    system: System
    spreads: tuple[int, ...]
    follows: Mapping[int, Follow]

    def to_toml(self) -> str:
        """The text of a file that `load` reads."""
        lines = [
            "# Links as they were measured, in cycles. Made by bring-up.",
            f"config = {json.dumps(self.system.config.name)}",
            f"hash = {self.system.config.hash}",
            f"chips = {self.system.chips}",
        ]
        for link, spread in zip(self.system.links, self.spreads, strict=True):
            ends = ((name, f"[{port.chip}, {port.number}]") for name, port in (("from", link.source), ("to", link.target)))
            rows = [*ends, ("latency", link.latency), ("spread", spread)]
            lines += ["", "[[links]]", *(f"{name} = {value}" for name, value in rows)]
        for chip, follow in sorted(self.follows.items()):
            rows = [("chip", chip), *vars(follow).items()]
            lines += ["", "[[hacs]]", *(f"{name} = {value}" for name, value in rows), f"# register HAC: 0x{follow.register:X}"]
        return "\n".join([*lines, ""])

    @classmethod
    def load(cls, path: Path, config: Config | None = None) -> "Table":
        """Reads a table that was measured on chips `config`, by default those of the preset that it names. ConfigError if it
        is none, or was measured on others."""
        try:
            found = tomllib.loads(path.read_text())
            config = _measured_on(path, found["config"], _whole(found["hash"]), config)
            links = [Link(_port(one["from"]), _port(one["to"]), _whole(one["latency"])) for one in found["links"]]
            spreads = tuple(_whole(one["spread"]) for one in found["links"])
            hacs = [[_whole(one[key]) for key in ("chip", "parent", "port", "lead")] for one in found.get("hacs", [])]
            system = System(config, _whole(found["chips"]), tuple(links))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
            raise ConfigError(f"{path} is no table of links: {error}.") from error
        except KeyError as error:
            raise ConfigError(f"{path} is no table of links: {error} is missing.") from error
        if not 2 <= system.chips <= len(links) + 1:
            raise ConfigError(f"{path} is of {system.chips} chips, its {len(links)} links can join 2 to {len(links) + 1}.")
        made = cls(system, spreads, {chip: Follow(*row) for chip, *row in hacs})
        for chip, follow in made.follows.items():
            made._proven(path, chip, follow)
        return made

    def _proven(self, path: Path, chip: int, follow: Follow) -> None:
        link = self.system.to_port(Port(chip, follow.port))
        if link is None or link.source.chip != follow.parent:
            raise ConfigError(
                f"{path}: chip {chip} follows chip {follow.parent} by port {follow.port}, where no link from that chip ends."
            )
        if not 0 <= follow.lead < HAC_PERIOD:
            raise ConfigError(f"{path}: lead of chip {chip} is {follow.lead}, it must be below {HAC_PERIOD}.")

    def set_hacs(self, chips) -> None:
        """Has the HACs of chips go with each other; they agree after `sw.bringup.counts.settling` cycles."""
        for chip, follow in self.follows.items():
            chips[chip].set_register("HAC", follow.register)


def _measured_on(path: Path, name: str, found: int, config: Config | None) -> Config:
    """The configuration of the chips that a table of this name and hash is of."""
    if config is None:
        if name not in PRESETS:
            raise ConfigError(f"{path} was measured on chips '{name}', which is no preset; their configuration must be given.")
        config = load(name)
    if found != config.hash:
        raise ConfigError(
            f"{path} was measured on chips '{name}' ({found:08x}), these are '{config.name}' ({config.hash:08x})."
        )
    return config


def _port(ends: list) -> Port:
    return Port(*map(_whole, ends))


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value
