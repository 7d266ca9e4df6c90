"""Random programs: valid ones pass, broken ones do not, and mutants are judged as the naive reference judges
them."""

import random
from collections import Counter

import pytest

from sw.arch.config import load
from sw.asm.entry import ProgramError
from sw.asm.timeline import TimelineError
from sw.check.program import check
from sw.isa.codec import EncodeError
from sw.isa.table import TABLE
from tests.check.reference import Reference
from tests.programs import break_program, random_program
from tests.programs.broken import BREAKERS
from tests.programs.mutate import mutate

CONFIGS = {
    "tiny": load("tiny"),
    "fpga": load("fpga"),
    "bare": load("tiny").replace(
        superlanes=1, queue_words=128, ecc={"streams": False, "accumulators": False, "queues": False}
    ),
    "tall": load("tiny").replace(superlanes=3, queue_words=128, mem={"slices": 8}),
}


def marks(findings, rules=("",)):
    return {(f.rule, f.queue, f.cycle) for f in findings if f.rule.startswith(rules)}


@pytest.mark.parametrize("name", CONFIGS)
def test_random_programs_are_accepted(name):
    for seed in range(8):
        image = random_program(CONFIGS[name], seed, 120).image()
        assert [str(f) for f in check(image)] == [], f"{name}, seed {seed}"
        assert not Reference(image).broken, f"{name}, seed {seed}"


@pytest.mark.parametrize(("name", "seed"), [("small", 0), ("small", 1), ("full", 0)])
def test_random_programs_of_large_chips_are_accepted(name, seed):
    assert [str(f) for f in check(random_program(load(name), seed, 250).image())] == []


def test_random_programs_use_everything():
    used = Counter()
    for seed in range(40):
        program = random_program(CONFIGS["tiny"], seed, 120)
        for words in program.entries.values():
            for entry in words.values():
                used.update(op.instr.name for op in entry.slots.values())
    wanted = {row.name for row in TABLE if not row.cls.startswith("C2C")} - {"HALT", "NOP", "REPEAT"}
    assert wanted - set(used) == set()


@pytest.mark.parametrize("name", CONFIGS)
def test_programs_broken_on_purpose_are_refused_for_the_right_reason(name):
    seen = Counter()
    for seed in range(25):
        broken, rule = break_program(random_program(CONFIGS[name], seed % 5, 60), seed)
        found = {f.rule for f in check(broken.image())}
        assert rule in found, f"{name}, seed {seed}: {rule} not in {found}"
        seen[rule] += 1
    assert len(seen) > len(BREAKERS) // 2


@pytest.mark.parametrize("name", ["tiny", "tall"])
@pytest.mark.parametrize("seed", range(3))
def test_mutants_are_judged_as_the_reference_judges_them(name, seed):
    program = random_program(CONFIGS[name], seed, 60)
    rng, verdicts, rules = random.Random(seed), Counter(), Counter()
    for number in range(40):
        try:
            image = mutate(program, rng).image()
            reference = Reference(image)
        except (ProgramError, EncodeError):
            continue
        except TimelineError as error:
            assert marks(check(image)) == {("queue", error.queue.name, error.cycle)}
            continue
        findings = check(image, limit=100_000)
        where = f"{name}, seed {seed}, mutant {number}"
        assert {f.rule for f in findings} == {rule for rule, *_ in reference.broken}, where
        exact = (
            "stream-unwritten",
            "mem-uninitialised",
            "mem-bank",
            "vxm-chain",
            "acc-pass",
            "acc-unset",
            "sxm-map",
        )
        assert marks(findings, exact) == {b for b in reference.broken if b[0] in exact}, where
        verdicts[bool(findings)] += 1
        rules.update({f.rule for f in findings})
    assert verdicts[True] and verdicts[False]
    assert len(rules) > 3
