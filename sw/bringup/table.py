"""What bring-up has found, in a file that programs are made by."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sw.arch.config import Config, ConfigError
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

    def save(self, path: Path) -> None:
        """Writes the table as TOML."""
        lines = [
            "# Links as they were measured, in cycles. Made by bring-up.",
            f'config = "{self.system.config.name}"',
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
        path.write_text("\n".join([*lines, ""]))

    @classmethod
    def load(cls, path: Path, config: Config) -> "Table":
        """Reads a table; ConfigError if it is none, or was made for another configuration."""
        try:
            found = tomllib.loads(path.read_text())
            if found["hash"] != config.hash:
                raise ConfigError(f"{path} was measured on chips '{found['config']}', these are '{config.name}'.")
            links = [Link(Port(*one["from"]), Port(*one["to"]), one["latency"]) for one in found["links"]]
            spreads = tuple(one["spread"] for one in found["links"])
            follows = {one["chip"]: Follow(one["parent"], one["port"], one["lead"]) for one in found.get("hacs", [])}
            system = System(config, found["chips"], tuple(links))
        except (tomllib.TOMLDecodeError, TypeError) as error:
            raise ConfigError(f"{path} is no table of links: {error}.") from error
        except KeyError as error:
            raise ConfigError(f"{path} is no table of links: {error} is missing.") from error
        for chip, follow in follows.items():
            if not 0 <= follow.lead < HAC_PERIOD:
                raise ConfigError(f"{path}: lead of chip {chip} is {follow.lead}, it must be below {HAC_PERIOD}.")
        return cls(system, spreads, follows)

    def set_hacs(self, chips) -> None:
        """Has the HACs of chips go with each other; they agree after `sw.bringup.counts.settling` cycles."""
        for chip, follow in self.follows.items():
            chips[chip].set_register("HAC", follow.register)
