"""A simulator that runs beside us and answers requests, which its chips take through their host ports."""

import os
import socket
import tempfile
import threading
from contextlib import suppress
from multiprocessing.connection import Listener
from pathlib import Path

from sw.machine import MachineError
from tb.harness import run
from tb.tb_serve import ADDRESS, KEY


class Simulation:
    """A run of `tb.tb_serve` on a simulator. MachineError for what a chip or the simulator refuses.

    build_dir : the simulator
    folder : where log and waves of the run go; a temporary one when None
    environment : more for the simulator
    """

    def __init__(self, build_dir: Path, folder: Path | None = None, environment: dict[str, str] | None = None):
        self._temporary = None if folder else tempfile.TemporaryDirectory()
        self.folder = Path(folder or self._temporary.name)
        self._failure: Exception | None = None
        key = os.urandom(16)
        self._listener = Listener(str(self.folder / "wire"), family="AF_UNIX", authkey=key)
        given = {ADDRESS: self._listener.address, KEY: key.hex()} | (environment or {})
        self._thread = threading.Thread(target=self._simulate, args=(build_dir, given), daemon=True)
        self._thread.start()
        self._wire = self._accept()

    @property
    def log(self) -> Path:
        """What the simulator says."""
        return self.folder / "sim.log"

    def request(self, chip: int, name: str, *arguments):
        """What a chip answers, see `tb.tb_serve`; MachineError if it refuses, or the simulator ends."""
        try:
            self._wire.send((chip, name, arguments))
            status, result = self._wire.recv()
        except (EOFError, OSError) as error:
            self._thread.join()
            raise MachineError(f"The simulator ended during '{name}': {self._failure}") from error
        if status != "ok":
            raise MachineError(f"The chip refused '{name}': {result}")
        return result

    def close(self) -> None:
        """Ends the simulator; MachineError if a simulation assertion or a test of its own failed."""
        if self._wire:
            try:
                self.request(0, "close")
            finally:
                self._wire.close()
                self._wire = None
                self._listener.close()
                self._thread.join()
                failure = self._failure
                if self._temporary:
                    self._temporary.cleanup()
            if failure:
                raise MachineError(str(failure)) from failure

    def _simulate(self, build_dir: Path, environment: dict) -> None:
        try:
            run(build_dir, "tb.tb_serve", test_dir=self.folder, env=environment)
        except Exception as error:
            self._failure = error
            # Wakes `_accept` if the simulator died before it connected; to close the listener would not.
            with socket.socket(socket.AF_UNIX) as wake, suppress(OSError):
                wake.connect(str(self.folder / "wire"))

    def _accept(self):
        try:
            return self._listener.accept()
        except (OSError, EOFError) as error:
            self._thread.join()
            raise MachineError(f"The simulator did not start: {self._failure}") from error
