"""Random traffic: transfers between any chips at any time, broadcasts, and sums of what comes with what is there."""

import numpy as np

from sw.network.collectives import Outcome
from sw.network.costs import Costs
from sw.network.graph import Network
from sw.network.moves import Transfer, transfer
from sw.network.schedule import Schedule


def random_traffic(network: Network, costs: Costs, seed: int, steps: int, width: int = 1) -> Outcome:
    """So many steps, each of them vectors from a chip to another (`width` at a time), a broadcast, or a vector sent on with
    a number of its target added to it. All that comes about is a goal."""
    print("seed", seed)
    rng, chips = np.random.default_rng(seed), network.system.chips
    schedule, goals = Schedule(network, costs), []
    for step in range(steps):
        source = int(rng.integers(chips))
        target = int((source + rng.integers(1, chips)) % chips)
        names = tuple((step, source, k) for k in range(width * int(rng.integers(1, 3))))
        ready = int(rng.integers(0, 200))
        kind = rng.integers(4)
        if kind == 0:
            schedule.start(source, names[0], ready)
            schedule.grow(names[0], network.tree(source))
            goals += [(chip, names[0]) for chip in range(chips) if chip != source]
            continue
        transfer(schedule, [Transfer(names, source, target, ready)], spreading=bool(rng.integers(2)))
        goals += [(target, name) for name in names]
        if kind == 1:
            own, total = ([(what, step, k) for k in range(width)] for what in ("own", "total"))
            for name in own:
                schedule.start(target, name)
            schedule.add(target, total, list(zip(names[:width], own, strict=True)))
            back = int((target + rng.integers(1, chips)) % chips)
            transfer(schedule, [Transfer(tuple(total), target, back)])
            goals += [(back, name) for name in total]
    return Outcome(schedule, tuple(goals))
