"""A lower bound of the cycles of one token, from a model's shapes and the instruction table alone.

The bound is the length of the chain of steps that each token has to go through, one after the other: every step takes
its smallest latency, plus the occupancy of the work that depends on this step's data, divided over all units. It knows
nothing of a graph or a schedule. `docs/bound.md` has the formula; its notation:

- chain(ops): from operands at the vector unit to the result at the next stop: d_chain - chain_skew of all operations
  but the last, and d_func of the last; step(ops): the same, with the result taken by a chain neighbour
- m, s: stops from the vector unit to the nearest plane and to the nearest switch unit; going on to a place D stops
  away costs D - 1 beyond d_func
- product: ABC.d_func + ACC.d_func
- load: the beats of LW that bring one tile to a plane, by 16 streams
- a plane holds one tile installed and one in the buffer, so of the T tiles that a step takes from each plane two are
  there in time, and every other costs the longer of its beats and the passes it waits for
"""

from dataclasses import dataclass
from math import ceil

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.arch.floorplan import floorplan
from sw.compiler.llama.checkpoint import Checkpoint
from sw.isa.fields import MXM_TYPES
from sw.isa.table import instruction

PRECISIONS = ("fp16", "int8")
#: From a value that a product's operand is made of to the operand, and from its sums to FP32; INT8 products take
#: activations of 16 bits as two rows, their bytes. A factor at either end is part of the MUL that stands there.
_ENTER = {"fp16": ("CONVERT",), "int8": ("ADD", "CONVERT", "XOR.int16")}
_LEAVE = {"fp16": (), "int8": ("SHL.int32", "ADD.int32", "CONVERT")}
_ROWS = {"fp16": 1, "int8": 2}
#: LW takes this many streams at most.
_LOAD_STREAMS = 16
#: A program ends two cycles after the issue of its last WRITE, that of the HALT behind it included.
_END = 2


@dataclass(frozen=True)
class Step:
    """A step of the chain: `latency` of one item, and `occupancy`, what the others take beyond it; in cycles."""

    name: str
    latency: int
    occupancy: int = 0


@dataclass(frozen=True)
class Bound:
    """The steps of a token in order."""

    steps: tuple[Step, ...]

    @property
    def latency(self) -> int:
        """Cycles of the chain alone."""
        return sum(step.latency for step in self.steps)

    @property
    def total(self) -> int:
        """Cycles that a token takes at least."""
        return self.latency + sum(step.occupancy for step in self.steps)


