"""Ways from a chip to another."""

from sw.network.graph import Network

#: Links in order, each beginning at the chip where the one before it ends.
Route = tuple[int, ...]


def minimal(network: Network, source: int, target: int, limit: int = 8) -> list[Route]:
    """Up to `limit` routes of the fewest links, empty if there is none; in time linear in links and `limit`."""
    if source == target:
        raise ValueError(f"A route from chip {source} to itself has no links.")
    left = {target: 0}
    for link in network.tree(target, inward=True):
        left[network.sources[link]] = left[network.targets[link]] + 1
    if source not in left:
        return []
    found: list[Route] = []
    open_: list[tuple[int, Route]] = [(source, ())]
    while open_ and len(found) < limit:
        chip, route = open_.pop()
        if chip == target:
            found.append(route)
            continue
        # The last one is taken first.
        for link in reversed(network.leaving[chip]):
            if left.get(network.targets[link]) == left[chip] - 1:
                open_.append((network.targets[link], (*route, link)))
    return found


def spread(network: Network, source: int, target: int, limit: int = 16) -> list[Route]:
    """Minimal routes, and one by each other neighbour of the source: a link to the neighbour, then fewest links without
    coming back (in a node: the direct link and all ways of two hops). The shortest come first, `limit` of them at most."""
    routes = minimal(network, source, target, limit)
    first = {route[0] for route in routes}
    for link in network.leaving[source]:
        neighbour = network.targets[link]
        if link not in first and neighbour != target:
            onward = [way for way in minimal(network, neighbour, target) if source not in _chips(network, way)]
            routes += [(link, *way) for way in onward[:1]]
    return sorted(routes, key=len)[:limit]


def _chips(network: Network, route: Route) -> set[int]:
    return {network.targets[link] for link in route}
