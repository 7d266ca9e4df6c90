"""The model's matrices as the graph wants them: gains and constants folded in, padded to whole vectors.

A matrix is [out, in] in float64 and multiplies the raw residual stream x: the caller scales the product by
1 / sqrt(sum(x * x) + dim * epsilon), so sqrt(dim) is folded in here beside RMSNorm's gain.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sw.compiler.llama.checkpoint import Checkpoint

_LOG2E = float(np.log2(np.e))


def whole(size: int, vl: int) -> int:
    """`size` rounded up to whole vectors."""
    return -(-size // vl) * vl


@dataclass(frozen=True)
class Widths:
    """Lengths of last axes, in whole vectors; padding lanes hold zeros.

    q : queries, and keys, which are repeated for every query head
    kv : values
    """

    dim: int
    hidden: int
    q: int
    kv: int
    context: int
    vocab: int


def padded(a: np.ndarray, *shape: int) -> np.ndarray:
    """`a` with zeros behind it on each axis."""
    return np.pad(a, [(0, size - have) for size, have in zip(shape, a.shape, strict=True)])


def rotated(w: np.ndarray) -> np.ndarray:
    """Rows turned by a quarter within RoPE's pairs: (2i, 2i + 1) become (-(2i + 1), 2i)."""
    result = np.empty_like(w)
    result[0::2], result[1::2] = -w[1::2], w[0::2]
    return result


@dataclass(frozen=True, eq=False)
class Weights:
    """Every matrix of `model`, for positions 0 … context - 1 on a chip of `vl` lanes, the `number`-th of those that share
    a model."""

    model: Checkpoint
    vl: int
    context: int
    number: int = 0

    def named(self, name: str) -> str:
        """The name that something has on this chip: one of its own on every further one."""
        return f"{name}@{self.number}" if self.number else name

    @cached_property
    def widths(self) -> Widths:
        """Lengths of last axes."""
        m = self.model
        sizes = (m.dim, m.hidden, m.heads * m.head_size, m.kv_heads * m.head_size, self.context, m.vocab)
        return Widths(*(whole(size, self.vl) for size in sizes))

    def embedding(self) -> np.ndarray:
        """The table [true vocabulary, dim] to gather from."""
        return padded(self.model.embedding, self.model.vocab, self.widths.dim)

    def queries(self, layer: int) -> np.ndarray:
        """Wq [q, dim], with log2(e) / sqrt(head size) in it: softmax is by powers of two."""
        factor = _LOG2E / np.sqrt(self.model.head_size)
        return self._inner(self.model.wq[layer], self.model.attention_gain[layer], self.widths.q, factor)

    def keys(self, layer: int) -> np.ndarray:
        """Wk [q, dim], each head's rows repeated for the query heads that read it."""
        heads = self.model.wk[layer].reshape(self.model.kv_heads, self.model.head_size, self.model.dim)
        rows = np.repeat(heads, self.model.group, axis=0).reshape(-1, self.model.dim)
        return self._inner(rows, self.model.attention_gain[layer], self.widths.q)

    def values(self, layer: int) -> np.ndarray:
        """Wv [kv, dim]."""
        return self._inner(self.model.wv[layer], self.model.attention_gain[layer], self.widths.kv)

    def mixing(self, layer: int) -> np.ndarray:
        """Wo [dim, heads * kv]: head h's block reads the lanes of its key/value head and has zeros for the others."""
        result = np.zeros((self.widths.dim, self.model.heads, self.widths.kv))
        size = self.model.head_size
        for head in range(self.model.heads):
            first = head // self.model.group * size
            result[: self.model.dim, head, first : first + size] = self.model.wo[layer][:, head * size : (head + 1) * size]
        return result.reshape(self.widths.dim, -1)

    def gate(self, layer: int) -> np.ndarray:
        """W1 [hidden, dim] times -log2(e): SiLU's exponential is a power of two of its product."""
        return self._inner(self.model.w1[layer], self.model.ffn_gain[layer], self.widths.hidden, -_LOG2E)

    def up(self, layer: int) -> np.ndarray:
        """W3 [hidden, dim] divided by -log2(e), which makes up for the gate's factor."""
        return self._inner(self.model.w3[layer], self.model.ffn_gain[layer], self.widths.hidden, -1 / _LOG2E)

    def down(self, layer: int) -> np.ndarray:
        """W2 [dim, hidden]."""
        return padded(self.model.w2[layer].astype(np.float64), self.widths.dim, self.widths.hidden)

    def classifier(self) -> np.ndarray:
        """The classifier [vocab, dim]."""
        return self._inner(self.model.classifier, self.model.final_gain, self.widths.vocab)

    def rope(self) -> tuple[np.ndarray, np.ndarray]:
        """Cosines and sines [context, width], the width after which lanes repeat, or that of q if it is less."""
        width = min(int(np.lcm(self.model.head_size, self.vl)), self.widths.q)
        frequency = self.model.rope_base ** (-(np.arange(width) % self.model.head_size // 2 * 2) / self.model.head_size)
        angles = np.arange(self.context)[:, None] * frequency
        return np.cos(angles), np.sin(angles)

    def head_mask(self) -> np.ndarray:
        """[heads, q]: 1 in the lanes of each head, else 0."""
        lanes = np.arange(self.widths.q) // self.model.head_size
        return (lanes == np.arange(self.model.heads)[:, None]).astype(np.float64)

    def _inner(self, w: np.ndarray, gain: np.ndarray, rows: int, factor: float = 1.0) -> np.ndarray:
        folded = w.astype(np.float64) * gain * (factor * np.sqrt(self.model.dim))
        return padded(folded, rows, self.widths.dim)
