"""The command line as its users call it."""

from pathlib import Path

import pytest

from takt.cli import main


@pytest.fixture
def run(capsys):
    """Runs the command line: (status, standard output, standard error)."""

    def call(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        if isinstance(ended.value.code, str):
            return 1, printed.out, printed.err + ended.value.code + "\n"
        return ended.value.code or 0, printed.out, printed.err

    return call


@pytest.fixture
def refused(run):
    """Has a command line fail with one sentence, and nothing of it left in the working directory."""

    def call(command: str, sentence: str) -> None:
        before = sorted(Path.cwd().iterdir())
        status, out, err = run(*command.split())
        assert (status, out) == (1, "")
        assert sentence in err and err.endswith(".\n") and err.count("\n") == 1
        assert sorted(Path.cwd().iterdir()) == before, "nothing partial may be left"

    return call
