"""A Llama in plain float64, as the papers have it, and small random ones to try it on."""

import os
from pathlib import Path

import numpy as np
import pytest

from sw.compiler.llama.checkpoint import Checkpoint


class Llama:
    """Logits of one token after the other."""

    def __init__(self, model: Checkpoint):
        self.model = model
        self.keys = [[] for _ in range(model.layers)]
        self.values = [[] for _ in range(model.layers)]

    def step(self, token: int) -> np.ndarray:
        """Logits for what follows `token` at the next position."""
        m = self.model
        position = len(self.keys[0])
        x = m.embedding[token].astype(np.float64)
        for n in range(m.layers):
            normal = self._norm(x, m.attention_gain[n])
            q = [self._turn(head, position) for head in (m.wq[n].astype(float) @ normal).reshape(m.heads, -1)]
            k = [self._turn(head, position) for head in (m.wk[n].astype(float) @ normal).reshape(m.kv_heads, -1)]
            self.keys[n].append(k)
            self.values[n].append((m.wv[n].astype(float) @ normal).reshape(m.kv_heads, -1))
            mixed = []
            for head in range(m.heads):
                of = head * m.kv_heads // m.heads
                scores = np.array([q[head] @ past[of] for past in self.keys[n]]) / np.sqrt(m.head_size)
                p = np.exp(scores - scores.max())
                mixed.append(sum(w * past[of] for w, past in zip(p / p.sum(), self.values[n], strict=True)))
            x = x + m.wo[n].astype(float) @ np.concatenate(mixed)
            normal = self._norm(x, m.ffn_gain[n])
            a, b = m.w1[n].astype(float) @ normal, m.w3[n].astype(float) @ normal
            x = x + m.w2[n].astype(float) @ (a / (1 + np.exp(-a)) * b)
        return m.classifier.astype(float) @ self._norm(x, m.final_gain)

    def _norm(self, x, gain):
        return x / np.sqrt(np.mean(x**2) + self.model.epsilon) * gain

    def _turn(self, head, position):
        pairs = head[0::2] + 1j * head[1::2]
        angles = position * self.model.rope_base ** (-2 * np.arange(len(pairs)) / len(head))
        turned = pairs * np.exp(1j * angles)
        return np.stack([turned.real, turned.imag], axis=1).reshape(-1)


def random_model(seed, dim=16, hidden=24, layers=2, heads=4, kv_heads=2, head_size=4, vocab=40, context=32, tied=True):
    """A model of random weights; prints its seed."""
    print("seed", seed)
    rng = np.random.default_rng(seed)

    def matrix(*shape):
        return (rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)

    def gain(*shape):
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)

    q, kv = heads * head_size, kv_heads * head_size
    embedding = matrix(vocab, dim) * 2
    return Checkpoint(
        dim, hidden, layers, heads, kv_heads, head_size, vocab, context, 10000.0, 1e-5,
        embedding=embedding, attention_gain=gain(layers, dim), wq=matrix(layers, q, dim), wk=matrix(layers, kv, dim),
        wv=matrix(layers, kv, dim), wo=matrix(layers, dim, q), ffn_gain=gain(layers, dim),
        w1=matrix(layers, hidden, dim), w2=matrix(layers, dim, hidden), w3=matrix(layers, hidden, dim),
        final_gain=gain(dim), classifier=embedding if tied else matrix(vocab, dim),
    )  # fmt: skip


def stories() -> Path:
    """Folder of stories260K; skips the test where it is missing."""
    root = os.environ.get("TAKT_MODELS") or Path(__file__).resolve().parents[2].parent / "shared" / "models"
    folder = Path(root) / "stories260K"
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}; set TAKT_MODELS to the folder of models to judge by")
    return folder
