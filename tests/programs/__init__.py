"""Random programs: valid by construction, and broken on purpose."""

from tests.programs.broken import BREAKERS, break_program
from tests.programs.generate import random_program

__all__ = ["BREAKERS", "break_program", "random_program"]
