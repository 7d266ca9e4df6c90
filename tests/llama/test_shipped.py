"""The language model in examples/llama: files, tokenizer, loss and text, by a float64 reference of Llama 2 in plain numpy."""

import csv
import hashlib
import re
import struct
from pathlib import Path

import numpy as np
import pytest

HOME = Path(__file__).resolve().parents[2] / "examples" / "llama"
README = (HOME / "README.md").read_text()
DIM, HIDDEN, LAYERS, HEADS, KV_HEADS, VOCABULARY, CONTEXT = SHAPE = (64, 192, 5, 8, 4, 512, 256)
HEAD, KV = DIM // HEADS, KV_HEADS * DIM // HEADS
EPSILON = 1e-5
BOS = 1
GREEDY = 64
#: Order and shapes of the checkpoint after its seven integers.
PARTS = {
    "embedding": (VOCABULARY, DIM),
    "rms_att": (LAYERS, DIM),
    "wq": (LAYERS, DIM, DIM),
    "wk": (LAYERS, KV, DIM),
    "wv": (LAYERS, KV, DIM),
    "wo": (LAYERS, DIM, DIM),
    "rms_ffn": (LAYERS, DIM),
    "w1": (LAYERS, HIDDEN, DIM),
    "w2": (LAYERS, DIM, HIDDEN),
    "w3": (LAYERS, HIDDEN, DIM),
    "rms_final": (DIM,),
    "cos": (CONTEXT, HEAD // 2),
    "sin": (CONTEXT, HEAD // 2),
}


@pytest.fixture(scope="module")
def weights():
    raw = (HOME / "model.bin").read_bytes()
    assert struct.unpack_from("<7i", raw) == SHAPE
    values = np.frombuffer(raw, "<f4", offset=28).astype(np.float64)
    ends = np.cumsum([np.prod(shape) for shape in PARTS.values()])
    assert ends[-1] == len(values)
    return {name: part.reshape(PARTS[name]) for name, part in zip(PARTS, np.split(values, ends[:-1]), strict=True)}


@pytest.fixture(scope="module")
def pieces():
    """Score and bytes of each token."""
    raw = (HOME / "tokenizer.bin").read_bytes()
    longest, at, found = *struct.unpack_from("<i", raw), 4, []
    while at < len(raw):
        score, length = struct.unpack_from("<fi", raw, at)
        found.append((score, raw[at + 8 : at + 8 + length]))
        at += 8 + length
    assert max(len(piece) for _, piece in found) == longest
    return found


@pytest.fixture(scope="module")
def passages(pieces):
    return [encode(line, pieces) for line in (HOME / "held_out.txt").read_text().splitlines()]


def encode(text, pieces):
    """llama2.c's way: a space before, tokens of single (ASCII) characters or bytes, then the best pair merged first."""
    token = {piece: index for index, (_, piece) in enumerate(pieces)}
    row = []
    for character in (" " + text).encode():
        single = bytes([character])
        row.append(token.get(single, character + 3))
    while True:
        pairs = [token.get(pieces[a][1] + pieces[b][1]) for a, b in zip(row, row[1:], strict=False)]
        known = [(pieces[pair][0], -at) for at, pair in enumerate(pairs) if pair is not None]
        if not known:
            return row
        at = -max(known)[1]
        row[at : at + 2] = [pairs[at]]


def decode(row, pieces):
    return b"".join(pieces[token][1] for token in row).decode().removeprefix(" ")


def norm(x, weight):
    return weight * x / np.sqrt((x * x).mean(-1, keepdims=True) + EPSILON)


def turn(x):
    """Pairs (2i, 2i + 1) of x [time, heads, head] as complex numbers, turned by position."""
    angle = np.arange(len(x))[:, None] * 10000.0 ** (-np.arange(0, HEAD, 2) / HEAD)
    turned = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * angle)[:, None, :]
    return np.stack((turned.real, turned.imag), -1).reshape(x.shape)


def logits(weights, row):
    """Logits [time, vocabulary] of a row of tokens, and the largest value on the residual stream."""
    x = weights["embedding"][row]
    later = np.triu(np.full((len(row), len(row)), -np.inf), 1)
    largest = 0.0
    for wq, wk, wv, wo, w1, w2, w3, rms_att, rms_ffn in zip(
        *(weights[name] for name in ("wq", "wk", "wv", "wo", "w1", "w2", "w3", "rms_att", "rms_ffn")), strict=True
    ):
        h = norm(x, rms_att)
        q, k, v = ((h @ w.T).reshape(len(row), -1, HEAD) for w in (wq, wk, wv))
        k, v = (np.repeat(t, HEADS // KV_HEADS, 1) for t in (turn(k), v))
        score = np.einsum("ihd,jhd->hij", turn(q), k) / np.sqrt(HEAD) + later
        share = np.exp(score - score.max(-1, keepdims=True))
        share /= share.sum(-1, keepdims=True)
        x = x + np.einsum("hij,jhd->ihd", share, v).reshape(len(row), DIM) @ wo.T
        h = norm(x, rms_ffn)
        gate = h @ w1.T
        x = x + (gate / (1 + np.exp(-gate)) * (h @ w3.T)) @ w2.T
        largest = max(largest, np.abs(x).max())
    return norm(x, weights["rms_final"]) @ weights["embedding"].T, largest


def figure(name):
    """The number that stands in README's table behind `name`."""
    return float(re.search(rf"\| {re.escape(name)} \| ([\d.,]+)", README)[1].replace(",", ""))


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.bin", "held_out.txt", "training.csv"])
def test_files_are_those_that_the_readme_lists(name):
    size, digest = re.search(rf"\| `{re.escape(name)}` \| ([\d,]+) \| `([0-9a-f]{{64}})`", README).groups()
    raw = (HOME / name).read_bytes()
    assert (len(raw), hashlib.sha256(raw).hexdigest()) == (int(size.replace(",", "")), digest)


def test_the_checkpoint_holds_as_many_weights_as_the_readme_says_and_the_rope_tables(weights):
    own = sum(part.size for name, part in weights.items() if name not in ("cos", "sin"))
    assert own == figure("parameters")
    angle = np.arange(CONTEXT)[:, None] * np.array([1, 0.1, 0.01, 0.001])
    np.testing.assert_allclose(weights["cos"], np.cos(angle), atol=1e-6)
    np.testing.assert_allclose(weights["sin"], np.sin(angle), atol=1e-6)


def test_the_tokenizer_has_llama2_c_s_tokens_in_their_places(pieces):
    names = [piece for _, piece in pieces]
    assert len(names) == len(set(names)) == VOCABULARY
    assert names[:3] == [b"<unk>", b"\n<s>\n", b"\n</s>\n"]
    assert names[3:259] == [b"<0x%02X>" % byte for byte in range(256)]


def test_held_out_text_survives_the_tokenizer(pieces, passages):
    assert [decode(row, pieces) for row in passages] == (HOME / "held_out.txt").read_text().splitlines()
    assert sum(map(len, passages)) == figure("tokens held out")
    assert max(map(len, passages)) < CONTEXT


def test_the_loss_on_held_out_text_is_the_one_that_training_logged(weights, passages):
    total = 0.0
    for row in passages:
        found, largest = logits(weights, [BOS, *row[:-1]])
        assert largest <= figure("largest value on the residual stream, held-out text")
        top = found.max(-1)
        total += (top + np.log(np.exp(found - top[:, None]).sum(-1)) - found[np.arange(len(row)), row]).sum()
    mean = total / sum(map(len, passages))
    assert mean == pytest.approx(figure("validation loss, nats a token"), abs=2e-4)


def test_the_log_falls_to_the_figures_of_the_readme_in_under_an_hour():
    with (HOME / "training.csv").open() as lines:
        log = [{name: float(value) for name, value in line.items()} for line in csv.DictReader(lines)]
    assert list(log[0]) == ["step", "train_loss", "validation_loss", "seconds"]
    assert (np.diff([line["step"] for line in log]) > 0).all() and 0 < log[-1]["seconds"] < 3600
    assert log[-1]["validation_loss"] == figure("validation loss, nats a token") < log[0]["validation_loss"]
    assert log[-1]["train_loss"] == figure("training loss, nats a token")


def test_greedy_text_begins_as_the_readme_shows(weights, pieces):
    row = [BOS]
    for _ in range(GREEDY):
        row.append(int(logits(weights, row)[0][-1].argmax()))
    shown = re.search(r"Greedy.*?```text\n(.*?)```", README, re.DOTALL)[1].replace("\n", " ")
    assert shown.startswith(decode(row[1:], pieces))
