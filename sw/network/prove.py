"""An independent check of a schedule: it looks at events only, and at no state that the scheduler kept."""

from collections import defaultdict
from collections.abc import Iterable

from sw.network.costs import Costs
from sw.network.graph import Network
from sw.network.schedule import Forward, Name, Receive, Schedule, Send, Sum


def prove(schedule: Schedule, goals: Iterable[tuple[int, Name]]) -> list[str]:
    """Everything that is wrong, a sentence each; empty if no link is used twice in a cycle, no two sums of a
    chip are too close to each other, every SEND and FORWARD meets a
    FORWARD or RECEIVE when it arrives and none of those waits for nothing, nothing is sent or added before it is in the
    chip, what is received is what was sent, and every (chip, name) of `goals` comes about."""
    found = _exclusive(schedule)
    found += _meetings(schedule)
    return found + _held(schedule.network, schedule.costs, schedule, goals)


def _exclusive(schedule: Schedule) -> list[str]:
    used, sums = defaultdict(list), defaultdict(list)
    for event in schedule.events:
        if isinstance(event, (Send, Forward)):
            used[event.link].append(event.cycle)
        elif isinstance(event, Sum):
            sums[event.chip].append(event.cycle)
    found = []
    for chip, cycles in sums.items():
        cycles.sort()
        for first, then in zip(cycles, cycles[1:], strict=False):
            if then - first < schedule.costs.apart:
                found.append(f"Chip {chip} has sums in cycles {first} and {then}, they are {schedule.costs.apart} apart.")
    for link, cycles in used.items():
        cycles.sort()
        for first, then in zip(cycles, cycles[1:], strict=False):
            if then - first < schedule.costs.frame:
                found.append(
                    f"{_link(schedule, link)} sends in cycles {first} and {then}, a frame takes {schedule.costs.frame}."
                )
    return found


def _meetings(schedule: Schedule) -> list[str]:
    """Frames that nobody takes, and takers that no frame meets."""
    latencies, forward = schedule.network.latencies, schedule.costs.forward
    stands, takers = set(), defaultdict(list)
    for event in schedule.events:
        if isinstance(event, (Send, Forward)):
            stands.add((event.link, event.cycle + latencies[event.link]))
        if isinstance(event, Receive):
            takers[event.link, event.cycle].append(event)
        if isinstance(event, Forward):
            takers[event.came, event.cycle - forward].append(event)
    lost = stands - set(takers)
    found = [f"{_link(schedule, link)} brings a frame in cycle {cycle} that nobody takes." for link, cycle in lost]
    for (link, cycle), events in takers.items():
        if (link, cycle) not in stands:
            found.append(f"{_link(schedule, link)} brings no frame in cycle {cycle}, but {_kinds(events)} takes one.")
        if sum(isinstance(event, Receive) for event in events) > 1:
            found.append(f"{_link(schedule, link)} has two RECEIVEs in cycle {cycle}.")
        for event in events:
            if isinstance(event, Forward) and not schedule.network.cuts_through(link, event.link):
                found.append(f"{_link(schedule, event.link)} cannot pass on what stands at a port of another unit.")
    return found


def _held(network: Network, costs: Costs, schedule: Schedule, goals: Iterable[tuple[int, Name]]) -> list[str]:
    """Follows the names from where they are given."""
    carried: dict[tuple[int, int], Name] = {}
    on_stream, ready = dict(schedule.given), dict(schedule.given)
    found = []
    # In order of time; of one cycle, what comes off a link before what goes out.
    for event in sorted(schedule.events, key=lambda event: (event.cycle, isinstance(event, (Send, Forward)))):
        if isinstance(event, Send):
            chip = network.sources[event.link]
            if ready.get((chip, event.name), event.cycle + 1) > event.cycle:
                found.append(f"Chip {chip} sends {event.name} in cycle {event.cycle}, before it can.")
            carried[event.link, event.cycle + network.latencies[event.link]] = event.name
        elif isinstance(event, Forward):
            name = carried.get((event.came, event.cycle - costs.forward))
            carried[event.link, event.cycle + network.latencies[event.link]] = name
        elif isinstance(event, Receive):
            chip, name = network.targets[event.link], carried.get((event.link, event.cycle))
            if name != event.name:
                found.append(f"Chip {chip} takes {event.name} in cycle {event.cycle}, but what stands there is {name}.")
            stream = event.cycle + costs.receive
            on_stream[chip, event.name] = min(stream, on_stream.get((chip, event.name), stream))
            again = on_stream[chip, event.name] + costs.cross
            ready[chip, event.name] = min(again, ready.get((chip, event.name), again))
        else:
            found += _sum(event, on_stream, costs)
            for name in event.names:
                on_stream[event.chip, name] = ready[event.chip, name] = event.cycle
    return found + [f"Chip {chip} never has {name}." for chip, name in goals if (chip, name) not in on_stream]


def _sum(event: Sum, on_stream: dict[tuple[int, Name], int], costs: Costs) -> list[str]:
    needed = event.cycle - costs.sum(len(event.parts[0]))
    return [
        f"Chip {event.chip} adds {part} to {name}, ready in cycle {event.cycle}, which is too early for it."
        for name, parts in zip(event.names, event.parts, strict=True)
        for part in parts
        if on_stream.get((event.chip, part), needed + 1) > needed
    ]


def _link(schedule: Schedule, link: int) -> str:
    ends = schedule.network.links[link]
    return f"The link from {ends.source} to {ends.target}"


def _kinds(events: list) -> str:
    return " and ".join(sorted({type(event).__name__.upper() for event in events}))
