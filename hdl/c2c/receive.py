"""The receive half of a port: collects a frame, mends it, and hands it to the superlanes."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.c2c.code import STATE, Place, step
from hdl.lib.pipe import delay
from sw.arch.config import Config
from sw.arch.frame import NUMBERS, VECTOR
from sw.arch.hostmap import Fault
from sw.arch.links import frame_words


class Receive(wiring.Component):
    """Takes the words of a frame from the cycle of `receive` on; what it finds comes `frame_words + 3` cycles later.

    Members
    -------
    word, state : In
        What stands at the port (see `hdl.c2c.elastic`).
    receive, number, tag : In
        A frame begins; the number that it has to have; what goes along with it.
    result_r, valid_r, tag_r : Out
        Superlane r's bytes, `frame_words + 3 + r` cycles behind `receive`.
    mended : Out(2), fault : Out(Fault)
        Codewords that were corrected; what is wrong with the frame.
    passed : In(1)
        A frame begins that is passed on; what comes in the middle of another frame is left alone.
    damaged : Out(1)
        A frame that is passed on has wrong bytes, a cycle behind its last word.
    """

    def __init__(self, c: Config, tag_bits: int):
        self.config, self.tag_bits = c, tag_bits
        super().__init__({
            "word": In(8 * c.c2c.link_bytes),
            "state": In(Fault),
            "receive": In(1),
            "number": In(range(NUMBERS)),
            "tag": In(tag_bits),
            **{f"result_{r}": Out(8 * c.lanes) for r in range(c.superlanes)},
            **{f"valid_{r}": Out(1) for r in range(c.superlanes)},
            **{f"tag_{r}": Out(tag_bits) for r in range(c.superlanes)},
            "mended": Out(2),
            "fault": Out(Fault),
            "passed": In(1),
            "damaged": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        c, size = self.config, self.config.c2c.link_bytes
        words, payload = frame_words(c), self.config.vl // size
        at, here = Signal(range(words + 1), init=words), Signal(range(words + 1))
        m.d.comb += here.eq(Mux(self.receive | (self.passed & (at == words)), 0, at))
        busy = here != words
        # What becomes of the frame.
        taken, through, taken_before, through_before = (
            Signal(name=name) for name in ("taken", "through", "taken_before", "through_before")
        )
        m.d.comb += [
            taken.eq(Mux(here == 0, self.receive, taken_before)),
            through.eq(Mux(here == 0, self.passed, through_before)),
        ]
        m.d.sync += [taken_before.eq(taken), through_before.eq(through)]
        # Frames come back to back, and a superlane is read up to a frame's time after its words came.
        turn, header = Signal(), Signal(16)
        stores = [Signal(8 * c.vl, name=f"frame_{k}", reset_less=True) for k in range(2)]
        with m.If(busy):
            m.d.sync += at.eq(here + 1)
            with m.If(taken & (self.state != Fault.NONE)):
                m.d.comb += self.fault.eq(self.state)
        with m.If(here == words - 1):
            m.d.sync += turn.eq(~turn)
        with m.If(here == payload):
            m.d.sync += header.eq(self.word[:16])
        for k, store in enumerate(stores):
            with m.If(turn == k):
                for word in range(payload):
                    with m.If(here == word):
                        m.d.sync += store.word_select(word, 8 * size).eq(self.word)

        # The parity stands inverted in the words behind the payload.
        upright = Signal.like(self.word)
        m.d.comb += upright.eq(self.word)
        for k in range(payload, words):
            inverted = Const((1 << 8 * size) - 1 - (0xFFFF if k == payload else 0), 8 * size)
            with m.If(here == k):
                m.d.comb += upright.eq(self.word ^ inverted)
        places, checked = [], Signal()
        m.d.sync += checked.eq(through & (here == words - 1))
        for half in range(2):
            state = Signal(STATE, name=f"syndromes_{half}")
            bytes_ = Cat(upright[k : k + 8] for k in range(8 * half, 8 * size, 16))
            with m.If(busy):
                m.d.sync += state.eq(step(m, Mux(here == 0, 0, state), bytes_))
            place = Place(c.vl // 2 + 4)
            m.submodules[f"place_{half}"] = place
            m.d.comb += place.syndromes.eq(state)
            places.append(place)
        m.d.comb += self.damaged.eq(checked & Cat(place.syndromes.any() for place in places).any())
        valid, way = delay(m, self.receive, Cat(self.number, self.tag), words + 2, "receive")
        header_2, turn_2 = header, turn
        for k in range(2):
            later = Signal(17, name=f"ended_{k}", reset_less=True)
            m.d.sync += later.eq(Cat(header_2, turn_2))
            header_2, turn_2 = later[:16], later[16]
        self._judge(m, valid, way[: len(self.number)], header_2, places)
        self._mend(m, valid, way[len(self.number) :], ~turn_2, stores, places)
        return m

    def _judge(self, m: Module, valid, number, header, places: list[Place]) -> None:
        """A frame that is lost, or another than was expected, is a fault."""
        last = self.config.vl // 2 + 3
        flips = [Mux(place.place == last - self.config.vl // 2, place.flip, 0) for place in places]
        right = Cat(Const(VECTOR, 4), number)
        lost = Cat(place.lost for place in places).any()
        with m.If(valid):
            m.d.comb += self.mended.eq(Cat(place.flip.any() for place in places))
            with m.If(lost | ((header ^ Cat(flips)) != right)):
                m.d.comb += self.fault.eq(Fault.LINK_FRAME)

    def _mend(self, m: Module, valid, tag, turn, stores: list, places: list[Place]) -> None:
        """Goes north with the stagger, and puts the wrong byte right in the superlane that has it."""
        c = self.config
        last = c.vl // 2 + 3
        begins = Cat(tag, turn, *(Cat(place.place, place.flip) for place in places))
        token = Signal(len(begins))
        m.d.comb += token.eq(begins)
        for r in range(c.superlanes):
            if r:
                valid, token = delay(m, valid, token, 1, f"north_{r}")
            wrong = token[len(tag) + 1 :]
            lanes = slice(8 * c.lanes * r, 8 * c.lanes * (r + 1))
            frame = Mux(token[len(tag)], stores[1][lanes], stores[0][lanes])
            flips = []
            for lane in range(c.lanes):
                byte = c.lanes * r + lane
                place, flip = (wrong[16 * (byte % 2) + k : 16 * (byte % 2) + k + 8] for k in (0, 8))
                flips.append(Mux(place == last - byte // 2, flip, 0))
            m.d.sync += getattr(self, f"valid_{r}").eq(valid)
            with m.If(valid):
                m.d.sync += [
                    getattr(self, f"result_{r}").eq(frame ^ Cat(flips)),
                    getattr(self, f"tag_{r}").eq(token[: len(tag)]),
                ]
