"""The host bus past the stops: requests run west to east, answers follow in the same order.

A request stands at a stop for one cycle; the unit that it names answers into the chain ANSWER_DELAY cycles later, so that
answers never meet.
"""

from hdl.host.bus import BusShape, HostBus
from sw.arch.config import Config
from sw.arch.floorplan import floorplan

ANSWER_DELAY = 2
"""Cycles from a request at a stop to the answer of a unit there."""


def bus_shape(c: Config) -> BusShape:
    """What stands behind the host bus of a configuration."""
    plan = floorplan(c)
    return BusShape(
        lanes=c.lanes,
        superlanes=c.superlanes,
        slices=len(plan.slices),
        words=c.mem.words,
        queues=len(plan.queues),
        queue_words=c.queue_words,
        units=len(plan.units),
        ecc=c.ecc.streams,
    )


def request(c: Config):
    """Signature of a request."""
    return HostBus(bus_shape(c)).members["request"].signature


def answer(c: Config):
    """Signature of an answer."""
    return HostBus(bus_shape(c)).members["answer"].signature.flip()
