"""Random graphs of all primitives, in which no sum depends on its order, so that results are equal to the last bit."""

import numpy as np
from hypothesis import strategies as st

from sw.compiler import layout
from sw.compiler.graph import Graph, Tensor
from tests.compiler.machines import LENGTHS, some

TYPES = ("int8", "int16", "int32", "fp16", "fp32")
_BINARY = ("ADD", "SUB", "MUL", "MIN", "MAX", "LT", "GE", "EQ")
_BITS = ("AND", "OR", "XOR", "SHL", "SHR", "SAR")
_UNARY = ("ABS", "NEG", "RELU")
_KINDS = ("alu", "alu", "alu", "select", "convert", "bytes", "dot", "reduce", "move", "gather", "scatter", "state")


class Builder:
    """Draws a graph; `pool` has the tensors that later ones are made from."""

    def __init__(self, draw):
        self.draw, self.graph = draw, Graph("random")
        self.rng = np.random.default_rng(draw(st.integers(0, 1 << 16), label="values"))
        self.pool: list[Tensor] = []
        for k in range(2):
            self.pool.append(self.graph.input(f"x{k}", self._shape(), self._of(TYPES)))
        for _ in range(draw(st.integers(1, 9), label="nodes")):
            kind = self._of(_KINDS)
            self.pool.append(getattr(self, f"_{kind}")())
        for k, tensor in enumerate(self.pool[-3:]):
            self.graph.output(f"y{k}", tensor)

    def _of(self, choices):
        return self.draw(st.sampled_from(choices))

    def _shape(self) -> tuple[int, ...]:
        return (self._of((1, 2, 5)), self._of(LENGTHS))

    def _any(self) -> Tensor:
        return self._of(self.pool)

    def _like(self, tensor: Tensor) -> Tensor:
        """A further operand for one: from the pool if one fits, or a constant that broadcasts to it."""
        fitting = [t for t in self.pool if (t.shape, t.dtype) == (tensor.shape, tensor.dtype)]
        shape = tuple(self._of((1, size)) for size in tensor.shape)
        constant = self.graph.constant(some(shape, tensor.dtype.text, self.rng), tensor.dtype)
        return self._of([constant, *fitting])

    def _exact(self, tensor: Tensor, dtype: str) -> Tensor:
        """Small whole numbers of a type, of which sums are exact."""
        return tensor.to("int8").to(dtype)

    def _alu(self) -> Tensor:
        a = self._any()
        if a.dtype.text == "fp16":
            a = a.to("fp32")
        fns = (*_BINARY, *_UNARY) if a.dtype.is_float else (*_BINARY, *_UNARY, *_BITS)
        fn, overflow = self._of(fns), self._of(("sat", "mod"))
        if fn in _UNARY:
            return self.graph.elementwise(fn, a, overflow=overflow)
        return self.graph.elementwise(fn, a, self._like(a), overflow=overflow)

    def _select(self) -> Tensor:
        a = self._any()
        mask = self.graph.elementwise("LT", self._exact(a, "int16"), self._exact(self._like(a), "int16"))
        return self.graph.elementwise("SELECT", mask, a, self._like(a))

    def _convert(self) -> Tensor:
        return self._any().to(self._of(TYPES))

    def _bytes(self) -> Tensor:
        parts = self.graph.bytes(self._any().to(self._of(("int16", "int32"))))
        return layout.reshape(parts, (-1, parts.shape[-1]))

    def _dot(self) -> Tensor:
        dtype, a = self._of(("int8", "fp16")), self._any()
        factors = [t for t in self.pool if t.shape[-1] == a.shape[-1]]
        b = self._of([*factors, self.graph.constant(some((self._of(LENGTHS), a.shape[-1]), "int8", self.rng))])
        return self.graph.dot(self._exact(a, dtype), self._exact(b, dtype))

    def _reduce(self) -> Tensor:
        a = self._exact(self._any(), self._of(("int32", "fp32")))
        return self.graph.reduce(self._of(("SUM", "MAX", "MIN")), a, self._of((0, 1)))

    def _move(self) -> Tensor:
        a = self._any()
        sources = [a, *(t for t in self.pool[:2] if t.dtype is a.dtype)]
        total, shape = sum(source.size for source in sources), self._shape()
        numbers = np.arange(shape[0] * shape[1]).reshape(shape)
        index = self._of((numbers % total, numbers[::-1, ::-1] % total, numbers // 3 % total, numbers % (total + 2) - 2))
        return self.graph.move(sources, index)

    def _index(self, rows: int) -> Tensor:
        index = self.graph.elementwise("MAX", self._exact(self.pool[0], "int16"), -1)
        column = self.graph.move(index, np.arange(min(3, index.size))[:, None])
        return self.graph.elementwise("MIN", column, rows - 1)

    def _gather(self) -> Tensor:
        rows, width, dtype = self._of((1, 4, 20)), self._of(LENGTHS), self._of(TYPES)
        return self.graph.gather(self.graph.constant(some((rows, width), dtype, self.rng), dtype), self._index(rows))

    def _scatter(self) -> Tensor:
        source = self._any()
        table = self.graph.state(f"t{len(self.graph.states)}", some((6, source.shape[1]), source.dtype.text, self.rng))
        index = self.graph.constant(self.rng.integers(-1, 6, (source.shape[0], 1)), "int16")
        after = self.graph.scatter(table, index, source)
        self.graph.store(table.name, after)
        return self._of((after, table))

    def _state(self) -> Tensor:
        value = self._any()
        state = self.graph.state(f"s{len(self.graph.states)}", some(value.shape, value.dtype.text, self.rng))
        self.graph.store(state.name, value)
        return state
