"""Systems by the shape of their network.

Cables have a length in cycles, see `sw.arch.links.link_latency`. A port's unit is its number over `c2c.links`; what goes
together in one unit can cut through, so all local ports of a node stand in the west unit as far as they fit.
"""

from itertools import combinations

from sw.arch.config import Config, ConfigError
from sw.arch.links import link_latency
from sw.arch.system import Link, Port, System, cables

#: Chips of a node, each with a cable to every other, and their ports for other nodes.
NODE, GLOBAL = 8, 4
#: Nodes of a rack, and cables between every two of them.
RACK, DOUBLE = 9, 2
#: As many nodes, or racks, as there are ports for one cable between every two.
NODES = NODE * GLOBAL + 1
RACKS = RACK * (NODE * GLOBAL - DOUBLE * (RACK - 1)) + 1
#: Lengths of cables in cycles: in a node, in a rack, between racks.
IN_NODE, IN_RACK, BETWEEN = 9, 19, 59


def ring(config: Config, chips: int, cable: int = IN_NODE) -> System:
    """Port 0 of every chip leads to port 1 of the next. At least 2 chips."""
    _least("ring", chips, 2)
    ends = [(Port(a, 0), Port((a + 1) % chips, 1)) for a in range(chips)]
    return System(config, chips, cables(ends, link_latency(config, cable)))


def node(config: Config, chips: int = NODE, cable: int = IN_NODE, each: int = 1) -> System:
    """Every two chips are joined by `each` cables. Ports p * each and those behind it of chip a lead to chip p, or p + 1 from
    a on. At least 2 chips."""
    _least("node", chips, 2)
    return System(config, chips, _local(config, range(chips), cable, each))


def torus(config: Config, rows: int, columns: int, cable: int = IN_NODE) -> System:
    """Chip row * columns + column; ports 0 and 1 lead to the next and the last column, 2 and 3 to the next and the last row.
    At least 2 of each."""
    _least("torus", min(rows, columns), 2)
    ends = []
    for row in range(rows):
        for column in range(columns):
            chip = row * columns + column
            ends.append((Port(chip, 0), Port(row * columns + (column + 1) % columns, 1)))
            ends.append((Port(chip, 2), Port((row + 1) % rows * columns + column, 3)))
    return System(config, rows * columns, cables(ends, link_latency(config, cable)))


def dragonfly(config: Config, nodes: int = NODES) -> System:
    """Nodes of 8 chips, one cable between every two nodes. The cable to the k-th other node, counted up from the own one,
    is at chip k modulo 8, so that few nodes use all chips too. 2 to 33 nodes."""
    _least("dragonfly", nodes, 2)
    if nodes > NODES:
        raise ConfigError(f"A dragonfly of {nodes} nodes cannot be, {NODES} can be joined to each other.")
    links = [link for n in range(nodes) for link in _local(config, _chips(n), IN_NODE)]
    ends = []
    for a, b in combinations(range(nodes), 2):
        there, back = b - a - 1, nodes - (b - a) - 1
        ends.append((_global(a, there), _global(b, back)))
    return System(config, nodes * NODE, (*links, *cables(ends, link_latency(config, IN_RACK))))


def racks(config: Config, count: int = RACKS) -> System:
    """Racks of 9 nodes of 8 chips: two cables between every two nodes of a rack, one between every two racks.

    Every chip has two cables in the rack and two out of it. The k-th other node of the rack, counted up from the own one,
    is at chips k and k + 3 modulo 8, the k-th other rack at node k modulo 9 and there at chip k / 9 modulo 8. So most chips
    are up to 6 hops apart and the others 7: to the chip that has the only cable to a rack it takes up to 3, and as many
    behind it. 2 to 145 racks.
    """
    _least("system of racks", count, 2)
    if count > RACKS:
        raise ConfigError(f"A system of {count} racks cannot be, {RACKS} can be joined to each other.")
    links = [link for n in range(count * RACK) for link in _local(config, _chips(n), IN_NODE)]
    inner, outer = [], []
    for rack in range(count):
        for a, b in combinations(range(RACK), 2):
            there, back = b - a - 1, RACK - (b - a) - 1
            for pair in range(DOUBLE):
                ports = [NODE * pair + (k + 3 * pair) % NODE for k in (there, back)]
                inner.append((_global(rack * RACK + a, ports[0]), _global(rack * RACK + b, ports[1])))
    used = DOUBLE * (RACK - 1)
    for a, b in combinations(range(count), 2):
        (there, n), (back, m) = (divmod(k, RACK) for k in (b - a - 1, count - (b - a) - 1))
        outer.append((_global(a * RACK + n, used + there), _global(b * RACK + m, used + back)))
    links += cables(inner, link_latency(config, IN_RACK)) + cables(outer, link_latency(config, BETWEEN))
    return System(config, count * RACK * NODE, tuple(links))


def _chips(node: int) -> range:
    return range(node * NODE, (node + 1) * NODE)


def _local(config: Config, chips: range, cable: int, each: int = 1) -> tuple[Link, ...]:
    first, ends = chips.start, []
    for a, b in combinations(chips, 2):
        ends += [(Port(a, (b - 1 - first) * each + k), Port(b, (a - first) * each + k)) for k in range(each)]
    return cables(ends, link_latency(config, cable))


def _global(node: int, number: int) -> Port:
    place, chip = divmod(number, NODE)
    return Port(node * NODE + chip, NODE - 1 + place)


def _least(what: str, found: int, least: int) -> None:
    if found < least:
        raise ConfigError(f"A {what} of {found} is no network, it needs at least {least}.")
