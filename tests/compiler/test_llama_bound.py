"""The lower bound of cycles per token, against numbers worked out by hand from `docs/isa.md`."""

import pytest

from sw.arch.config import load
from sw.compiler.llama.bound import token_bound
from tests.compiler.llama_reference import random_model

#: On `small` the vector unit is 8 stops from the planes and 7 from the switch units; ABC takes 13 in FP16 and 7 in
#: INT8, ACC 7, REDUCE 31. chain: ADD, MUL, CONVERT 7 at the end and 4 before it, MIN 1, EXP2, RSQRT, RECIP 10 and 7.
PRODUCT = 7 + 13 + 7 + 7
INT8_PRODUCT = 7 + 7 + 7 + 7
REDUCE = 6 + 31 + 6


def steps(bound, layer):
    prefix = f"layer {layer}: "
    return {
        step.name.removeprefix(prefix): (step.latency, step.occupancy)
        for step in bound.steps
        if step.name.startswith(prefix)
    }


def small_model(**changes):
    """All matrices fit one tile of `small`, but the feed-forward's, which take two by one and one by two."""
    return random_model(31, dim=64, hidden=96, layers=2, heads=4, kv_heads=2, head_size=16, vocab=256, **changes)


def test_steps_of_a_small_model_in_fp16():
    bound = token_bound(small_model(context=256), load("small"))
    for layer in (0, 1):
        assert steps(bound, layer) == {
            # factor: 4 + 7, REDUCE, 4 + 7; products: 4 + 7, PRODUCT, 4, and two tiles a plane
            "attention in": (11 + REDUCE + 11, 0),
            "q and k": (4 + 7, 0),
            # 4 heads, 4 blocks, 2 cycles, 2 planes
            "scores and their maximum": (PRODUCT + 1 + 4 + REDUCE, 14),
            # 16 items: three operations on 16 ALUs, one on 8 of them
            "exponentials": (4 + 7, 2),
            # the sum: 7, REDUCE, 7; the mix: 7, PRODUCT, 4, and 14 more
            "mix, or its sum's reciprocal": (7 + REDUCE + 7, 7 + PRODUCT + 4 + 14 - (7 + REDUCE + 7)),
            "mixed into wo": (4 + 7, 0),
            # four tiles, two a plane
            "wo": (PRODUCT, 2),
            "feed-forward in": (11 + REDUCE + 11, 0),
            "SiLU": (4 + 7 + 4 + 7 + 4 + 7, 0),
            "w2": (PRODUCT + 4, 0),
            "planes": (0, 0),
        }
    names = [step.name for step in bound.steps]
    ends = [bound.steps[0].latency, bound.steps[-2].latency, bound.steps[-1].latency]
    # READ 2 and GATHER 4; factor; MUL, WRITE and HALT
    assert ends == [6, 65, 9] and names[-2:] == ["classifier in", "logits"]
    # 65 + 11 + 96 + 13 + 59 + 11 + 36 + 65 + 33 + 38 a layer
    assert bound.total == 6 + 2 * 427 + 65 + 9


def test_steps_of_a_small_model_in_int8():
    bound = token_bound(small_model(context=256), load("small"), "int8")
    found = steps(bound, 1)
    # ADD, MUL, ADD, CONVERT, XOR; SHL, ADD, CONVERT, and RoPE's MUL; two rows
    products = 4 + 4 + 4 + 4 + 4 + INT8_PRODUCT + 1 + 1 + 4 + 4
    assert found["attention in"] == (max(65, products), max(0, products + 1 + 2 * 1 - 65))
    assert found["mixed into wo"] == (4 + 4 + 4 + 4, 0)
    assert found["wo"] == (INT8_PRODUCT + 1 + 1 + 4 + 4, 1 + 2)
    assert found["SiLU"] == (4 + 7 + 4 + 7 + 4 + 4 + 4 + 4, 0)
    # two parts on two planes join in INT32
    assert found["w2"] == (INT8_PRODUCT + 1 + 1 + 1 + 4 + 4, 1)


def test_a_layer_that_keeps_the_planes_busy_is_as_long_as_that():
    model = random_model(32, dim=64, hidden=64, layers=1, heads=64, kv_heads=64, head_size=32, vocab=64)
    bound = token_bound(model, load("small"))
    whole = sum(sum(step) for step in steps(bound, 0).values())
    # q, k, v and both rotated: 160 tiles; wo 32; w1, w3: 2; w2: 1; 64 passes each of scores and mix; 2,048 to transpose
    assert whole == 2 * (160 + 32 + 2 + 1 + 64 + 64 + 2048) // 2
    assert steps(bound, 0)["planes"][1] > 0


def test_a_shorter_context_costs_less():
    model = small_model(context=256)
    totals = [token_bound(model, load("small"), context=context).total for context in (64, 128, 256)]
    assert totals == sorted(totals) and len(set(totals)) == 3


def test_precisions_and_chips_without_what_it_needs_are_refused():
    with pytest.raises(ValueError, match="precision is 'fp32'"):
        token_bound(small_model(), load("small"), "fp32")
    with pytest.raises(ValueError, match="has no SXM"):
        none = dict.fromkeys(("shift", "permute", "distribute", "rotate", "transpose", "reduce"), 0)
        token_bound(small_model(), load("small").replace(sxm=none))
