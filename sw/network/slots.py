"""Cycles in which links, or vector units, are taken."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence


class Slots:
    """For every directed link the stretches of cycles in which frames of `frame` words go out; none twice. For sums: for every
    chip those in which no other sum ends.

    Neighbouring stretches become one, so a link that sends without a gap is looked up in one step.
    """

    def __init__(self, frame: int):
        self._frame = frame
        self._begins: dict[int, list[int]] = defaultdict(list)
        self._ends: dict[int, list[int]] = defaultdict(list)

    def earliest(self, link: int, cycle: int) -> int:
        """The first cycle from `cycle` on in which a frame can begin."""
        begins, ends = self._begins[link], self._ends[link]
        place = bisect_right(begins, cycle)
        if place and ends[place - 1] > cycle:
            cycle = ends[place - 1]
        while place < len(begins) and begins[place] < cycle + self._frame:
            cycle = ends[place]
            place += 1
        return cycle

    def together(self, links: Sequence[int], offsets: Sequence[int], cycle: int) -> int:
        """The first cycle c from `cycle` on so that a frame can begin on each link in c plus its offset."""
        settled = False
        while not settled:
            settled = True
            for link, offset in zip(links, offsets, strict=True):
                found = self.earliest(link, cycle + offset) - offset
                if found > cycle:
                    cycle, settled = found, False
        return cycle

    def take(self, link: int, cycle: int) -> None:
        """Takes the link for the frame that begins in `cycle`; ValueError if it is taken."""
        if self.earliest(link, cycle) != cycle:
            raise ValueError(f"Link {link} is not free for {self._frame} cycles from cycle {cycle} on.")
        begins, ends, end = self._begins[link], self._ends[link], cycle + self._frame
        place = bisect_right(begins, cycle)
        joins_last = place and ends[place - 1] == cycle
        joins_next = place < len(begins) and begins[place] == end
        if joins_last and joins_next:
            ends[place - 1] = ends.pop(place)
            begins.pop(place)
        elif joins_last:
            ends[place - 1] = end
        elif joins_next:
            begins[place] = cycle
        else:
            begins.insert(place, cycle)
            ends.insert(place, end)
