"""The command line as its users call it."""

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
