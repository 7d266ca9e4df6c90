"""What `make sim` measures, on the golden model with a small random model; and that a wrong bit is seen."""

import dataclasses

import pytest

import takt
from scripts.talk import table, talk
from sw.arch.config import load
from sw.golden.chip import GoldenMachine
from sw.machine import Alone
from tests.compiler.llama_reference import random_model
from tests.takt.test_model import PIECES, language_model

CONFIG = load("small")
SEED = 4


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    language_model(folder)
    return takt.compile(random_model(SEED, vocab=len(PIECES)), CONFIG, tokenizer=folder / "tokenizer.bin")


class WrongBit(GoldenMachine):
    """Reads a wrong bit after the second run."""

    runs = 0

    def run(self, *arguments):
        self.runs += 1
        return super().run(*arguments)

    def read(self, place, addr, words):
        found = super().read(place, addr, words)
        found[0, 0] ^= self.runs == 2
        return found


class Late(GoldenMachine):
    """Takes a cycle more than predicted."""

    def run(self, *arguments):
        run = super().run(*arguments)
        return dataclasses.replace(run, cycles=run.cycles + 1)


def test_every_token_equals_and_the_text_is_shown_as_it_comes(model):
    shown = []
    report = talk(model, Alone(GoldenMachine(CONFIG)), 5, shown.append)
    assert report.good and report.equal_tokens == report.tokens == len(shown) == 5
    assert report.text == "".join(shown) and report.cycles_measured == (model.cycles,)
    assert "5 tokens on paper" in table(report, "paper").title
    assert report.seconds > 0 and report.golden_seconds > 0


def test_a_wrong_bit_and_a_late_cycle_are_seen(model):
    wrong = talk(model, Alone(WrongBit(CONFIG)), 3, lambda piece: None)
    assert (wrong.equal_tokens, wrong.tokens, wrong.good) == (2, 3, False)
    late = talk(model, Alone(Late(CONFIG)), 3, lambda piece: None)
    assert late.equal_tokens == 3 and late.cycles_measured == (model.cycles + 1,) and not late.good
