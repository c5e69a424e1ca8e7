"""What can stand where a file was asked for, and what must be said of it."""

import os
from pathlib import Path


def fifo(path: Path) -> None:
    os.mkfifo(path)


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10 * 2**30)  # sparse: takes no room


NOT_FILES = {
    "fifo": (fifo, "cannot be read: not a regular file"),
    "folder": (Path.mkdir, "cannot be read: not a regular file"),
    "zero": (lambda path: path.symlink_to("/dev/zero"), "cannot be read: not a regular file"),
    "huge": (huge, "cannot be read: larger than 4 MB"),
    "loop": (lambda path: path.symlink_to(path), "cannot be read: Too many levels"),
    "absent": (lambda path: None, "no such file"),
    "latin": (lambda path: path.write_bytes(b"name = '\xe9'"), "cannot be read: not UTF-8"),
}
