"""Cycles below which no schedule can come.

All are of the latency-bandwidth kind (Chan, Heimlich, Purkayastha and van de Geijn, "Collective communication: theory,
practice, and experience", 2007, section 3), with a port to each neighbour that sends and receives at once: the last of the
frames that a link has to carry begins after all others, and then takes its latency and its reception.
"""

from sw.network.costs import Costs
from sw.network.graph import Network


def _streamed(network: Network, costs: Costs, frames: int, links: int) -> int:
    """`frames` over `links` links side by side, until the last stands on a stream."""
    return (-(-frames // links) - 1) * costs.frame + min(network.latencies) + costs.receive


def _far(network: Network, costs: Costs, source: int, target: int) -> int:
    """One frame over the quickest way, cutting through wherever; 0 from a chip to itself."""
    best, done = {source: 0}, set()
    while target not in done:
        open_ = best.keys() - done
        if not open_:
            raise ValueError(f"No way leads from chip {source} to chip {target}.")
        chip = min(open_, key=best.__getitem__)
        done.add(chip)
        for link in network.leaving[chip]:
            cycles = best[chip] + network.latencies[link]
            if cycles < best.get(network.targets[link], cycles + 1):
                best[network.targets[link]] = cycles
    return best[target] + costs.receive if target != source else 0


def point_to_point(network: Network, costs: Costs, source: int, target: int, vectors: int) -> int:
    """All vectors cross the links that leave the source, and those that reach the target."""
    links = min(len(network.leaving[source]), len(network.coming[target]))
    return max(_streamed(network, costs, vectors, links), _far(network, costs, source, target))


def broadcast(network: Network, costs: Costs, root: int, vectors: int) -> int:
    """Every vector leaves the root once and reaches every other chip, over its links."""
    return max(point_to_point(network, costs, root, chip, vectors) for chip in _others(network, root))


def scatter(network: Network, costs: Costs, root: int, vectors: int) -> int:
    """`vectors` for each other chip leave the root."""
    links, others = len(network.leaving[root]), _others(network, root)
    far = max(_far(network, costs, root, chip) for chip in others)
    return max(_streamed(network, costs, vectors * len(others), links), far)


def gather(network: Network, costs: Costs, root: int, vectors: int) -> int:
    """`vectors` of each other chip reach the root."""
    links, others = len(network.coming[root]), _others(network, root)
    far = max(_far(network, costs, chip, root) for chip in others)
    return max(_streamed(network, costs, vectors * len(others), links), far)


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
    far = max(_far(network, costs, 0, chip) for chip in _others(network, 0))
    return max(_streamed(network, costs, frames, len(network.links)), far + costs.sum(2))


def _others(network: Network, chip: int) -> list[int]:
    return [other for other in range(network.system.chips) if other != chip]
