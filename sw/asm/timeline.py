"""What every queue issues, and when: an image unrolled into bursts."""

import heapq
from dataclasses import dataclass

from sw.arch.floorplan import Queue, floorplan
from sw.asm.burst import Burst, check_copies
from sw.asm.fetch import FetchError, Row, TextReader
from sw.asm.image import Image
from sw.isa.codec import EncodeError, decode
from sw.isa.rows.icu import fetch_words
from sw.isa.spec import Word


class TimelineError(ValueError):
    """An image whose queues do not run to their HALTs; the text names queue, word and cycle."""

    def __init__(self, sentence: str, queue: Queue, cycle: int):
        super().__init__(sentence)
        self.queue, self.cycle = queue, cycle


@dataclass(frozen=True, eq=False)
class Timeline:
    """One iteration of an image, in superlane-0 cycles from its cycle 0.

    `bursts` are ordered by start, then by queue. `halts` gives the issue cycle of every queue's HALT by queue
    name, `texts` the rows of memory that the IFETCHes of a queue took, beat by beat, where there are any.
    """

    image: Image
    bursts: tuple[Burst, ...]
    halts: dict[str, int]
    texts: dict[str, tuple[tuple[Row, Row], ...]]

    @property
    def cycles(self) -> int:
        """T: one more than the issue cycle of the last HALT."""
        return 1 + max(self.halts.values())


def timeline(image: Image) -> Timeline:
    """Runs the queues of an image. TimelineError in a sentence if one of them cannot reach HALT."""
    return _Runner(image).run()


class _State:
    """One queue on its way: the words known so far, and which of them issues next and when."""

    def __init__(self, queue: Queue, words: list[Word], mask: int):
        self.queue, self.words, self.mask = queue, words, mask
        self.boot = len(words)
        #: Cycle from which a word may issue, for words behind the boot part.
        self.ready: list[int] = []
        self.at = 0
        self.now = 0

    def ready_at(self, index: int) -> int:
        """The cycle from which word `index` may issue."""
        return self.ready[index - self.boot] if index >= self.boot else 0


class _Runner:
    def __init__(self, image: Image):
        self.image, self.c = image, image.config
        self.reader = TextReader(image)
        self.decoded: dict[tuple[str, int], Word] = {}
        self.bursts: list[Burst] = []
        self.halts: dict[str, int] = {}
        self.texts: dict[str, list[tuple[Row, Row]]] = {}
        self.parked: list[_State] = []
        full = (1 << self.c.superlanes) - 1
        self.states = [
            _State(queue, [self._decode(queue, number) for number in image.boot[queue.name]], full)
            for queue in floorplan(self.c).queues
        ]

    def run(self) -> Timeline:
        # A landing NOTIFY, as queue -1, comes before the queues of its cycle: who parks in it stays parked.
        events = [(0, state.queue.index) for state in self.states]
        while events:
            now, index = heapq.heappop(events)
            if index < 0:
                for state in self.parked:
                    state.now = now
                    heapq.heappush(events, (now, state.queue.index))
                self.parked = []
                continue
            state = self.states[index]
            burst = self._issue(state)
            name = burst.word[0].instr.name if burst else "NOP"
            if burst and burst.word[0].instr.releases:
                landing = burst.word[0].timing(self.c).d_func
                for k in range(burst.count):
                    heapq.heappush(events, (burst.start + k * burst.gap + landing, -1))
            if name == "SYNC":
                self.parked.append(state)
            elif name == "HALT":
                self.halts[state.queue.name] = now
            else:
                heapq.heappush(events, (state.now, index))
        for state in self.parked:
            raise self._error(state, state.now - 1, "is parked by SYNC for ever, no NOTIFY lands after it")
        self.bursts.sort(key=lambda burst: (burst.start, burst.queue.index))
        halts = {state.queue.name: self.halts[state.queue.name] for state in self.states}
        texts = {name: tuple(rows) for name, rows in self.texts.items()}
        return Timeline(self.image, tuple(self.bursts), halts, texts)

    def _issue(self, state: _State) -> Burst | None:
        """Issues the next word of a queue, with its copies, and moves the queue on; None for a NOP."""
        now, word = state.now, self._next(state)
        name = word[0].instr.name
        if name == "REPEAT":
            raise self._error(state, now, "has a REPEAT that follows no word that can be repeated")
        state.at += 1
        if name == "NOP":
            state.now += word[0]["n"]
            return None
        count, gap = self._copies(state, word)
        burst = Burst(state.queue, word, now, count, gap, state.mask)
        state.now = burst.last + 1
        self.bursts.append(burst)
        if name == "CONFIG":
            state.mask = word[0]["mask"]
        elif name == "IFETCH":
            self._fetch(state, burst)
        else:
            self.reader.record(burst)
        return burst

    def _next(self, state: _State) -> Word:
        if state.at >= len(state.words):
            raise self._error(
                state, state.now, f"runs dry, it has {state.at} words and none of them is a HALT in time"
            )
        ready = state.ready_at(state.at)
        if ready > state.now:
            raise self._error(
                state,
                state.now,
                f"runs dry, word {state.at} comes by IFETCH and may issue from cycle {ready} on",
            )
        return state.words[state.at]

    def _copies(self, state: _State, word: Word) -> tuple[int, int]:
        """Count and gap of a burst whose word has just been taken; takes the REPEAT behind it."""
        if state.at >= len(state.words) or state.words[state.at][0].instr.name != "REPEAT":
            return 1, 1
        if not all(op.instr.repeatable for op in word):
            return 1, 1
        repeat, ready = state.words[state.at][0], state.ready_at(state.at)
        if ready > state.now:
            raise self._error(
                state,
                state.now,
                f"issues a word whose REPEAT comes by IFETCH and is there from cycle {ready} on",
            )
        try:
            check_copies(word, repeat["n"], state.queue.cls, self.c)
        except EncodeError as error:
            raise self._error(state, state.now, f"cannot go on: {error}") from error
        state.at += 1
        return repeat["n"] + 1, repeat["gap"]

    def _fetch(self, state: _State, burst: Burst) -> None:
        ring = self.c.queue_words - state.boot
        waiting = len(state.words) - max(state.at, state.boot)
        if waiting + fetch_words(self.c) > ring:
            raise self._error(
                state,
                burst.start,
                f"overflows: IFETCH brings {fetch_words(self.c)} words, {waiting} wait in a ring of {ring}",
            )
        try:
            numbers, rows = self.reader.fetch(burst)
        except FetchError as error:
            raise self._error(state, burst.start, f"fetches no program text: {error}") from error
        self.texts.setdefault(state.queue.name, []).extend(rows)
        for number in numbers:
            try:
                state.words.append(self._decode(state.queue, number))
            except EncodeError as error:
                raise self._error(
                    state, burst.start, f"fetches a word that is no instruction: {error}"
                ) from error
            state.ready.append(burst.start + burst.word[0].timing(self.c).d_func)

    def _decode(self, queue: Queue, number: int) -> Word:
        key = queue.cls, number
        if key not in self.decoded:
            self.decoded[key] = decode(number, queue.cls, self.c)
        return self.decoded[key]

    def _error(self, state: _State, cycle: int, what: str) -> TimelineError:
        end = "" if what.endswith(".") else "."
        return TimelineError(f"Queue {state.queue.name} at cycle {cycle} {what}{end}", state.queue, cycle)
