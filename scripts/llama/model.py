"""The network: Llama 2 as llama2.c has it, small."""

import struct
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

DIM, HIDDEN, LAYERS, HEADS, KV_HEADS, CONTEXT = 64, 192, 5, 8, 4, 256
HEAD = DIM // HEADS
EPSILON, BASE = 1e-5, 10000.0
#: Standard deviation of fresh weights; those that write to the residual stream are smaller by the number of writers.
FRESH = 0.05


def rotation() -> tuple[Tensor, Tensor]:
    """Cosine and sine [context, head / 2] by which position turns the pair of columns (2i, 2i + 1)."""
    frequency = BASE ** (-torch.arange(0, HEAD, 2, dtype=torch.float64) / HEAD)
    angle = torch.arange(CONTEXT, dtype=torch.float64)[:, None] * frequency
    return angle.cos().float(), angle.sin().float()


def norm(x: Tensor, weight: Tensor) -> Tensor:
    return functional.rms_norm(x, (DIM,), weight, EPSILON)


class Layer(nn.Module):
    """Attention and feed-forward, each with its norm before and the residual around it."""

    def __init__(self) -> None:
        super().__init__()
        self.rms_att = nn.Parameter(torch.ones(DIM))
        self.wq = nn.Linear(DIM, HEADS * HEAD, bias=False)
        self.wk = nn.Linear(DIM, KV_HEADS * HEAD, bias=False)
        self.wv = nn.Linear(DIM, KV_HEADS * HEAD, bias=False)
        self.wo = nn.Linear(HEADS * HEAD, DIM, bias=False)
        self.rms_ffn = nn.Parameter(torch.ones(DIM))
        self.w1 = nn.Linear(DIM, HIDDEN, bias=False)
        self.w2 = nn.Linear(HIDDEN, DIM, bias=False)
        self.w3 = nn.Linear(DIM, HIDDEN, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.attention(norm(x, self.rms_att), cos, sin)
        h = norm(x, self.rms_ffn)
        return x + self.w2(functional.silu(self.w1(h)) * self.w3(h))

    def attention(self, h: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        q, k, v = (w(h).unflatten(-1, (-1, HEAD)).transpose(1, 2) for w in (self.wq, self.wk, self.wv))
        k, v = (t.repeat_interleave(HEADS // KV_HEADS, 1) for t in (turn(k, cos, sin), v))
        out = functional.scaled_dot_product_attention(turn(q, cos, sin), k, v, is_causal=True)
        return self.wo(out.transpose(1, 2).flatten(2))


def turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """The rotary embedding of x [batch, heads, time, head]."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Llama(nn.Module):
    """Logits [batch, time, vocabulary] of tokens [batch, time]; the classifier is the embedding."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, DIM)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.rms_final = nn.Parameter(torch.ones(DIM))
        self.cos, self.sin = rotation()
        for name, weight in self.named_parameters():
            if weight.dim() > 1:
                writes = "wo" in name or "w2" in name
                nn.init.normal_(weight, std=FRESH / (2 * LAYERS) ** 0.5 if writes else FRESH)

    def forward(self, tokens: Tensor) -> Tensor:
        time = tokens.shape[1]
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x, self.cos[:time], self.sin[:time])
        return functional.linear(norm(x, self.rms_final), self.embedding.weight)

    def save(self, path: Path) -> None:
        """Writes llama2.c's legacy checkpoint: seven int32, then float32; a positive vocabulary says tied classifier."""
        vocabulary = self.embedding.num_embeddings
        parts = [self.embedding.weight]
        for name in ("rms_att", "wq", "wk", "wv", "wo", "rms_ffn", "w1", "w2", "w3"):
            found = (getattr(layer, name) for layer in self.layers)
            parts += [part if isinstance(part, Tensor) else part.weight for part in found]
        parts += [self.rms_final, self.cos, self.sin]
        with path.open("wb") as out:
            out.write(struct.pack("<7i", DIM, HIDDEN, LAYERS, HEADS, KV_HEADS, vocabulary, CONTEXT))
            for part in parts:
                out.write(part.detach().contiguous().numpy().astype("<f4").tobytes())
