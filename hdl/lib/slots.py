"""Picking one word out of many, and placing one among many.

On export these are instances of the two modules in `hdl/lib/verilog`, written by hand because Verilog says both in one
indexed part-select, where the generator would unroll a case for every word; simulation is several times faster and the
text far shorter. In simulation with Amaranth the same is built from expressions.
"""

from amaranth.hdl import Const, Instance, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.stamp import Export


class _Slots(wiring.Component):
    def __init__(self, width: int, slots: int, way: str, members: dict):
        if slots < 2 or slots & (slots - 1):
            raise ValueError(f"{slots} slots are not a power of two of at least 2.")
        self.width, self.slots, self.way = width, slots, way
        super().__init__({"en": In(1), "words": In(width * slots), "slot": In(range(slots)), **members})

    def elaborate(self, platform):
        if isinstance(platform, Export):
            name = f"takt_{self.way}"
            platform.primitives.add(name)
            pins = {
                f"{'i' if member.flow is In else 'o'}_{key}": getattr(self, key)
                for key, member in self.signature.members.items()
            }
            return Instance(name, p_WIDTH=self.width, p_SLOTS=self.slots, **pins)
        m = Module()
        self.behave(m)
        return m


class Pick(_Slots):
    """`word` is word number `slot` of `words`, or zero while `en` is low."""

    def __init__(self, width: int, slots: int):
        super().__init__(width, slots, "pick", {"word": Out(width)})

    def behave(self, m: Module) -> None:
        m.d.comb += self.word.eq(Mux(self.en, self.words.word_select(self.slot, self.width), 0))


class Place(_Slots):
    """`placed` is `words`, but with `word` as number `slot` while `en` is high."""

    def __init__(self, width: int, slots: int):
        super().__init__(width, slots, "place", {"word": In(width), "placed": Out(width * slots)})

    def behave(self, m: Module) -> None:
        m.d.comb += self.placed.eq(self.words)
        with m.If(self.en):
            m.d.comb += self.placed.word_select(self.slot, self.width).eq(self.word)


def pick(m: Module, name: str, en: Value, words: Value, slot: Value, width: int) -> Value:
    """Word number `slot` of `words`, or zero while `en` is low; adds what that takes to `m` as `name`."""
    slots = len(words) // width if width else 0
    if not width:
        return Const(0, 0)
    if slots == 1:
        return Mux(en, words, 0)
    unit = Pick(width, slots)
    m.submodules[name] = unit
    m.d.comb += [unit.en.eq(en), unit.words.eq(words), unit.slot.eq(slot)]
    return unit.word


def place(m: Module, name: str, en: Value, words: Value, slot: Value, word: Value) -> Value:
    """`words` with `word` in place of number `slot` while `en` is high; adds what that takes to `m` as `name`."""
    width = len(word)
    if not width:
        return words
    if len(words) == width:
        return Mux(en, word, words)
    unit = Place(width, len(words) // width)
    m.submodules[name] = unit
    m.d.comb += [unit.en.eq(en), unit.words.eq(words), unit.slot.eq(slot), unit.word.eq(word)]
    return unit.placed


