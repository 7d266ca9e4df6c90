"""A system's links by number, and what lies between two chips."""

from functools import cached_property

from sw.arch.system import System


class Network:
    """Looks up the links of `system`; a link is named by its place in `system.links`.

    Attributes
    ----------
    system : System
    links : links by number
    leaving : for every chip the links that begin at it, by port
    coming : for every chip the links that end at it, by port
    """

    def __init__(self, system: System):
        self.system, self.links = system, system.links
        self.leaving: list[list[int]] = [[] for _ in range(system.chips)]
        self.coming: list[list[int]] = [[] for _ in range(system.chips)]
        for number, link in enumerate(self.links):
            self.leaving[link.source.chip].append(number)
            self.coming[link.target.chip].append(number)
        for chip in range(system.chips):
            self.leaving[chip].sort(key=lambda k: self.links[k].source.number)
            self.coming[chip].sort(key=lambda k: self.links[k].target.number)

    @cached_property
    def sources(self) -> list[int]:
        """Chip at which each link begins."""
        return [link.source.chip for link in self.links]

    @cached_property
    def targets(self) -> list[int]:
        """Chip at which each link ends."""
        return [link.target.chip for link in self.links]

    @cached_property
    def latencies(self) -> list[int]:
        """Latency of each link."""
        return [link.latency for link in self.links]

    def cuts_through(self, first: int, then: int) -> bool:
        """Whether FORWARD can pass on what comes over link `first` over link `then`: both ports are of one unit."""
        size = self.system.config.c2c.links
        here, there = self.links[first].target, self.links[then].source
        return here.chip == there.chip and here.number // size == there.number // size

    def tree(self, root: int, inward: bool = False, first: int | None = None) -> list[int]:
        """Links of a breadth-first tree from `root` to every chip it reaches, nearest first; `inward` those that lead to it.
        Chips at one distance take their turns as parents in different order for different roots. With link `first` all that
        its chip reaches without the root hangs on it."""
        ends, lists = (self.sources, self.coming) if inward else (self.targets, self.leaving)
        seen, order = {root}, []
        if first is not None:
            seen.add(ends[first])
            order.append(first)
            self._grow([ends[first]], seen, order, ends, lists)
        self._grow([root], seen, order, ends, lists)
        return order

    @staticmethod
    def _grow(level: list[int], seen: set[int], order: list[int], ends: list[int], lists: list[list[int]]) -> None:
        turn = level[0]
        while level:
            reached = []
            for chip in level:
                links = lists[chip]
                split = turn % max(1, len(links))
                for link in (*links[split:], *links[:split]):
                    if ends[link] not in seen:
                        seen.add(ends[link])
                        order.append(link)
                        reached.append(ends[link])
            level = reached

    def distances(self, root: int) -> dict[int, int]:
        """Fewest links from `root` to every chip that it reaches."""
        found = {root: 0}
        for link in self.tree(root):
            found[self.targets[link]] = found[self.sources[link]] + 1
        return found
