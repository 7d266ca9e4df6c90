"""Tokens from text and back, and choosing tokens from logits."""

import struct
import time
from itertools import pairwise

import numpy as np
import pytest

from sw.compiler.llama.sample import GenerateError, Sampler
from sw.compiler.llama.tokenizer import Tokenizer, TokenizerError
from tests.compiler.llama_reference import stories

SEED = 20261124
PIECES = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), " ", "a", "b", "c", "ab", "bc", " a", " ab", "é"]


def tokenizer(tmp_path, scores=()):
    """A small one through its file; pieces in `scores` have these, the others fall by number."""
    path, scores = tmp_path / "t.bin", dict(scores)
    data = struct.pack("<i", 6)
    for number, piece in enumerate(PIECES):
        raw = piece.encode()
        data += struct.pack("<fi", scores.get(piece, -number), len(raw)) + raw
    path.write_bytes(data)
    return Tokenizer.read(path)


def names(tokens):
    return [PIECES[token] for token in tokens]


def test_pairs_merge_best_score_first(tmp_path):
    assert names(tokenizer(tmp_path).encode("abc")) == ["<s>", " ab", "c"]
    assert names(tokenizer(tmp_path, {"bc": 1.0}).encode("abc", eos=True)) == ["<s>", " a", "bc", "</s>"]
    assert names(tokenizer(tmp_path).encode("b", bos=False)) == [" ", "b"]
    assert tokenizer(tmp_path).encode("") == [1]


def test_characters_without_a_piece_become_bytes_and_come_back(tmp_path):
    t = tokenizer(tmp_path)
    assert names(t.encode("aé€")) == ["<s>", " a", "é", "<0xE2>", "<0x82>", "<0xAC>"]
    for text in ("abc", " a", "é€\n", "a\tb  c"):
        assert t.decode(t.encode(text)) == text


def test_controls_are_not_shown(tmp_path):
    t = tokenizer(tmp_path)
    assert [t.piece(259, 3 + byte) for byte in (7, 10, 65, 127, 200)] == [b"", b"\n", b"A", b"", b"\xc8"]


def test_broken_tokenizers_are_refused_in_sentences(tmp_path):
    t, path = tokenizer(tmp_path), tmp_path / "t.bin"
    whole = path.read_bytes()
    for data, message in (
        (whole[:-1], "token 267 has 2 bytes, 1 are left"),
        (whole[:-7], "ends inside of token 267"),
        (whole[: 4 + 8 + 5], "holds 1 tokens, the first 3 have fixed meanings"),
    ):
        path.write_bytes(data)
        with pytest.raises(TokenizerError, match=message):
            Tokenizer.read(path)
    few = Tokenizer(t.pieces[:2] + (b"</s>", b" "), t.scores[:4])
    with pytest.raises(TokenizerError, match="a byte without a token; the tokenizer knows 4"):
        few.encode("x")
    with pytest.raises(TokenizerError, match="stray code, at place 1"):
        t.encode("a\udcffb")


def test_pairs_merge_as_one_by_one(tmp_path):
    """Against a search of the whole row for every merge, with scores that are often equal."""
    t = tokenizer(tmp_path, {"ab": 2.0, "bc": 2.0, " a": 1.0, " ab": 1.0})
    print("seed", SEED)
    for letters in np.random.default_rng(SEED).choice(list(" abc"), (200, 12)):
        row = [PIECES[259], *letters]
        while found := [(-t.scores[PIECES.index(a + b)], at) for at, (a, b) in enumerate(pairwise(row)) if a + b in PIECES]:
            at = min(found)[1]
            row[at : at + 2] = [row[at] + row[at + 1]]
        assert names(t.encode("".join(letters), bos=False)) == row


def test_a_long_text_takes_no_square_of_its_length(tmp_path):
    t = tokenizer(tmp_path)
    begin = time.process_time()
    assert len(t.encode("abc" * 100_000, bos=False)) == 200_000
    assert time.process_time() - begin < 60


def test_stories260k_has_the_text_of_its_golden_tokens():
    folder = stories()
    t = Tokenizer.read(folder / "tok512.bin")
    tokens = np.load(folder / "golden_greedy200.npz")["tokens"].tolist()
    text = (folder / "greedy200.txt").read_text()
    assert t.decode(tokens) + "\n" == text
    assert t.encode(text.removesuffix("\n")) == tokens


def test_greedy_takes_the_lowest_of_the_likeliest():
    assert Sampler().choose(np.array([0.0, 3.0, 3.0, 1.0])) == 1


def test_shares_follow_temperature_and_a_seed_repeats():
    logits = np.log([0.1, 0.6, 0.3])
    sampler, again = Sampler(1.0, seed=5), Sampler(1.0, seed=5)
    drawn = [sampler.choose(logits) for _ in range(3000)]
    assert drawn[:50] == [again.choose(logits) for _ in range(50)]
    assert np.abs(np.bincount(drawn) / 3000 - [0.1, 0.6, 0.3]).max() < 0.03
    hot = [Sampler(2.0, seed=seed).choose(logits) for seed in range(3000)]
    expected = np.sqrt([0.1, 0.6, 0.3])
    assert np.abs(np.bincount(hot) / 3000 - expected / expected.sum()).max() < 0.03


@pytest.mark.parametrize(("top_p", "kept"), [(0.5, {1}), (0.65, {1, 2}), (0.95, {0, 1, 2}), (1.0, {0, 1, 2})])
def test_top_p_keeps_the_fewest_that_reach_it(top_p, kept):
    sampler = Sampler(1.0, top_p, seed=1)
    assert {sampler.choose(np.log([0.1, 0.6, 0.3])) for _ in range(300)} == kept


def test_settings_out_of_range_are_refused():
    for temperature in (-1, np.nan, np.inf):
        with pytest.raises(GenerateError, match=f"temperature is {temperature}"):
            Sampler(temperature)
    with pytest.raises(GenerateError, match="top-p is 0"):
        Sampler(1.0, 0)
