"""What chips do together, as sends and sums.

Every function makes a schedule of its own and gives it with what it brings about. Everything is there in cycle 0. `vectors` is
the size of the tensor, or of each chip's part of it. Bounds with the same names and arguments are in `sw.network.bounds`.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sw.network.costs import Costs
from sw.network.graph import Network
from sw.network.moves import Transfer, transfer
from sw.network.schedule import Name, Schedule

#: Vectors that hold the bytes of the same numbers.
Names = Sequence[Name]


@dataclass(frozen=True)
class Outcome:
    """A schedule, the vectors that it is made for and where they are wanted, and the cycle in which the last of them stands on
    a stream there, or is added and ready."""

    schedule: Schedule
    goals: tuple[tuple[int, Name], ...]

    @property
    def cycles(self) -> int:
        return max(self.schedule.arrival(*goal) for goal in self.goals)


def point_to_point(network: Network, costs: Costs, source: int, target: int, vectors: int, spreading: bool = True) -> Outcome:
    """Vectors ("x", i) from a chip to another."""
    schedule = Schedule(network, costs)
    names = tuple(("x", i) for i in range(vectors))
    transfer(schedule, [Transfer(names, source, target)], spreading)
    return Outcome(schedule, tuple((target, name) for name in names))


def broadcast(network: Network, costs: Costs, root: int, vectors: int) -> Outcome:
    """Vectors ("x", i) from the root to all others: all over one tree, or in turn over one tree for each neighbour of the
    root, whichever is faster. In a node the latter is a scatter whose frames each neighbour forwards to all others."""
    goals = tuple((chip, ("x", i)) for i in range(vectors) for chip in range(network.system.chips) if chip != root)
    return _best(
        [
            Outcome(_trees(network, costs, root, vectors, trees), goals)
            for trees in ([network.tree(root)], [network.tree(root, first=link) for link in network.leaving[root]])
        ]
    )


def scatter(network: Network, costs: Costs, root: int, vectors: int) -> Outcome:
    """Vectors ("x", chip, i) from the root to each other chip, the farthest first."""
    schedule = Schedule(network, costs)
    far = network.distances(root)
    order = sorted((chip for chip in far if chip != root), key=lambda chip: -far[chip])
    goals = tuple((chip, ("x", chip, i)) for i in range(vectors) for chip in order)
    transfer(schedule, [Transfer((name,), root, chip) for chip, name in goals])
    return Outcome(schedule, goals)


def gather(network: Network, costs: Costs, root: int, vectors: int) -> Outcome:
    """Vectors ("x", chip, i) of each other chip to the root, the nearest first."""
    schedule = Schedule(network, costs)
    near = network.distances(root)
    order = sorted((chip for chip in near if chip != root), key=near.__getitem__)
    names = tuple(("x", chip, i) for i in range(vectors) for chip in order)
    transfer(schedule, [Transfer((name,), name[1], root) for name in names], spreading=False)
    return Outcome(schedule, tuple((root, name) for name in names))


def all_gather(network: Network, costs: Costs, vectors: int) -> Outcome:
    """Vectors ("x", chip, i) of each chip to all others, over trees."""
    schedule, goals = Schedule(network, costs), []
    for i in range(vectors):
        for root in range(network.system.chips):
            schedule.start(root, ("x", root, i))
            schedule.grow(("x", root, i), network.tree(root))
            goals += [(chip, ("x", root, i)) for chip in range(network.system.chips) if chip != root]
    return Outcome(schedule, tuple(goals))


def reduce_scatter(network: Network, costs: Costs, vectors: int, width: int = 1) -> Outcome:
    """Sums of vectors ("x", chip, i) over all chips, ("sum", chip, i). Each `width` vectors hold the bytes of the same
    numbers and are added together; the k-th of these groups is left at chip k modulo their number. ValueError if `vectors`
    is no multiple of `width`."""
    schedule = _given(network, costs, vectors)
    return Outcome(schedule, tuple(goal for group in _groups(vectors, width) for goal in _reduced(schedule, group)))


def all_reduce(network: Network, costs: Costs, vectors: int, width: int = 1) -> Outcome:
    """Sums as of `reduce_scatter`, at all chips. Where all are joined to each other, every chip adds all vectors, or a
    reduce-scatter comes before an all-gather, whichever is faster; elsewhere the latter. In the first every chip adds in the
    same order, in the second one chip adds for all: so all have the same bits."""
    schedule, goals = _given(network, costs, vectors), []
    for owner, name in [goal for group in _groups(vectors, width) for goal in _reduced(schedule, group)]:
        schedule.grow(name, network.tree(owner))
        goals += [(chip, name) for chip in range(network.system.chips)]
    found = [Outcome(schedule, tuple(goals))]
    if all(len(set(_neighbours(network, chip))) == network.system.chips - 1 for chip in range(network.system.chips)):
        found.append(exchange(network, costs, vectors, (network.system.chips,), width))
    return _best(found)


def exchange(network: Network, costs: Costs, vectors: int, sizes: tuple[int, ...], width: int = 1) -> Outcome:
    """An all-reduce in few hops, for networks of groups. Chips 0 to sizes[0] - 1 are joined to each other, as are the next;
    of the groups of sizes[k - 1] chips in one of sizes[k], every two have a link (the first is used). A sum of
    each vector comes about at every chip.

    At the lowest level every chip sends its vector to the others and adds theirs. At a higher one the sum of its group goes
    over the links of that level, what comes in is added up in the group in the same way, and to the group's own sum. So
    there are 2^levels - 1 hops: 3 in a dragonfly, 7 in one of racks. Groups are added in different order in different chips,
    which may differ in the last bit when FP32 is added.
    """
    schedule, goals = _given(network, costs, vectors), []
    links = _by_level(network, sizes)
    for group in _groups(vectors, width):
        parts = {chip: [("x", chip, i) for i in group] for chip in range(network.system.chips)}
        for chip, names in _exchanged(schedule, parts, links, sizes, (group[0],)).items():
            goals += [(chip, name) for name in names]
    return Outcome(schedule, tuple(goals))


def _best(outcomes: list[Outcome]) -> Outcome:
    return min(outcomes, key=lambda outcome: outcome.cycles)


def _neighbours(network: Network, chip: int) -> list[int]:
    return [network.targets[link] for link in network.leaving[chip]]


def _trees(network: Network, costs: Costs, root: int, vectors: int, trees: list[list[int]]) -> Schedule:
    schedule = Schedule(network, costs)
    for i in range(vectors):
        schedule.start(root, ("x", i))
        schedule.grow(("x", i), trees[i % len(trees)])
    return schedule


def _given(network: Network, costs: Costs, vectors: int) -> Schedule:
    schedule = Schedule(network, costs)
    for chip in range(network.system.chips):
        for i in range(vectors):
            schedule.start(chip, ("x", chip, i))
    return schedule


def _groups(vectors: int, width: int) -> list[range]:
    if vectors % width:
        raise ValueError(f"{vectors} vectors cannot be numbers of {width} vectors each.")
    return [range(first, first + width) for first in range(0, vectors, width)]


def _reduced(schedule: Schedule, group: range) -> list[tuple[int, Name]]:
    """Adds up a group of vectors of all chips on the way to its owner. Gives where the sums are, and their names."""
    network = schedule.network
    owner = group.start // len(group) % network.system.chips
    parts: dict[int, list[Names]] = {chip: [[("x", chip, i) for i in group]] for chip in range(network.system.chips)}

    def own(chip: int) -> Names:
        if len(parts[chip]) == 1:
            return parts[chip][0]
        names = [("sum", chip, i) for i in group]
        schedule.add(chip, names, list(zip(*parts[chip], strict=True)))
        return names

    for link in reversed(network.tree(owner, inward=True)):
        names = own(network.sources[link])
        for name in names:
            schedule.send(name, (link,))
        parts[network.targets[link]].append(names)
    return [(owner, name) for name in own(owner)]


def _by_level(network: Network, sizes: tuple[int, ...]) -> list[list[int]]:
    """Links of each level; of those that join the same two groups, the first."""
    found: list[list[int]] = [[] for _ in sizes]
    joined = set()
    for number, (a, b) in enumerate(zip(network.sources, network.targets, strict=True)):
        level = next(k for k, size in enumerate(sizes) if a // size == b // size)
        below = sizes[level - 1] if level else 1
        if (level, a // below, b // below) not in joined:
            joined.add((level, a // below, b // below))
            found[level].append(number)
    return found


def _exchanged(
    schedule: Schedule, parts: dict[int, Names], links: list[list[int]], sizes: tuple[int, ...], label: tuple
) -> dict[int, Names]:
    """Adds `parts` (of those chips that have one) over all chips of each group of the highest level. Gives the names of the
    sum for every chip whose group has any."""
    if len(sizes) == 1:
        added = _sent(schedule, parts, links[0])
        for chip, names in parts.items():
            added[chip][chip] = names
    else:
        inner = _exchanged(schedule, parts, links[:-1], sizes[:-1], (*label, "in"))
        far = _added(schedule, _sent(schedule, inner, links[-1]), (*label, "far"))
        added = defaultdict(dict)
        for place, sums in enumerate((inner, _exchanged(schedule, far, links[:-1], sizes[:-1], (*label, "out")))):
            for chip, names in sums.items():
                added[chip][place] = names
    return _added(schedule, added, (*label, "sum"))


def _sent(schedule: Schedule, names: dict[int, Names], links: list[int]) -> dict[int, dict[int, Names]]:
    """Sends each chip's vectors over those of the links that begin at it. Gives for every chip what came from where."""
    came: dict[int, dict[int, Names]] = defaultdict(dict)
    for link in links:
        source, target = schedule.network.sources[link], schedule.network.targets[link]
        if source in names:
            for name in names[source]:
                schedule.send(name, (link,))
            came[target][source] = names[source]
    return came


def _added(schedule: Schedule, parts: dict[int, dict[int, Names]], label: tuple) -> dict[int, Names]:
    """Adds the parts of each chip in the order of their keys; a single one stays what it is."""
    found = {}
    for chip, named in parts.items():
        added = [named[key] for key in sorted(named)]
        found[chip] = added[0]
        if len(added) > 1:
            found[chip] = [("sum", chip, *label, k) for k in range(len(added[0]))]
            schedule.add(chip, found[chip], list(zip(*added, strict=True)))
    return found
