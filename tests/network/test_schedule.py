"""Random transfers: all arrive unchanged, and proofs find what is damaged."""

import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sw.arch.system import Port, System, cables
from sw.network.collectives import all_reduce
from sw.network.graph import Network
from sw.network.moves import Transfer, transfer
from sw.network.prove import prove
from sw.network.schedule import Forward, Receive, Schedule, Send, Sum
from sw.network.topology import dragonfly
from tests.network.interpreter import run
from tests.network.networks import COSTS, FULL, NETWORKS, any_network

SEED = 10440


@st.composite
def traffic(draw):
    network = draw(any_network)
    chip = st.integers(0, network.system.chips - 1)
    ends = draw(st.lists(st.tuples(chip, chip, st.integers(1, 6), st.integers(0, 300)), min_size=1, max_size=12))
    wanted = [(source, target, count, ready) for source, target, count, ready in ends if source != target]
    assume(wanted)
    return network, [
        Transfer(tuple((k, i) for i in range(count)), source, target, ready)
        for k, (source, target, count, ready) in enumerate(wanted)
    ]


@given(traffic(), st.booleans())
@settings(deadline=None)
def test_every_vector_arrives_unchanged(made, spreading):
    network, transfers = made
    schedule = Schedule(network, COSTS)
    last = transfer(schedule, transfers, spreading)
    values = {(one.source, name): hash(name) for one in transfers for name in one.names}
    found = run(schedule, values)
    goals = [(one.target, name) for one in transfers for name in one.names]
    assert all(found[target, name] == hash(name) for target, name in goals)
    assert prove(schedule, goals) == []
    assert last == max(event.cycle + COSTS.receive for event in schedule.events if isinstance(event, Receive))


def test_one_vector_over_two_units_by_hand():
    """Link of 27 cycles in the node, received, across the chip, link of 37 to the other node, received."""
    network = Network(dragonfly(FULL, 33))
    schedule = Schedule(network, COSTS)
    # Node 9 hangs on chip 0's second global port, in the east unit.
    schedule.start(3, "x", 100)
    over = [next(k for k in network.leaving[3] if network.targets[k] == 0)]
    over.append(next(k for k in network.leaving[0] if network.links[k].source.number == 8))
    arrival = schedule.send("x", tuple(over))
    sent = 100 + 27 + COSTS.receive + COSTS.cross
    assert arrival == sent + 37 + COSTS.receive
    assert schedule.events == [
        Send(over[0], 100, "x"),
        Receive(over[0], 127, "x"),
        Send(over[1], sent, "x"),
        Receive(over[1], sent + 37, "x"),
    ]


def test_one_vector_cut_through_by_hand():
    network = NETWORKS["node"]
    schedule = Schedule(network, COSTS)
    schedule.start(0, "x")
    over = tuple(next(k for k in network.leaving[a] if network.targets[k] == b) for a, b in ((0, 1), (1, 2)))
    assert schedule.send("x", over) == 54 + COSTS.receive
    assert schedule.events == [Send(over[0], 0, "x"), Forward(over[1], 27, over[0]), Receive(over[1], 54, "x")]


def test_a_target_without_a_way_is_named():
    network = Network(System(FULL, 3, cables([(Port(0, 0), Port(1, 0))], 24)))
    with pytest.raises(ValueError, match=r"^No way leads from chip 0 to chip 2\.$"):
        transfer(Schedule(network, COSTS), [Transfer(("x",), 0, 2)])


def _reduced():
    return all_reduce(NETWORKS["node"], COSTS, 26)


def _damaged(change):
    outcome = _reduced()
    rng = random.Random(SEED)
    change(outcome.schedule.events, rng)
    return prove(outcome.schedule, outcome.goals)


def _drop(kind):
    def change(events, rng):
        events.remove(rng.choice([event for event in events if isinstance(event, kind)]))

    return change


def _move(kind, by):
    def change(events, rng):
        event = rng.choice([event for event in events if isinstance(event, kind)])
        events[events.index(event)] = event._replace(cycle=event.cycle + by)

    return change


def _rename(events, rng):
    event = rng.choice([event for event in events if isinstance(event, Receive)])
    events[events.index(event)] = event._replace(name="another")


def _twice(events, rng):
    event = rng.choice([event for event in events if isinstance(event, Send)])
    events.append(event._replace(cycle=event.cycle + 1))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_drop(Send), "brings no frame in cycle"),
        (_drop(Receive), "that nobody takes"),
        (_drop(Sum), "before it can"),
        (_move(Send, 1), "brings no frame in cycle"),
        (_move(Receive, -1), "that nobody takes"),
        (_move(Sum, -1), "too early"),
        (_rename, "but what stands there is"),
        (_twice, "a frame takes 41"),
    ],
)
def test_damage_is_found(change, sentence):
    print("seed", SEED)
    assert prove((good := _reduced()).schedule, good.goals) == []
    assert any(sentence in one for one in _damaged(change))


def test_a_goal_that_is_not_reached_is_named():
    outcome = _reduced()
    assert prove(outcome.schedule, [(3, "nothing")]) == ["Chip 3 never has nothing."]


def test_forward_between_units_is_refused():
    network = Network(dragonfly(FULL, 33))
    schedule = Schedule(network, COSTS)
    into = next(k for k in network.coming[0] if network.links[k].target.number == 0)
    out = next(k for k in network.leaving[0] if network.links[k].source.number == 9)
    schedule.given[network.sources[into], "x"] = 0
    schedule.events += [Send(into, 0, "x"), Forward(out, 27, into), Receive(out, 64, "x")]
    (found,) = prove(schedule, [])
    assert found.endswith("cannot pass on what stands at a port of another unit.")
