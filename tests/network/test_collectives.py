"""Collectives bring about what their names say, no faster than their bounds and not much slower."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sw.network import bounds, collectives
from sw.network.collectives import exchange
from sw.network.graph import Network
from sw.network.prove import prove
from sw.network.schedule import Sum
from sw.network.topology import dragonfly, racks
from tests.network.interpreter import run
from tests.network.networks import COSTS, FULL, NETWORKS, any_network

ROOTED = ("broadcast", "scatter", "gather")
ALL = ("all_gather", "reduce_scatter", "all_reduce")
SEED = 4


def given_values(schedule):
    print("seed", SEED)
    values = np.random.default_rng(SEED).integers(0, 1 << 40, len(schedule.given))
    return dict(zip(schedule.given, values.tolist(), strict=True))


def expected(kind, chips, root, vectors, values):
    """Place by place what has to be there, as (chip, values that are one there)."""
    others = [chip for chip in range(chips) if chip != root]
    if kind == "broadcast":
        return {(chip, i): values[root, ("x", i)] for chip in others for i in range(vectors)}
    if kind == "scatter":
        return {(chip, i): values[root, ("x", chip, i)] for chip in others for i in range(vectors)}
    if kind == "gather":
        return {(chip, i): values[chip, ("x", chip, i)] for chip in others for i in range(vectors)}
    if kind == "all_gather":
        return {(a, b, i): values[b, ("x", b, i)] for a in range(chips) for b in range(chips) if a != b for i in range(vectors)}
    sums = [sum(values[chip, ("x", chip, i)] for chip in range(chips)) for i in range(vectors)]
    if kind == "reduce_scatter":
        return {(i % chips, i): sums[i] for i in range(vectors)}
    return {(chip, i): sums[i] for chip in range(chips) for i in range(vectors)}


def check(kind, network, root, vectors):
    args = (root, vectors) if kind in ROOTED else (vectors,)
    outcome = getattr(collectives, kind)(network, COSTS, *args)
    values = given_values(outcome.schedule)
    found = run(outcome.schedule, values)
    wanted = expected(kind, network.system.chips, root, vectors, values)
    assert sorted(found[goal] for goal in outcome.goals) == sorted(wanted.values())
    assert len(set(outcome.goals)) == len(wanted)
    assert prove(outcome.schedule, outcome.goals) == []
    assert outcome.cycles >= getattr(bounds, kind)(network, COSTS, *args)


@pytest.mark.parametrize("kind", [*ROOTED, *ALL])
@given(network=any_network, data=st.data(), vectors=st.integers(1, 12))
@settings(deadline=None, max_examples=25)
def test_collectives(kind, network, data, vectors):
    check(kind, network, data.draw(st.integers(0, network.system.chips - 1)), vectors)


@given(any_network, st.data(), st.integers(1, 40), st.booleans())
@settings(deadline=None)
def test_point_to_point_keeps_its_bound(network, data, vectors, spreading):
    source, far = data.draw(st.integers(0, network.system.chips - 1)), data.draw(st.integers(1, network.system.chips - 1))
    target = (source + far) % network.system.chips
    outcome = collectives.point_to_point(network, COSTS, source, target, vectors, spreading)
    assert prove(outcome.schedule, outcome.goals) == []
    assert outcome.cycles >= bounds.point_to_point(network, COSTS, source, target, vectors)


def test_minimal_point_to_point_in_a_node_by_hand():
    outcome = collectives.point_to_point(NETWORKS["node"], COSTS, 1, 6, 26, spreading=False)
    assert outcome.cycles == 25 * 41 + 27 + COSTS.receive


@pytest.mark.parametrize("vectors", [26, 205])
def test_all_reduce_in_a_node_is_near_its_bound(vectors):
    network = NETWORKS["node"]
    outcome = collectives.all_reduce(network, COSTS, vectors)
    assert outcome.cycles <= 1.3 * bounds.all_reduce(network, COSTS, vectors)


@pytest.mark.parametrize("width", [2, 4])
@given(network=any_network, groups=st.integers(1, 5))
@settings(deadline=None, max_examples=25)
def test_wide_numbers_are_added_where_all_their_bytes_are(network, groups, width):
    vectors, chips = width * groups, network.system.chips
    for kind in (collectives.reduce_scatter, collectives.all_reduce):
        outcome = kind(network, COSTS, vectors, width)
        values = given_values(outcome.schedule)
        found = run(outcome.schedule, values)
        assert prove(outcome.schedule, outcome.goals) == []
        sums = [sum(values[chip, ("x", chip, i)] for chip in range(chips)) for i in range(vectors)]
        scattered = kind is collectives.reduce_scatter
        places = [[i // width % chips] if scattered else range(chips) for i in range(vectors)]
        wanted = sorted((chip, total) for total, there in zip(sums, places, strict=True) for chip in there)
        assert sorted((goal[0], found[goal]) for goal in outcome.goals) == wanted
        added = [event for event in outcome.schedule.events if isinstance(event, Sum)]
        assert {len(event.names) for event in added} == {width}


def test_half_a_number_is_refused():
    with pytest.raises(ValueError, match=r"^6 vectors cannot be numbers of 4 vectors each\.$"):
        collectives.all_reduce(NETWORKS["node"], COSTS, 6, 4)


@pytest.mark.parametrize("vectors", [7, 70])
def test_broadcast_in_a_node_forwards(vectors):
    """Seven links bring seven vectors a frame; all but the first latency is hidden."""
    outcome = collectives.broadcast(NETWORKS["node"], COSTS, 2, vectors)
    assert outcome.cycles == (vectors // 7 - 1) * COSTS.frame + 2 * 27 + COSTS.receive


@pytest.mark.parametrize(
    ("network", "sizes", "hops"),
    [
        (NETWORKS["node"], (8,), 1),
        (NETWORKS["dragonfly"], (8, 24), 3),
        (Network(dragonfly(FULL)), (8, 264), 3),
        (Network(racks(FULL, 3)), (8, 72, 216), 7),
    ],
)
@pytest.mark.parametrize("vectors", [1, 2])
def test_exchange(network, sizes, hops, vectors):
    outcome = exchange(network, COSTS, vectors, sizes)
    values = given_values(outcome.schedule)
    found = run(outcome.schedule, values)
    chips = network.system.chips
    sums = [sum(values[chip, ("x", chip, i)] for chip in range(chips)) for i in range(vectors)]
    assert sorted((goal[0], found[goal]) for goal in outcome.goals) == sorted((c, s) for c in range(chips) for s in sums)
    assert prove(outcome.schedule, outcome.goals) == []
    if vectors == 1:
        # Every hop costs a link, a reception and a sum of two or more.
        assert hops * (27 + COSTS.receive + COSTS.sum(2)) <= outcome.cycles
        assert outcome.cycles <= hops * (74 + COSTS.receive + COSTS.sum(8) + COSTS.sum(2))
