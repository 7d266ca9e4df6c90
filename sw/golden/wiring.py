"""Who meets whom on the links of a system: what comes in is taken in the cycle in which it comes."""

from sw.arch.links import HAC_PERIOD, frame_words
from sw.arch.system import Port, System
from sw.golden.error import GoldenError
from sw.golden.links import Links, Sent


class Wiring:
    """Joins the ports of all chips: each RECEIVE gets the chip and the row of its vector.

    `offsets` gives for every chip the cycle of system time that its own cycle 0 is. System time is that of the chip whose
    DESKEW waits for nobody, and is 0 where the queues of that chip go on. Without DESKEW all chips begin together.
    `edges` are those between chips, as `sw.golden.graph.levels` takes them.
    """

    def __init__(self, system: System, chips: list[Links]):
        self._system, self._chips = system, chips
        self.offsets: dict[int, int] = {}
        self.edges: list[tuple[int, int, int, int]] = []
        for links in chips:
            self._check_turns(links)
        self._align_chips()
        for chip, links in enumerate(chips):
            self._join(chip, links)

    def _check_turns(self, links: Links) -> None:
        """A port sends one thing at a time."""
        free: dict[int, int] = {}
        for (port, cycle), sent in sorted(links.sent.items(), key=lambda item: item[0]):
            if cycle < free.get(port, 0):
                raise GoldenError(f"{links.where(sent.node)} comes while its port still sends.")
            free[port] = cycle + (1 if sent.mark else frame_words(self._system.config))

    def _align_chips(self) -> None:
        """Finds the offsets: those of roots first, then of chips that wait for a mark of one whose offset is known."""
        waiting = set(range(len(self._chips)))
        while waiting:
            known = {chip: at for chip in sorted(waiting) if (at := self._offset(chip, self._chips[chip])) is not None}
            if not known:
                raise GoldenError(f"DESKEW of chip {min(waiting)} waits for a mark that does not come.")
            self.offsets |= known
            waiting -= set(known)

    def _offset(self, chip: int, links: Links) -> int | None:
        if not links.deskews:
            return 0
        if len(links.deskews) > 1:
            raise GoldenError(f"{links.where(int(links.deskew_nodes[1]))} is the second DESKEW of chip {chip}.")
        ((port, _),) = links.deskews
        begin = int(links.released[0])
        if not links.waits[0]:
            return -begin
        link = self._system.to_port(Port(chip, port))
        if link is None or link.source.chip not in self.offsets:
            return None
        marks = [
            cycle
            for (number, cycle), sent in self._chips[link.source.chip].sent.items()
            if number == link.source.number and sent.mark
        ]
        if not marks:
            return None
        comes = min(marks) + self.offsets[link.source.chip] + link.latency
        # Queues need some cycles to go on, so the overflow is seen as early.
        return -(-(comes + int(links.trips[0])) // HAC_PERIOD) * HAC_PERIOD - begin

    def _join(self, chip: int, links: Links) -> None:
        aligned: dict[int, int] = {}
        for (port, cycle), i in links.aligned.items():
            aligned[port] = min(cycle, aligned.get(port, cycle))
            where = f"{links.where(int(links.align_nodes[i]))} of chip {chip}"
            if not self._coming(chip, port, cycle, where)[1].mark:
                raise GoldenError(f"{where} meets a frame instead of the mark.")
        for (port, cycle), i in links.taken.items():
            node = int(links.receive_nodes[i])
            where = f"{links.where(node)} of chip {chip}"
            if aligned.get(port, cycle) >= cycle:
                raise GoldenError(f"{where} comes before any ALIGN of its port.")
            source, sent = self._origin(chip, port, cycle, where)
            if sent.number != links.numbers[i]:
                other = self._chips[source].where(sent.node)
                raise GoldenError(f"{where} expects frame {links.numbers[i]}, {other} of chip {source} sent {sent.number}.")
            links.sources[i] = source, sent.row
            self.edges.append((source, sent.node, chip, node))

    def _origin(self, chip: int, port: int, cycle: int, where: str) -> tuple[int, Sent]:
        """The SEND whose frame begins at a port in a cycle, and its chip."""
        source, sent, at = self._coming(chip, port, cycle, where)
        while sent.forward is not None:
            source, sent, at = self._coming(source, sent.forward, at, where)
        if sent.mark:
            raise GoldenError(f"{where} meets the mark instead of a frame.")
        return source, sent

    def _coming(self, chip: int, port: int, cycle: int, where: str) -> tuple[int, Sent, int]:
        """What begins at a port in a cycle: which chip sent it, what it is, and in which cycle of that chip."""
        link = self._system.to_port(Port(chip, port))
        if link is None:
            raise GoldenError(f"{where} finds no link at {Port(chip, port)}.")
        source = link.source.chip
        at = cycle + self.offsets[chip] - link.latency - self.offsets[source]
        sent = self._chips[source].sent.get((link.source.number, at))
        if sent is None:
            raise GoldenError(f"{where} meets nothing, {link.source} begins to send nothing in its cycle {at}.")
        return source, sent, at
