"""Picking one word out of many, and laying words over others.

On export these are instances of the two modules in `hdl/lib/verilog`, written by hand because Verilog says both in one
indexed part-select, where the generator would unroll a case for every word; simulation is several times faster and the
text far shorter. In simulation with Amaranth the same is built from expressions.
"""

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.stamp import Export


class _Slots(wiring.Component):
    """Base: joins the members to the pins of module `takt_<way>` on export."""

    def __init__(self, way: str, slots: int, parameters: dict, members: dict):
        if slots < 2 or slots & (slots - 1):
            raise ValueError(f"{slots} slots are not a power of two of at least 2.")
        self.way, self.parameters = way, {"SLOTS": slots, **parameters}
        super().__init__(members)

    def elaborate(self, platform):
        if not isinstance(platform, Export):
            m = Module()
            self.behave(m)
            return m
        name = f"takt_{self.way}"
        platform.primitives.add(name)
        pins = {
            f"{'i' if member.flow is In else 'o'}_{key}": getattr(self, key)
            for key, member in self.signature.members.items()
        }
        return Instance(name, **{f"p_{key}": value for key, value in self.parameters.items()}, **pins, **self.clock())

    def clock(self) -> dict:
        """Pins of the clock, if the module has one."""
        return {}


class Pick(_Slots):
    """`word` is word number `slot` of `words`, and means nothing while `en` is low."""

    def __init__(self, width: int, slots: int):
        members = {"en": In(1), "words": In(width * slots), "slot": In(range(slots)), "word": Out(width)}
        super().__init__("pick", slots, {"WIDTH": width}, members)

    def behave(self, m: Module) -> None:
        m.d.comb += self.word.eq(Mux(self.en, self.words.word_select(self.slot, len(self.word)), 0))


class Overlay(_Slots):
    """Register `placed` takes `words`, with entry k as number `slot[k]` where `en[k]` is high.

    A word on which two entries are laid at once means nothing.
    """

    def __init__(self, width: int, slots: int, entries: int):
        self.entries = entries
        members = {
            "words": In(width * slots),
            "en": In(entries),
            "slot": In(entries * (slots - 1).bit_length()),
            "word": In(entries * width),
            "placed": Out(width * slots),
        }
        super().__init__("overlay", slots, {"WIDTH": width, "ENTRIES": entries}, members)

    def behave(self, m: Module) -> None:
        width, bits = len(self.word) // self.entries, len(self.slot) // self.entries
        following = Signal(len(self.words))
        m.d.comb += following.eq(self.words)
        for k in range(self.entries):
            with m.If(self.en[k]):
                slot = self.slot.word_select(k, bits)
                m.d.comb += following.word_select(slot, width).eq(self.word.word_select(k, width))
        m.d.sync += self.placed.eq(following)

    def clock(self) -> dict:
        return {"i_clk": ClockSignal()}


def pick(m: Module, name: str, en: Value, words: Value, slot: Value, width: int) -> Value:
    """Word number `slot` of `words`, good while `en` is high; adds what that takes to `m` as `name`.

    Of one word alone it is zero while `en` is low.
    """
    slots = len(words) // width if width else 0
    if not width:
        return Const(0, 0)
    if slots == 1:
        return Mux(en, words, 0)
    unit = Pick(width, slots)
    m.submodules[name] = unit
    m.d.comb += [unit.en.eq(en), unit.words.eq(words), unit.slot.eq(slot)]
    return unit.word


def overlay(m: Module, name: str, words: Value, entries: list[tuple[Value, Value, Value]]) -> Value:
    """A register of `words` with entries (en, slot, word) laid over; adds what that takes to `m` as `name`."""
    if not len(words) or not entries:
        register = Signal(len(words), name=name, reset_less=True)
        m.d.sync += register.eq(words)
        return register
    width = len(entries[0][2])
    unit = Overlay(width, len(words) // width, len(entries))
    m.submodules[name] = unit
    m.d.comb += [
        unit.words.eq(words),
        unit.en.eq(Cat(en for en, _, _ in entries)),
        unit.slot.eq(Cat(slot for _, slot, _ in entries)),
        unit.word.eq(Cat(word for _, _, word in entries)),
    ]
    return unit.placed
