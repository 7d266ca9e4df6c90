"""Vectors on their way: which link takes which vector in which cycle.

A schedule is made step by step, each step as early as what was made before allows, and nothing is moved afterwards. A step
costs time linear in the links that it uses, times the logarithm of what stands on them.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from sw.network.costs import Costs
from sw.network.graph import Network
from sw.network.routes import Route
from sw.network.slots import Slots

#: What a vector is called, the same on every chip that has it.
Name = Hashable


class Send(NamedTuple):
    """A chip sends vector `name` over `link`; SEND issues in `cycle`."""

    link: int
    cycle: int
    name: Name


class Forward(NamedTuple):
    """What stands at the end of link `came` in `cycle` goes on over `link`."""

    link: int
    cycle: int
    came: int


class Receive(NamedTuple):
    """The frame at the end of `link` in `cycle` is taken as vector `name`."""

    link: int
    cycle: int
    name: Name


class Sum(NamedTuple):
    """`chip` adds up, of several numbers whose bytes are in one or more vectors each: vector names[k] is byte k of the sum,
    parts[k] are the same byte of what is added. The sum can be sent from `cycle` on."""

    chip: int
    cycle: int
    names: tuple[Name, ...]
    parts: tuple[tuple[Name, ...], ...]


class Held(NamedTuple):
    """A vector in a chip: on a stream in `stream`, to be sent from `ready` on; where and when its frame stood at a port."""

    stream: int
    ready: int
    link: int | None = None
    cycle: int = 0


class Schedule:
    """All that happens to vectors in a network. `start(chip, name)` what is there before, then steps.

    Attributes
    ----------
    events : Send, Forward, Receive and Sum, a frame's in the order of its way
    given : (chip, name) and the cycle from which that vector can be sent, for what was there before
    """

    def __init__(self, network: Network, costs: Costs):
        self.network, self.costs = network, costs
        self.events: list[Send | Forward | Receive | Sum] = []
        self.given: dict[tuple[int, Name], int] = {}
        self._slots = Slots(costs.frame)
        self._sums = Slots(costs.apart)
        self._held: dict[tuple[int, Name], Held] = {}

    def start(self, chip: int, name: Name, ready: int = 0) -> None:
        """`name` is in the chip's memory, and can be sent from cycle `ready` on."""
        self.given[chip, name] = ready
        self._held[chip, name] = Held(ready, ready)

    def arrival(self, chip: int, name: Name) -> int:
        """Cycle in which the vector stands on a stream of the chip, or is ready there; KeyError if it never does."""
        return self._held[chip, name].stream

    def has(self, chip: int, name: Name) -> bool:
        """Whether the vector ever is in the chip."""
        return (chip, name) in self._held

    def send(self, name: Name, route: Route) -> int:
        """Sends the vector from the route's first chip to its last. Gives its arrival."""
        self._run(name, self._plan(name, route))
        return self.arrival(self.network.targets[route[-1]], name)

    def send_best(self, name: Name, routes: Sequence[Route]) -> int:
        """Sends the vector over that route on which it arrives first, the first of equals. Gives its arrival."""
        plans = [self._plan(name, route) for route in routes]
        ends = [plan[-1][1][-1] + self._latency(plan[-1][0][-1]) for plan in plans]
        best = ends.index(min(ends))
        self._run(name, plans[best])
        return self.arrival(self.network.targets[routes[best][-1]], name)

    def grow(self, name: Name, links: Iterable[int]) -> None:
        """Sends the vector over each of the links in turn, from a chip that has it by then; every chip keeps it. Cuts
        through wherever both ports are of one unit and the link is free."""
        for link in links:
            held = self._held[self.network.sources[link], name]
            cycle = held.cycle + self.costs.forward
            cut = held.link is not None and self.network.cuts_through(held.link, link)
            if cut and self._slots.earliest(link, cycle) == cycle:
                self._slots.take(link, cycle)
                self.events.append(Forward(link, cycle, held.link))
                self._receive(link, cycle + self._latency(link), name)
            else:
                self.send(name, (link,))

    def add(self, chip: int, names: Sequence[Name], parts: Sequence[Sequence[Name]]) -> None:
        """Adds vectors of the chip to new ones, as `Sum` says, when all of them are there and the vector unit is free."""
        last = max(self.arrival(chip, part) for same in parts for part in same)
        ready = self._sums.earliest(chip, last + self.costs.sum(len(parts[0])))
        self._sums.take(chip, ready)
        for name in names:
            self._held[chip, name] = Held(ready, ready)
        self.events.append(Sum(chip, ready, tuple(names), tuple(tuple(same) for same in parts)))

    def _latency(self, link: int) -> int:
        return self.network.latencies[link]

    def _plan(self, name: Name, route: Route) -> list[tuple[list[int], list[int]]]:
        """Links of each stretch without a stop, and the cycles in which the frame goes out on them."""
        network, plan = self.network, []
        ready = self._held[network.sources[route[0]], name].ready
        at = 0
        while at < len(route):
            links, offsets = [route[at]], [0]
            at += 1
            while at < len(route) and network.cuts_through(route[at - 1], route[at]):
                offsets.append(offsets[-1] + self._latency(route[at - 1]) + self.costs.forward)
                links.append(route[at])
                at += 1
            begin = self._slots.together(links, offsets, ready)
            cycles = [begin + offset for offset in offsets]
            plan.append((links, cycles))
            ready = cycles[-1] + self._latency(links[-1]) + self.costs.receive + self.costs.cross
        return plan

    def _run(self, name: Name, plan: list[tuple[list[int], list[int]]]) -> None:
        for links, cycles in plan:
            self.events.append(Send(links[0], cycles[0], name))
            for came, link, cycle in zip(links, links[1:], cycles[1:], strict=False):
                self.events.append(Forward(link, cycle, came))
            for link, cycle in zip(links, cycles, strict=True):
                self._slots.take(link, cycle)
            self._receive(links[-1], cycles[-1] + self._latency(links[-1]), name)

    def _receive(self, link: int, cycle: int, name: Name) -> None:
        stream = cycle + self.costs.receive
        place = (self.network.targets[link], name)
        self.events.append(Receive(link, cycle, name))
        if place not in self._held or stream < self._held[place].stream:
            self._held[place] = Held(stream, stream + self.costs.cross, link, cycle)
