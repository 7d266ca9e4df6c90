"""Program text that comes from streams as words of a queue."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value


def joined(m: Module, start: Value, fetched: Value, pair: Value, word_bits: int) -> tuple[Value, Value]:
    """The words in what a stream pair brings while `fetched` is high, from `start` on: (word, whether there is one).

    A wide pair brings two words, the second of which stands a cycle later; of narrow ones two make a word.
    """
    text = Signal(word_bits)
    stored = Signal()
    if len(pair) > word_bits:
        later = Signal(len(pair) - word_bits, reset_less=True)
        second = Signal()
        m.d.sync += second.eq(fetched)
        with m.If(fetched):
            m.d.sync += later.eq(pair[word_bits:])
        m.d.comb += [text.eq(Mux(second, later, pair)), stored.eq(fetched | second)]
    elif len(pair) == word_bits:
        m.d.comb += [text.eq(pair), stored.eq(fetched)]
    else:
        half = Signal(len(pair), reset_less=True)
        odd = Signal()
        with m.If(start):
            m.d.sync += odd.eq(0)
        with m.Elif(fetched):
            m.d.sync += [odd.eq(~odd), half.eq(pair)]
        m.d.comb += [text.eq(Cat(half, pair)), stored.eq(fetched & odd)]
    return text, stored
