"""What the tests of the assembler start from."""

import pytest

from sw.arch.config import load
from sw.asm.program import Program


@pytest.fixture(params=("tiny", "small"))
def program(request) -> Program:
    """An empty program."""
    return Program(load(request.param))
