"""Small networks that tests share."""

from hypothesis import strategies as st

from sw.arch.config import load
from sw.network.costs import costs
from sw.network.graph import Network
from sw.network.topology import dragonfly, node, ring, torus

FULL = load("full")
COSTS = costs(FULL)
NETWORKS = {
    "ring of 2": Network(ring(FULL, 2)),
    "ring of 5": Network(ring(FULL, 5, cable=3)),
    "node": Network(node(FULL)),
    "node of 3": Network(node(FULL, 3, cable=0)),
    "torus": Network(torus(FULL, 3, 4)),
    "dragonfly": Network(dragonfly(FULL, 3)),
}

any_network = st.sampled_from(sorted(NETWORKS)).map(NETWORKS.__getitem__)
