"""Equal units beside each other, such as the lanes of a tile."""

from collections.abc import Callable

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Member

from hdl.lib.stamp import stamp


class Copies(wiring.Component):
    """`count` copies of what `make` makes, stamped as `name`.

    Members are the unit's: those that `shared` names are common inputs, the others are as wide as all copies together,
    copy 0 in the low bits. Simulation writes such a module as a loop.
    """

    def __init__(self, make: Callable[[], wiring.Component], name: str, count: int, shared: tuple[str, ...]):
        self._make, self.name, self.count, self.shared = make, name, count, shared
        unit = make()
        members = {}
        for key, member in unit.signature.members.items():
            width = len(getattr(unit, key)) * (1 if key in shared else count)
            members[key] = Member(member.flow, width)
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        for k in range(self.count):
            m.submodules[f"copy_{k}"] = copy = stamp(self._make(), self.name)
            for key, member in self.signature.members.items():
                outer, inner = getattr(self, key), getattr(copy, key)
                if key not in self.shared:
                    outer = outer.word_select(k, len(inner))
                m.d.comb += inner.eq(outer) if member.flow is In else outer.eq(inner)
        return m
