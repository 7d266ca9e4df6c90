"""Several chips and the links between them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from sw.arch.config import Config, ConfigError


@dataclass(frozen=True, order=True)
class Port:
    """A port of a chip, counted from its west unit to its east one."""

    chip: int
    number: int

    def __str__(self) -> str:
        return f"port {self.number} of chip {self.chip}"


@dataclass(frozen=True)
class Link:
    """One direction of a cable. What `source` sends in cycle c stands at `target` in cycle c + `latency`."""

    source: Port
    target: Port
    latency: int

    def __str__(self) -> str:
        return f"the link from {self.source} to {self.target}"


@dataclass(frozen=True)
class System:
    """`chips` chips of one configuration, and their links. ConfigError for links that cannot be."""

    config: Config
    chips: int
    links: tuple[Link, ...] = ()

    def __post_init__(self):
        ports = 2 * self.config.c2c.links
        for link in self.links:
            for port in (link.source, link.target):
                if not 0 <= port.chip < self.chips:
                    raise ConfigError(f"A link names {port}, the system has chips 0 to {self.chips - 1}.")
                if not 0 <= port.number < ports:
                    raise ConfigError(f"A link names {port}, a chip of '{self.config.name}' has {ports} ports.")
            if link.latency < 1:
                raise ConfigError(f"The link from {link.source} has a latency of {link.latency}, it must be at least 1.")
        for ends, what in ((self._by_source, "begin"), (self._by_target, "end")):
            if len(ends) < len(self.links):
                raise ConfigError(f"Two links {what} at the same port.")

    @cached_property
    def _by_source(self) -> dict[Port, Link]:
        return {link.source: link for link in self.links}

    @cached_property
    def _by_target(self) -> dict[Port, Link]:
        return {link.target: link for link in self.links}

    def from_port(self, port: Port) -> Link | None:
        """The link that begins at a port."""
        return self._by_source.get(port)

    def to_port(self, port: Port) -> Link | None:
        """The link that ends at a port."""
        return self._by_target.get(port)


def cables(ends: Iterable[tuple[Port, Port]], latency: int) -> tuple[Link, ...]:
    """Both directions of cables between these ports."""
    return tuple(Link(a, b, latency) for one, other in ends for a, b in ((one, other), (other, one)))
