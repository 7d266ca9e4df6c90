"""A Llama-2-architecture model: its shape and weights, and llama2.c's legacy file of them."""

from dataclasses import dataclass, replace
from math import inf, prod
from pathlib import Path

import numpy as np


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the text names the file or the value, and what is possible."""


def shapes(
    dim: int, hidden: int, layers: int, heads: int, kv_heads: int, head_size: int, vocab: int
) -> dict[str, tuple[int, ...]]:
    """Shape of every weight array of a `Checkpoint` by name, in the order of llama2.c's file."""
    q, kv = heads * head_size, kv_heads * head_size
    return {
        "embedding": (vocab, dim),
        "attention_gain": (layers, dim),
        "wq": (layers, q, dim),
        "wk": (layers, kv, dim),
        "wv": (layers, kv, dim),
        "wo": (layers, dim, q),
        "ffn_gain": (layers, dim),
        "w1": (layers, hidden, dim),
        "w2": (layers, dim, hidden),
        "w3": (layers, hidden, dim),
        "final_gain": (dim,),
        "classifier": (vocab, dim),
    }


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Shape and float32 weights; every matrix is [out, in], in front of it the layer.

    RoPE turns the interleaved pairs (2i, 2i + 1) of each head by position * rope_base ** (-2i / head_size). Query head
    h reads key and value head h // (heads // kv_heads). CheckpointError where shapes contradict each other.
    """

    dim: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    vocab: int
    context: int
    rope_base: float
    #: Added to the mean square in RMSNorm.
    epsilon: float

    embedding: np.ndarray
    attention_gain: np.ndarray
    wq: np.ndarray
    wk: np.ndarray
    wv: np.ndarray
    wo: np.ndarray
    ffn_gain: np.ndarray
    #: The gate, the one that goes through SiLU.
    w1: np.ndarray
    w2: np.ndarray
    w3: np.ndarray
    final_gain: np.ndarray
    #: The same numbers as `embedding` where they are tied.
    classifier: np.ndarray

    def __post_init__(self):
        for name in ("dim", "hidden", "layers", "heads", "kv_heads", "head_size", "vocab", "context"):
            if getattr(self, name) < 1:
                raise CheckpointError(f"The model's {name} is {getattr(self, name)}, it must be at least 1.")
        if self.heads % self.kv_heads:
            raise CheckpointError(f"The model has {self.heads} heads, which {self.kv_heads} key/value heads do not divide.")
        if self.head_size % 2:
            raise CheckpointError(f"The model's head size is {self.head_size}, RoPE needs an even one.")
        for name in ("rope_base", "epsilon"):
            if not 0 < getattr(self, name) < inf:
                raise CheckpointError(f"The model's {name} is {getattr(self, name)}, it must be above 0.")
        sizes = self.dim, self.hidden, self.layers, self.heads, self.kv_heads, self.head_size, self.vocab
        for name, shape in shapes(*sizes).items():
            if (found := getattr(self, name).shape) != shape:
                raise CheckpointError(f"The model's {name} is {list(found)}, its shape says {list(shape)}.")
            if not np.isfinite(getattr(self, name)).all():
                raise CheckpointError(f"The model's {name} holds numbers that are not finite.")

    @property
    def group(self) -> int:
        """Query heads that share a key/value head."""
        return self.heads // self.kv_heads

    def shares(self, count: int) -> list["Checkpoint"]:
        """Models of some of the heads and some of the feed-forward's lanes each, which between them have all. What the
        attention, or the feed-forward, of all shares add to x is together what this model's adds.

        CheckpointError if there are fewer key/value heads, or lanes, than shares.
        """
        for what, size in (("key/value heads", self.kv_heads), ("hidden lanes", self.hidden)):
            if not 1 <= count <= size:
                raise CheckpointError(f"The model has {size} {what}, they make 1 to {size} shares, not {count}.")
        rows = (np.array_split(np.arange(size), count) for size in (self.kv_heads, self.hidden))
        return [self._share(heads, hidden) for heads, hidden in zip(*rows, strict=True)]

    def _share(self, kv_heads: np.ndarray, hidden: np.ndarray) -> "Checkpoint":
        heads = (kv_heads[:, None] * self.group + np.arange(self.group)).reshape(-1)
        q, kv = ((h[:, None] * self.head_size + np.arange(self.head_size)).reshape(-1) for h in (heads, kv_heads))
        return replace(
            self,
            hidden=len(hidden),
            heads=len(heads),
            kv_heads=len(kv_heads),
            wq=self.wq[:, q],
            wk=self.wk[:, kv],
            wv=self.wv[:, kv],
            wo=self.wo[:, :, q],
            w1=self.w1[:, hidden],
            w2=self.w2[:, :, hidden],
            w3=self.w3[:, hidden],
        )


#: int32 numbers at the start of llama2.c's file.
_HEADER = 7


def read_llama2c(path: str | Path) -> Checkpoint:
    """llama2.c's legacy `.bin`: seven int32 and float32 arrays; a negative vocabulary says that the classifier is untied.

    RoPE's base is 10000 and RMSNorm's epsilon 1e-5, as that program has them. CheckpointError in a sentence.
    """
    data = Path(path).read_bytes()
    if len(data) < 4 * _HEADER:
        raise CheckpointError(f"{path} has {len(data)} bytes, the header of a llama2.c checkpoint alone has {4 * _HEADER}.")
    if data[:4] == b"42ka":
        raise CheckpointError(f"{path} is a llama2.c export of version 1 or later, only the legacy format (version 0) is read.")
    dim, hidden, layers, heads, kv_heads, vocab, context = (int(n) for n in np.frombuffer(data, "<i4", _HEADER))
    if min(dim, hidden, layers, heads, kv_heads, abs(vocab), context) < 1 or dim % heads:
        numbers = f"{dim}, {hidden}, {layers}, {heads}, {kv_heads}, {vocab}, {context}"
        raise CheckpointError(f"{path} is no llama2.c checkpoint: its header reads {numbers}.")
    tied, vocab, head_size = vocab > 0, abs(vocab), dim // heads
    sizes = shapes(dim, hidden, layers, heads, kv_heads, head_size, vocab)
    classifier = sizes.pop("classifier")
    sizes["rope"] = (2, context, head_size // 2)
    if not tied:
        sizes["classifier"] = classifier
    needed = 4 * (_HEADER + sum(map(prod, sizes.values())))
    if len(data) != needed:
        raise CheckpointError(f"{path} has {len(data)} bytes, a checkpoint of its header's shape has {needed}.")
    numbers, at, arrays = np.frombuffer(data, "<f4", offset=4 * _HEADER), 0, {}
    for name, shape in sizes.items():
        arrays[name] = numbers[at : at + prod(shape)].reshape(shape)
        at += prod(shape)
    arrays.pop("rope")
    arrays.setdefault("classifier", arrays["embedding"])
    return Checkpoint(
        dim, hidden, layers, heads, kv_heads, head_size, vocab, context, rope_base=10000.0, epsilon=1e-5, **arrays
    )
