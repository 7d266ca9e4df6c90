"""A system of 10,440 chips that are all within five links of each other, and from each of which it looks the same.

Its network is a Cayley graph. Chips are the maps x -> u^k x + b of pairs of a rack and a node: racks are integers modulo 145,
nodes the field of nine elements, and u multiplies the one by 12, whose order is 4, the other by 1 + i, whose order is 8. The
places k of a node are powers of u. A cable leads from every chip to its product with one of eleven maps, which the chip's own
place turns. The maps for cables between racks were found by trying random ones.
"""

from sw.arch.config import Config
from sw.arch.links import link_latency
from sw.arch.system import Port, System, cables
from sw.network.topology import BETWEEN, IN_NODE, NODE, RACK, RACKS

#: Racks, nodes and places onward of each port's cable. Nodes are a + bi, (a, b).
_STEPS = (
    (0, (0, 0), 1),
    (0, (0, 0), 7),
    (0, (0, 0), 4),
    (43, (1, 0), 5),
    (81, (2, 1), 3),
    (12, (2, 0), 7),
    (1, (1, 1), 1),
    (134, (2, 0), 2),
    (134, (0, 1), 6),
    (108, (0, 2), 4),
    (37, (0, 2), 4),
)
_TURN = 12


def cayley(config: Config) -> System:
    """145 racks of 9 nodes of 8 chips; chip rack * 72 + node * 8 + place, node 3 b + a for a + bi.

    Ports 0 and 1 lead to the next and the last chip of the node, 2 to the one across, the other eight to other racks.
    """
    back = [next(q for q in range(len(_STEPS)) if _onward(_onward(0, port), q) == 0) for port in range(len(_STEPS))]
    near, far = [], []
    for chip in range(RACKS * RACK * NODE):
        for port in range(len(_STEPS)):
            here, there = Port(chip, port), Port(_onward(chip, port), back[port])
            if (chip, port) < (there.chip, there.number):
                (near if here.chip // NODE == there.chip // NODE else far).append((here, there))
    links = cables(near, link_latency(config, IN_NODE)) + cables(far, link_latency(config, BETWEEN))
    return System(config, RACKS * RACK * NODE, links)


def _onward(chip: int, port: int) -> int:
    """The chip to which a port's cable leads."""
    (rest, place), (racks, (a, b), places) = divmod(chip, NODE), _STEPS[port]
    rack, node = divmod(rest, RACK)
    for _ in range(place):
        racks, a, b = _TURN * racks, a - b, a + b
    a, b = (a + node) % 3, (b + node // 3) % 3
    return ((rack + racks) % RACKS * RACK + 3 * b + a) * NODE + (place + places) % NODE
