"""Routes, judged by networkx."""

import networkx as nx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sw.network.routes import minimal, spread
from tests.network.networks import NETWORKS, any_network


def chips(network, route):
    return [network.sources[route[0]], *(network.targets[link] for link in route)]


@given(any_network, st.data())
def test_minimal_routes_are_all_shortest_paths(network, data):
    source, target = (data.draw(st.integers(0, network.system.chips - 1)) for _ in range(2))
    assume(source != target)
    graph = nx.MultiDiGraph(zip(network.sources, network.targets, strict=True))
    expected = {tuple(path) for path in nx.all_shortest_paths(graph, source, target)}
    found = minimal(network, source, target, limit=1000)
    assert {tuple(chips(network, route)) for route in found} == expected
    assert len(set(found)) == len(found)


@given(any_network, st.data())
def test_spread_routes_lead_there_by_different_neighbours(network, data):
    source, target = (data.draw(st.integers(0, network.system.chips - 1)) for _ in range(2))
    assume(source != target)
    shortest = minimal(network, source, target)
    found = spread(network, source, target)
    assert found[: len(shortest)] == shortest
    for route in found:
        walked = chips(network, route)
        assert (walked[0], walked[-1]) == (source, target)
        assert len(set(walked)) == len(walked)
        assert all(network.sources[b] == network.targets[a] for a, b in zip(route, route[1:], strict=False))


def test_a_node_has_one_minimal_and_six_longer_routes():
    found = spread(NETWORKS["node"], 2, 5)
    assert [len(route) for route in found] == [1] + [2] * 6


def test_no_route_to_itself():
    with pytest.raises(ValueError, match=r"^A route from chip 3 to itself has no links\.$"):
        minimal(NETWORKS["node"], 3, 3)
