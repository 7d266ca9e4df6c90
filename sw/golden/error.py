"""What is wrong with a program that the golden model cannot give a meaning."""


class GoldenError(RuntimeError):
    """A program without a meaning (it reads what nobody wrote); the text names queue, instruction and cycle."""
