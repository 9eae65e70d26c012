"""A folder for a Ray cluster of this machine, and a process that outlives its owner to clear it.

An owner that is killed leaves Ray's agents behind, which ask for their dead head for a minute, and
what Ray wrote. The guard waits until its owner has left or died, kills whoever else names the
folder in its command line or has a file open there, and removes the folder. It runs by its path,
without svhn_tune.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

# Seconds for what was killed to be gone, and for the guard to be done.
GONE, DONE = 5.0, 20.0


@contextmanager
def guarded_folder(prefix: str) -> Iterator[str]:
    """A temporary folder, which goes with the processes that name it when this process is left."""
    folder = tempfile.mkdtemp(prefix=prefix)
    # Of a session of its own: Ctrl-C, and a terminal that is closed, are its owner's.
    guard = subprocess.Popen(
        [sys.executable, "-P", __file__, folder, str(os.getpid())],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield folder
    finally:
        with suppress(subprocess.TimeoutExpired):
            guard.communicate(timeout=DONE)


def clear(folder: str, owner: int) -> None:
    """Kill whoever is at work in this folder but its owner, and remove it."""
    spared = owner, os.getpid()
    while named := [
        each for each in psutil.process_iter() if each.pid not in spared and _names(each, folder)
    ]:
        for process in named:
            with suppress(psutil.Error):
                process.kill()
        if psutil.wait_procs(named, timeout=GONE)[1]:
            break
    shutil.rmtree(folder, ignore_errors=True)


def _names(process: psutil.Process, folder: str) -> bool:
    """Whether it names the folder, or has a file open there: agents change their command line."""
    with suppress(psutil.Error):
        opened = (file.path for file in process.open_files())
        return any(folder in text for text in (" ".join(process.cmdline()), *opened))
    return False


if __name__ == "__main__":
    # It ends when the owner closes it, by whatever end.
    sys.stdin.read()
    clear(sys.argv[1], int(sys.argv[2]))