def token_bound(model: Checkpoint, config: Config, precision: str = "fp16", context: int | None = None) -> Bound:
    """The bound of one decode step whose logits are written to memory.

    precision : `fp16`, or `int8` for weights of 8 bits with activations of 16, the attention staying in FP16
    context : positions that are kept, by default the model's own length
    ValueError for another precision, or a chip without planes of that type, vector or switch units.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"The precision is '{precision}', it must be {' or '.join(PRECISIONS)}.")
    return _Token(model, config, precision, model.context if context is None else context).bound()


class _Token:
    def __init__(self, model: Checkpoint, config: Config, precision: str, context: int):
        self.model, self.config, self.precision = model, config, precision
        units = floorplan(config).units
        vxm = next(unit.stop for unit in units if unit.kind == "VXM")

        def distance(kind: str) -> int:
            stops = [abs(unit.stop - vxm) for unit in units if unit.kind == kind]
            if not stops:
                raise ValueError(f"The chip '{config.name}' has no {kind}, which a Llama needs.")
            return min(stops)

        self.m, self.s = distance("MXM"), distance("SXM")
        self.planes = config.mxm.west + config.mxm.east
        self.blocks = ceil(context / config.vl)
        self.q, self.kv = model.heads * model.head_size, model.kv_heads * model.head_size
        self.enter, self.leave = _ENTER[precision], _LEAVE[precision]
        self.interval = config.mxm.fp16_interval

    # ---- parts

    def _timing(self, op: str):
        name, _, dtype = op.partition(".")
        return instruction(name).timing(self.config, {"dtype": DType.parse(dtype) if dtype else DType.FP32})

    def step(self, *ops: str) -> int:
        """Operations whose result a chain neighbour takes; FP32 where they do not say otherwise."""
        return sum(self._timing(op).d_chain - self._timing(op).chain_skew for op in ops)

    def chain(self, *ops: str) -> int:
        """Operations whose result leaves on a stream."""
        return self.step(*ops[:-1]) + self._timing(ops[-1]).d_func

    def product(self, precision: str) -> int:
        """From the vector unit's next stop through a plane and back: a value that leaves a chain meets the next one."""
        values = {"dtype": MXM_TYPES.index(precision), "mode": 0}
        passes = sum(instruction(name).timing(self.config, values).d_func for name in ("ABC", "ACC"))
        return self.m - 1 + passes + self.m - 1

    def reduced(self) -> int:
        """From the vector unit's next stop through REDUCE and back."""
        return self.s - 1 + self._timing("REDUCE").d_func + self.s - 1

    def gathered(self, count: int, op: str) -> int:
        """Operations that bring the last of `count` vectors together with the others: pairs of pairs."""
        return self.step(op) * (count - 1).bit_length()

    def beats(self, precision: str) -> int:
        """LW of one tile."""
        streams = 1 << (min(_LOAD_STREAMS, self.config.streams, self.config.vl).bit_length() - 1)
        return ceil(self.config.vl * (2 if precision == "fp16" else 1) / streams)

    def pass_cycles(self) -> int:
        """Cycles that one vector of activations occupies a plane, all rows of it."""
        return (self.interval if self.precision == "fp16" else 1) * _ROWS[self.precision]

    def tiles(self, outputs: int, inputs: int) -> int:
        """Tiles of a matrix whose outputs stand close to each other."""
        return ceil(outputs / self.config.vl) * ceil(inputs / self.config.vl)

    def occupied(self, tiles: int) -> int:
        """Cycles by which the last of the passes through `tiles` issues later than the first."""
        each, per_plane = self.pass_cycles(), ceil(tiles / self.planes)
        hidden = max(each, self.beats(self.precision))
        return (each - 1 if self.precision == "int8" else 0) + each * min(per_plane - 1, 1) + hidden * max(per_plane - 2, 0)

    def joined(self, inputs: int) -> tuple[str, ...]:
        """Additions of the parts of a sum over `inputs` that stand in several tiles: in planes' accumulators but for the
        last, of what the planes have."""
        parts = min(ceil(inputs / self.config.vl), self.planes)
        return (("ADD.int32",) if self.precision == "int8" else ("ADD",)) * (parts - 1).bit_length()

    # ---- steps

    def normed(self, name: str, first: tuple[str, ...], tiles: int, after: tuple[str, ...]) -> Step:
        """From a residual sum's last part at the vector unit until the later is there of RMSNorm's factor and the
        products of x, these behind operations `after`. `first`: how x is made."""
        dim = self.model.dim
        scale = (
            self.chain(*first, "MUL") + self.gathered(ceil(dim / self.config.vl), "ADD")
            + self.reduced() + self.step("ADD", "RSQRT")
        )  # fmt: skip
        even = ("MUL",) if self.precision == "int8" else ()
        products = self.chain(*first, *even, *self.enter) + self.product(self.precision)
        products += self.step(*self.joined(dim), *self.leave, *after)
        latency = max(scale, products)
        return Step(name, latency, max(scale, products + self.occupied(tiles)) - latency)

    def layer(self, number: int) -> list[Step]:
        """The steps of one layer, and what its planes need beyond them."""
        model, config, vl = self.model, self.config, self.config.vl
        heads, items, interval = model.heads, model.heads * self.blocks, self.interval
        first = ("ADD",) if number else ("CONVERT",)
        spread = max(ceil(items * interval / self.planes) - interval, 0)

        attention_in = self.normed("attention in", first, self.tiles(2 * self.q + 2 * self.kv, model.dim), ("MUL",))
        # After the factor its MUL; after the products, whose cosine has the factor in it, RoPE's ADD, which takes as long.
        turned = Step("q and k", self.chain("MUL", "CONVERT"))
        scores = self.product("fp16")
        several = ("MAX",) if self.blocks > 1 else ()
        exponent = self.step("SUB", "EXP2")
        # Between the maximum and the mix an item takes three operations, one of them on a special ALU.
        softmax = max(ceil(3 * items / config.alus), ceil(items / len(config.vxm.special_alus))) - 1
        partial = ("ADD",) if min(self.planes, self.blocks) > 1 else ()
        mix = self.chain("CONVERT") + self.product("fp16") + self.step(*partial)
        total = self.chain(*(("ADD",) if several else ("MUL",))) + self.reduced() + self.step("RECIP")
        into_wo = self.chain("MUL", *self.enter)
        # Either every head's lanes are a tile of their own, or masked heads are added to one row.
        apart = self.occupied(heads * ceil(model.dim / vl) * ceil(self.kv / vl))
        packed = self.gathered(heads, "ADD") + self.occupied(self.tiles(model.dim, self.q))
        back = ("MUL",) if self.precision == "int8" else ()
        wo = self.product(self.precision) + self.step(*self.joined(self.q), *self.leave, *back)

        feed_in = self.normed("feed-forward in", ("ADD",), self.tiles(2 * model.hidden, model.dim), ())
        silu = self.chain("MUL", "EXP2", "ADD", "RECIP", "MUL", *self.enter)
        w2 = self.product(self.precision) + self.step(*self.joined(model.hidden), *self.leave, *back)
        steps = [
            attention_in,
            turned,
            Step("scores and their maximum", scores + self.chain("MIN", *several) + self.reduced(), spread),
            Step("exponentials", exponent, softmax),
            Step("mix, or its sum's reciprocal", max(mix, total), max(mix + spread, total) - max(mix, total)),
            Step("mixed into wo", into_wo),
            Step("wo", wo, min(apart, packed)),
            feed_in,
            Step("SiLU", silu),
            Step("w2", w2, self.occupied(self.tiles(model.dim, model.hidden))),
        ]
        own = self.tiles(2 * self.q + 3 * self.kv, model.dim) + self.tiles(model.dim, self.q)
        own += self.tiles(2 * model.hidden, model.dim) + self.tiles(model.dim, model.hidden)
        passes = own * self.pass_cycles() + (2 * items + self.kv) * interval
        loads = own * self.beats(self.precision) + (2 * self.blocks + 1) * self.beats("fp16")
        used = sum(step.latency + step.occupancy for step in steps)
        steps.append(Step("planes", 0, max(ceil(max(passes, loads) / self.planes) - used, 0)))
        return [Step(f"layer {number}: {step.name}", step.latency, step.occupancy) for step in steps]

    def bound(self) -> Bound:
        """All steps."""
        # The token stands next to the embedding, and that next to the vector unit.
        begin = Step("embedding", self._timing("READ").d_func + self._timing("GATHER").d_func)
        layers = [step for number in range(self.model.layers) for step in self.layer(number)]
        norm = self.normed("classifier in", ("ADD",), self.tiles(self.model.vocab, self.model.dim), ())
        end = Step("logits", self.chain("MUL") + _END)
        return Bound((begin, *layers, norm, end))
