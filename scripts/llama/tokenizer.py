"""The tokenizer: 512 byte pair pieces by sentencepiece, written in the format of llama2.c."""

import io
import struct
from pathlib import Path

import sentencepiece

VOCABULARY = 512
UNKNOWN, BOS, EOS = 0, 1, 2


def train(verses: list[str]) -> sentencepiece.SentencePieceProcessor:
    """A tokenizer made of `verses`, with llama2.c's settings: text unchanged, unknown characters as bytes, 0 1 2 reserved."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(verses),
        model_writer=model,
        model_type="bpe",
        vocab_size=VOCABULARY,
        character_coverage=1.0,
        normalization_rule_name="identity",
        byte_fallback=True,
        split_digits=True,
        input_sentence_size=0,
        num_threads=1,
        unk_id=UNKNOWN,
        bos_id=BOS,
        eos_id=EOS,
        minloglevel=1,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def write(tokenizer: sentencepiece.SentencePieceProcessor, path: Path) -> None:
    """Writes int32 longest piece in bytes, then for each token float32 score, int32 length, bytes; a space is a space."""
    pieces = []
    for token in range(tokenizer.vocab_size()):
        piece = tokenizer.id_to_piece(token).replace("\u2581", " ")
        pieces.append({BOS: "\n<s>\n", EOS: "\n</s>\n"}.get(token, piece).encode())
    with path.open("wb") as out:
        out.write(struct.pack("<i", max(map(len, pieces))))
        for token, piece in enumerate(pieces):
            out.write(struct.pack("<fi", tokenizer.get_score(token), len(piece)) + piece)
