"""Cycles below which no schedule can come.

All are of the latency-bandwidth kind (Chan, Heimlich, Purkayastha and van de Geijn, "Collective communication: theory,
practice, and experience", 2007, section 3), with a port to each neighbour that sends and receives at once: the last of the
frames that a link has to carry begins after all others, and then takes its latency and its reception.
"""

from heapq import heappop, heappush

from sw.network.costs import Costs
from sw.network.graph import Network


def _streamed(network: Network, costs: Costs, frames: int, links: int) -> int:
    """`frames` over `links` links side by side, until the last stands on a stream."""
    return (-(-frames // links) - 1) * costs.frame + min(network.latencies) + costs.receive


def _far(network: Network, costs: Costs, root: int, inward: bool = False) -> dict[int, int]:
    """One frame from `root` to every other chip that it reaches, or the other way, by the quickest way and cutting through
    wherever (Dijkstra)."""
    ends, lists = (network.sources, network.coming) if inward else (network.targets, network.leaving)
    found, open_ = {}, [(0, root)]
    while open_:
        cycles, chip = heappop(open_)
        if chip not in found:
            found[chip] = cycles
            for link in lists[chip]:
                if ends[link] not in found:
                    heappush(open_, (cycles + network.latencies[link], ends[link]))
    return {chip: cycles + costs.receive for chip, cycles in found.items() if chip != root}


def point_to_point(network: Network, costs: Costs, source: int, target: int, vectors: int) -> int:
    """All vectors cross the links that leave the source, and those that reach the target."""
    links = min(len(network.leaving[source]), len(network.coming[target]))
    return max(_streamed(network, costs, vectors, links), _far(network, costs, source)[target])


def broadcast(network: Network, costs: Costs, root: int, vectors: int) -> int:
    """Every vector leaves the root once and reaches every other chip, over its links."""
    far = _far(network, costs, root)
    links = min(len(network.leaving[root]), *(len(network.coming[chip]) for chip in far))
    return max(_streamed(network, costs, vectors, links), *far.values())


def scatter(network: Network, costs: Costs, root: int, vectors: int) -> int:
    """`vectors` for each other chip leave the root."""
    far = _far(network, costs, root)
    return max(_streamed(network, costs, vectors * len(far), len(network.leaving[root])), *far.values())


def gather(network: Network, costs: Costs, root: int, vectors: int) -> int:
    """`vectors` of each other chip reach the root."""
    far = _far(network, costs, root, inward=True)
    return max(_streamed(network, costs, vectors * len(far), len(network.coming[root])), *far.values())


def all_gather(network: Network, costs: Costs, vectors: int) -> int:
    """Every chip is the root of a gather of `vectors` of each."""
    return max(gather(network, costs, chip, vectors) for chip in range(network.system.chips))


def reduce_scatter(network: Network, costs: Costs, vectors: int) -> int:
    """Sums over p chips of `vectors` vectors, each left at one chip. A sum takes p - 1 frames at least, each of which brings
    two chips' parts together, and the links share them; the last of them is still to be added."""
    frames = vectors * (network.system.chips - 1)
    return _streamed(network, costs, frames, len(network.links)) + costs.sum(2)


def all_reduce(network: Network, costs: Costs, vectors: int) -> int:
    """As reduce-scatter, and p - 1 more frames for each sum to reach all others (Patarasuk and Yuan, "Bandwidth optimal
    all-reduce algorithms for clusters of workstations", 2009, theorem 1, here for all links of a network together). What
    reaches a chip last is added to its own part or is a sum that was added before: either costs the farthest way and a sum."""
    frames = 2 * vectors * (network.system.chips - 1)
    far = max(_far(network, costs, 0).values())
    return max(_streamed(network, costs, frames, len(network.links)), far + costs.sum(2))
