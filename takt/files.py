"""Files that are there whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `target` when all went well and is gone when not."""
    try:
        made = tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from error
    with made as partial:
        try:
            yield partial
            partial.flush()
            os.chmod(partial.name, 0o666 & ~_umask())
            os.replace(partial.name, target)
        except BaseException:
            os.unlink(partial.name)
            raise


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Writes texts by file name into a folder, made if it is not there; each takes its place whole."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        with replacing(folder / name) as file:
            file.write(text.encode())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
