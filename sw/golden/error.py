"""What is wrong with a program that the golden model cannot give a meaning."""


class GoldenError(RuntimeError):
    """A program without a meaning, since it reads what nobody wrote; the text names queue and cycle."""
