"""What happens to frames of a schedule, chip by chip, and the numbers that they have."""

from collections import defaultdict

from sw.network.schedule import Forward, Receive, Schedule, Send, Sum

#: Numbers of frames.
NUMBERS = 4096
#: A step of a schedule.
Event = Send | Forward | Receive | Sum


def numbers(schedule: Schedule) -> dict[tuple[int, int], int]:
    """The number of every frame by link and the cycle in which it stands at its end; each port counts what it sends, and a
    frame that is passed on keeps its number."""
    counts: dict[int, int] = defaultdict(int)
    found: dict[tuple[int, int], int] = {}
    latencies, forward = schedule.network.latencies, schedule.costs.forward
    leaving = [event for event in schedule.events if isinstance(event, (Send, Forward))]
    for event in sorted(leaving, key=lambda event: event.cycle):
        if isinstance(event, Send):
            number = counts[event.link] % NUMBERS
            counts[event.link] += 1
        else:
            number = found[event.came, event.cycle - forward]
        found[event.link, event.cycle + latencies[event.link]] = number
    return found


def by_chip(schedule: Schedule) -> dict[int, list[Event]]:
    """What happens at every chip, in order of time."""
    found: dict[int, list[Event]] = defaultdict(list)
    sources, targets = schedule.network.sources, schedule.network.targets
    for event in sorted(schedule.events, key=lambda event: event.cycle):
        if isinstance(event, Sum):
            chip = event.chip
        else:
            chip = targets[event.link] if isinstance(event, Receive) else sources[event.link]
        found[chip].append(event)
    return found
