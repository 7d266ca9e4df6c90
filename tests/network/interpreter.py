"""Runs a schedule's events on numbers, cycle by cycle, without a look at how the schedule was made."""

from sw.network.schedule import Forward, Receive, Schedule, Send


def run(schedule: Schedule, values: dict) -> dict:
    """What every chip has in the end by (chip, name), from the `values` that it has before. AssertionError for what no
    machine could do, KeyError for what is not there."""
    links, costs = schedule.network.links, schedule.costs
    unit = schedule.network.system.config.c2c.links
    wire, free, taken, sums = {}, {}, set(), {}
    # Place -> cycle on a stream, cycle from which it can be sent, value.
    has = {place: (schedule.given[place], schedule.given[place], value) for place, value in values.items()}
    # What stands at a port comes before what goes out in the same cycle.
    for event in sorted(schedule.events, key=lambda event: (event.cycle, isinstance(event, (Send, Forward)))):
        if isinstance(event, (Send, Forward)):
            link = links[event.link]
            assert free.get(event.link, 0) <= event.cycle, f"{event} while the link is busy"
            free[event.link] = event.cycle + costs.frame
            if isinstance(event, Send):
                _, ready, value = has[link.source.chip, event.name]
                assert ready <= event.cycle, f"{event} before cycle {ready}"
            else:
                came = links[event.came].target
                assert (came.chip, came.number // unit) == (link.source.chip, link.source.number // unit)
                value = wire[event.came, event.cycle]
                taken.add((event.came, event.cycle))
            wire[event.link, event.cycle + link.latency] = value
        elif isinstance(event, Receive):
            place, stream = (links[event.link].target.chip, event.name), event.cycle + costs.receive
            taken.add((event.link, event.cycle))
            if place not in has or has[place][0] > stream:
                has[place] = (stream, stream + costs.cross, wire[event.link, event.cycle])
        else:
            for name, same in zip(event.names, event.parts, strict=True):
                parts = [has[event.chip, part] for part in same]
                has[event.chip, name] = (event.cycle, event.cycle, sum(value for _, _, value in parts))
            assert all(abs(event.cycle - other) >= costs.apart for other in sums.setdefault(event.chip, [])), f"{event} close"
            sums[event.chip].append(event.cycle)
            last = max(has[event.chip, part][0] for same in event.parts for part in same)
            assert last + costs.sum(len(event.parts[0])) <= event.cycle, f"{event} too early"
    assert wire.keys() == taken, "a frame that nobody takes"
    return {place: value for place, (_, _, value) in has.items()}
