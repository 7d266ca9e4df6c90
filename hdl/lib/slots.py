"""Picking one word out of many, and laying words over others.

On export these are modules written straight in Verilog, because Verilog says both in one indexed part-select, where the
generator would unroll a case for every word; simulation is several times faster and the text far shorter. Each has a
second form for synthesis, which would make shifters as wide as all words of the first. In simulation with Amaranth the same
is built from expressions.
"""

from string import Template

from amaranth.hdl import ClockSignal, Const, Instance, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.stamp import Export

_PICK = Template("""\
// One of $slots words of $width bits from the east or the west, of use while `en` is high.
module $name(
  input en, input west, input [$all:0] east_words, input [$all:0] west_words, input [$index:0] slot, output reg [$top:0] word
);
`ifdef VERILATOR
  always @* begin
    word = {$width{1'b0}};
    if (en) begin
      if (west) word = west_words[slot*$width +: $width];
      else word = east_words[slot*$width +: $width];
    end
  end
`else
  always @* word = west ? west_words[slot*$width +: $width] : east_words[slot*$width +: $width];
`endif
endmodule
""")
_OVERLAY = Template("""\
// A register of $slots words of $width bits that takes `words`, each word_k whose en_k is high laid over number slot_k.
// Two such entries with one slot are an error of the user, and that word is anything.
module $name(
  input clk, input [$all:0] words,
$inputs
  output reg [$all:0] placed
);
  reg [$all:0] next;
`ifdef VERILATOR
  // `next` is a variable of this block alone: an intermediate value, no register.
  /* verilator lint_off BLKSEQ */
  always @(posedge clk)
    if (!($any)) placed <= words;
    else begin
      next = words;
$lay
      placed <= next;
    end
  /* verilator lint_on BLKSEQ */
`else
  // Of words gated by their enables, synthesis makes fewer LUTs.
  integer k;
  always @* for (k = 0; k < $slots; k = k + 1)
    next[k*$width +: $width] =
$gate
      words[k*$width +: $width] & {$width{!($over)}};
  always @(posedge clk) placed <= next;
`endif
endmodule
""")


class _Slots(wiring.Component):
    """Base: on export an instance of module `takt_<what>`, which `text` writes."""

    def __init__(self, what: str, width: int, slots: int, members: dict):
        if slots < 2 or slots & (slots - 1):
            raise ValueError(f"{slots} slots are not a power of two of at least 2.")
        self.name, self.width, self.slots = f"takt_{what}", width, slots
        super().__init__(members)

    def elaborate(self, platform):
        if not isinstance(platform, Export):
            m = Module()
            self.behave(m)
            return m
        platform.primitives[self.name] = self.text()
        pins = {
            f"{'i' if member.flow is In else 'o'}_{key}": getattr(self, key)
            for key, member in self.signature.members.items()
        }
        return Instance(self.name, **pins, **self.clock())

    def numbers(self) -> dict[str, int | str]:
        """What the templates of both modules name."""
        index = (self.slots - 1).bit_length()
        sizes = {"all": self.slots * self.width - 1, "top": self.width - 1, "index": index - 1}
        return {"name": self.name, "width": self.width, "slots": self.slots, **sizes}

    def clock(self) -> dict:
        """Pins of the clock, if the module has one."""
        return {}


class Pick(_Slots):
    """`word` is word number `slot` of one side's words, and means nothing while `en` is low."""

    def __init__(self, width: int, slots: int):
        members = {"en": In(1), "west": In(1), "slot": In(range(slots)), "word": Out(width)}
        members |= {f"{side}_words": In(width * slots) for side in ("east", "west")}
        super().__init__(f"pick_{slots}_by_{width}", width, slots, members)

    def behave(self, m: Module) -> None:
        words = Mux(self.west, self.west_words, self.east_words)
        m.d.comb += self.word.eq(Mux(self.en, words.word_select(self.slot, self.width), 0))

    def text(self) -> str:
        """The module."""
        return _PICK.substitute(self.numbers())


class Overlay(_Slots):
    """Register `placed` takes `words`, with `word_k` as number `slot_k` where `en_k` is high.

    A word on which two entries are laid at once means nothing.
    """

    def __init__(self, width: int, slots: int, entries: int):
        self.entries = entries
        members = {"words": In(width * slots), "placed": Out(width * slots)}
        for k in range(entries):
            members |= {f"en_{k}": In(1), f"slot_{k}": In(range(slots)), f"word_{k}": In(width)}
        super().__init__(f"overlay_{slots}_by_{width}_of_{entries}", width, slots, members)

    def behave(self, m: Module) -> None:
        following = Signal(len(self.words))
        m.d.comb += following.eq(self.words)
        for k in range(self.entries):
            en, slot, word = (getattr(self, f"{name}_{k}") for name in ("en", "slot", "word"))
            with m.If(en):
                m.d.comb += following.word_select(slot, self.width).eq(word)
        m.d.sync += self.placed.eq(following)

    def clock(self) -> dict:
        return {"i_clk": ClockSignal()}

    def text(self) -> str:
        """The module."""
        numbers = self.numbers()

        def each(line: str) -> list[str]:
            return [Template(line).substitute(numbers, k=k) for k in range(self.entries)]

        return _OVERLAY.substitute(
            numbers,
            inputs="\n".join(each("  input en_$k, input [$index:0] slot_$k, input [$top:0] word_$k,")),
            any=" | ".join(each("en_$k")),
            lay="\n".join(each("      if (en_$k) next[slot_$k*$width +: $width] = word_$k;")),
            gate="\n".join(each("      word_$k & {$width{en_$k && slot_$k == k}} |")),
            over=" || ".join(each("en_$k && slot_$k == k")),
        )


def pick(m: Module, name: str, en: Value, west: Value, vectors: tuple[Value, Value], slot: Value, width: int) -> Value:
    """Word number `slot` of the vector of the east or of the west, good while `en` is high; adds what that takes to `m` as
    `name`. Of one word alone it is zero while `en` is low."""
    east_words, west_words = vectors
    slots = len(east_words) // width if width else 0
    if not width:
        return Const(0, 0)
    if slots == 1:
        # nothing is picked: words that are gated and or-ed are one gate a bit, which synthesis then shares
        return Mux(en & ~west, east_words, 0) | Mux(en & west, west_words, 0)
    unit = Pick(width, slots)
    m.submodules[name] = unit
    m.d.comb += [
        unit.en.eq(en),
        unit.west.eq(west),
        unit.east_words.eq(east_words),
        unit.west_words.eq(west_words),
        unit.slot.eq(slot),
    ]
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
    m.d.comb += unit.words.eq(words)
    for k, entry in enumerate(entries):
        m.d.comb += [getattr(unit, f"{port}_{k}").eq(value) for port, value in zip(("en", "slot", "word"), entry, strict=True)]
    return unit.placed
