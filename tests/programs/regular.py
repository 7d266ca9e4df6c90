"""The programs that every change of the chip is run with, golden model against RTL."""

from collections.abc import Iterator

from sw.arch.config import Config
from sw.asm.program import Program
from tests.programs import directed_icu, directed_mem, directed_mxm, directed_sxm, directed_vxm
from tests.programs.generate import random_program
from tests.programs.stage import pack

DIRECTED = {
    "icu": directed_icu.experiments,
    "mem": directed_mem.experiments,
    "mxm": directed_mxm.experiments,
    "sxm": directed_sxm.experiments,
    "vxm": directed_vxm.experiments,
}
#: Seeds of the random programs, and their size in transactions.
SEEDS, SIZE = range(25), 200


def directed(c: Config, family: str) -> Iterator[tuple[str, Program]]:
    """The directed programs of one family, with names."""
    if family == "fetch":
        yield from directed_icu.fetching(c)
    else:
        for number, program in enumerate(pack(c, DIRECTED[family](c))):
            yield f"{family} {number}", program


def regular(c: Config) -> Iterator[tuple[str, Program]]:
    """All directed programs and the random ones."""
    for family in (*DIRECTED, "fetch"):
        yield from directed(c, family)
    for seed in SEEDS:
        yield f"random {seed}", random_program(c, seed, SIZE)
