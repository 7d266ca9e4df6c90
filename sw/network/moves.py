"""Vectors that have to go from a chip to another."""

from collections.abc import Iterable
from dataclasses import dataclass

from sw.network.routes import minimal, spread
from sw.network.schedule import Name, Schedule


@dataclass(frozen=True)
class Transfer:
    """Vectors `names` of chip `source`, each to be sent from cycle `ready` on, wanted by chip `target`."""

    names: tuple[Name, ...]
    source: int
    target: int
    ready: int = 0


def transfer(schedule: Schedule, transfers: Iterable[Transfer], spreading: bool = True) -> int:
    """Schedules transfers, those that are ready first before others, each vector over the route on which it arrives first:
    of minimal ones only, or with `spreading` of longer ones too. What the source has by another step need not be ready.

    Returns
    -------
    Cycle in which the last vector stands on a stream of its target.

    ValueError where no way leads from source to target. The time is linear in vectors, routes and their length, times the
    logarithm of what stands on a link.
    """
    network, ways, last = schedule.network, spread if spreading else minimal, 0
    found = {}
    for one in sorted(transfers, key=lambda one: one.ready):
        ends = (one.source, one.target)
        if ends not in found:
            found[ends] = ways(network, *ends)
        if not found[ends]:
            raise ValueError(f"No way leads from chip {one.source} to chip {one.target}.")
        for name in one.names:
            if not schedule.has(one.source, name):
                schedule.start(one.source, name, one.ready)
            last = max(last, schedule.send_best(name, found[ends]))
    return last
