"""Shapes of networks, judged by networkx."""

from collections import Counter

import networkx as nx
import pytest

from sw.arch.config import ConfigError
from sw.network.cayley import cayley
from sw.network.graph import Network
from sw.network.topology import dragonfly, node, racks, ring, torus
from tests.network.networks import FULL, NETWORKS


def judge(system):
    return nx.MultiDiGraph((link.source.chip, link.target.chip) for link in system.links)


def isomorphic(system, expected):
    return nx.is_isomorphic(nx.Graph(judge(system)), expected)


def test_shapes():
    assert isomorphic(ring(FULL, 6), nx.cycle_graph(6))
    assert isomorphic(node(FULL), nx.complete_graph(8))
    assert isomorphic(torus(FULL, 3, 4), nx.grid_2d_graph(3, 4, periodic=True))


@pytest.mark.parametrize("system", [ring(FULL, 5), node(FULL), torus(FULL, 2, 3), dragonfly(FULL, 9), racks(FULL, 3)])
def test_every_cable_has_both_directions_of_one_latency(system):
    found = {(link.source, link.target): link.latency for link in system.links}
    assert {(b, a): latency for (a, b), latency in found.items()} == found


@pytest.mark.parametrize("nodes", [2, 9, 33])
def test_dragonfly_has_one_cable_between_every_two_nodes(nodes):
    system = dragonfly(FULL, nodes)
    pairs = Counter((link.source.chip // 8, link.target.chip // 8) for link in system.links)
    assert all(pairs[a, b] == (56 if a == b else 1) for a in range(nodes) for b in range(nodes))
    assert nx.diameter(nx.Graph(judge(system))) == 3


def test_full_dragonfly_uses_every_port():
    assert dragonfly(FULL).chips == 264
    assert set(Counter(link.source.chip for link in dragonfly(FULL).links).values()) == {11}


def test_all_racks():
    system = racks(FULL)
    assert system.chips == 10440
    nodes = Counter((link.source.chip // 8, link.target.chip // 8) for link in system.links)
    between = Counter((a // 9, b // 9) for a, b in nodes if a // 9 != b // 9)
    assert set(between.values()) == {1}
    assert len(between) == 145 * 144
    for rack in range(145):
        inside = range(9 * rack, 9 * rack + 9)
        assert all(nodes[a, b] == 2 for a in inside for b in inside if a != b)
    assert set(Counter(link.source.chip for link in system.links).values()) == {11}


def test_chips_of_the_cayley_graph_are_within_five_hops():
    system = cayley(FULL)
    graph = nx.Graph(judge(system))
    assert len(graph) == system.chips == 10440
    assert {degree for _, degree in graph.degree} == set(Counter(link.source.chip for link in system.links).values()) == {11}
    assert {nx.eccentricity(graph, chip) for chip in range(0, 10440, 521)} == {5}


def test_cables_of_the_cayley_graph_stay_in_a_node_or_lead_to_sixteen_racks():
    links = cayley(FULL).links
    local = [link for link in links if link.source.chip // 8 == link.target.chip // 8]
    assert {link.latency for link in local} == {link.latency for link in node(FULL).links}
    graph = nx.Graph((link.source.chip, link.target.chip) for link in local if link.source.chip < 8)
    assert nx.is_isomorphic(graph, nx.circulant_graph(8, [1, 4]))
    bundles = Counter((link.source.chip // 72, link.target.chip // 72) for link in links)
    inside = {pair: bundles.pop(pair) for pair in list(bundles) if pair[0] == pair[1]}
    assert set(inside.values()) == {72 * 3} and len(local) == 10440 * 3
    assert set(bundles.values()) == {36} and set(Counter(rack for rack, _ in bundles).values()) == {16}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_distances(network):
    expected = dict(nx.all_pairs_shortest_path_length(judge(network.system)))
    assert {chip: network.distances(chip) for chip in range(network.system.chips)} == expected


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("inward", [False, True])
def test_trees_span(network, inward):
    for root in range(network.system.chips):
        links = network.tree(root, inward)
        tree = nx.DiGraph((network.sources[link], network.targets[link]) for link in links)
        assert nx.is_arborescence(tree.reverse() if inward else tree)
        assert len(tree) == network.system.chips
        depth = nx.shortest_path_length(tree.reverse() if inward else tree, root)
        assert depth == nx.shortest_path_length(judge(network.system), root)


def test_tree_through_one_neighbour():
    network = NETWORKS["ring of 5"]
    for link in network.leaving[2]:
        tree = network.tree(2, first=link)
        assert tree[0] == link
        assert [network.sources[one] for one in tree].count(2) == 1
        assert len({network.targets[one] for one in tree}) == 4


def test_cut_through_stays_in_a_unit():
    network = Network(dragonfly(FULL))
    into = next(k for k in network.coming[0] if network.links[k].target.number == 3)
    found = {network.links[k].source.number: network.cuts_through(into, k) for k in network.leaving[0]}
    assert found == {port: port < 8 for port in range(11)}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ring(FULL, 1), "A ring of 1 is no network, it needs at least 2."),
        (lambda: dragonfly(FULL, 34), "A dragonfly of 34 nodes cannot be, 33 can be joined to each other."),
        (lambda: racks(FULL, 146), "A system of 146 racks cannot be, 145 can be joined to each other."),
    ],
)
def test_refusals(make, sentence):
    with pytest.raises(ConfigError, match=f"^{sentence}$"):
        make()
