"""One long command with a log file, a time limit and a sign of life."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

_POLL_S = 0.05
_KILLED = "it was stopped after its limit of {:g} s"


def run_logged(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    timeout_s: float,
    on_poll: Callable[[], None] = lambda: None,
) -> str | None:
    """Run `command` with its output in `log`; None if it succeeded, else a phrase that says how it ended.

    on_poll is called some times a second meanwhile.
    """
    deadline = time.monotonic() + timeout_s
    with log.open("w") as output:
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while child.poll() is None:
                if time.monotonic() > deadline:
                    return _KILLED.format(timeout_s)
                on_poll()
                time.sleep(_POLL_S)
        finally:
            # The whole group, since compilers are children of children.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if child.returncode < 0:
        return f"it died of signal {-child.returncode}"
    return f"it ended with status {child.returncode}" if child.returncode else None


def run_with_progress(title: str, command: Sequence[str], *, cwd: Path, **options) -> str | None:
    """`run_logged` of a compilation in `cwd`, with a bar on the terminal of object files done.

    Without a terminal, one line when it starts and one when it ends.
    """
    console = Console(stderr=True)
    start = time.monotonic()
    if not console.is_terminal:
        print(f"{title} ...", file=sys.stderr, flush=True)
        status = run_logged(command, cwd=cwd, **options)
        print(f"{title}: {status or 'done'}, {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)
        return status
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(title, total=None)

        def count() -> None:
            units = {path.with_suffix("") for path in cwd.rglob("*.cpp")}
            objects = {path.with_suffix("") for path in cwd.rglob("*.o")}
            progress.update(bar, total=len(units) or None, completed=len(units & objects))

        return run_logged(command, cwd=cwd, on_poll=count, **options)


def tail(log: Path, lines: int = 40) -> str:
    """The last lines of a log file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
