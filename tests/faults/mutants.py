"""What may become of a file: changed bytes, changed values, and other things in its place."""

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

NUMBERS = (
    b"nan", b"inf", b"-inf", b"1e309", b"-1", b"9" * 40, b"0", b"true", b"null", b'"x"', b"\xff",
    b"[]", b"", b"1e-320", b"0x1f",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, float("nan"), float("inf"), 2**70, "", "x", "\ud800", [], [None], {},
    {"x": 1},
)  # fmt: skip
UNREADABLE, LOOP = "unreadable", "a link to itself"
Bytes = Callable[[bytes, random.Random], bytes]
Place = Callable[[Path, Path], object]


def _flip(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _behead(data: bytes, rng: random.Random) -> bytes:
    return data[rng.randrange(1, len(data) + 1) :]


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.randint(1, 9)) + data[at:]


def _append(data: bytes, rng: random.Random) -> bytes:
    return data + rng.choice((b"\0" * 4096, b"\n", b"x" * 70_000, data, b"{", b",,,\n"))


def _zeros(data: bytes, rng: random.Random) -> bytes:
    """What a disk gives back after a crash: the length, and nothing in it."""
    at = rng.randrange(len(data))
    return data[:at] + bytes(len(data) - at)


def _empty(data: bytes, rng: random.Random) -> bytes:
    return b""


def _crlf(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"\n", b"\r\n")


def _number(data: bytes, rng: random.Random) -> bytes:
    """A number becomes none, or one that nothing measures."""
    starts = [i for i, byte in enumerate(data[:20_000]) if chr(byte).isdigit()]
    at = rng.choice(starts) if starts else 0
    return data[:at] + rng.choice(NUMBERS) + data[at + 1 :]


def _cell(data: bytes, rng: random.Random) -> bytes:
    """A whole cell of a line, or whatever stands between commas."""
    lines = data.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    cells = lines[at].rstrip(b"\n").split(b",")
    cells[rng.randrange(len(cells))] = rng.choice(NUMBERS)
    lines[at] = b",".join(cells) + b"\n"
    return b"".join(lines)


def _lines(data: bytes, rng: random.Random) -> bytes:
    """A line is left out, there twice, or another's neighbour."""
    lines = data.splitlines(keepends=True)
    at, other, kind = rng.randrange(len(lines)), rng.randrange(len(lines)), rng.randrange(3)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(other, lines[at])
    else:
        lines[at], lines[other] = lines[other], lines[at]
    return b"".join(lines)


def _value(data: bytes, rng: random.Random) -> bytes:
    """A value of a JSON table becomes one of another type, or is left out."""
    try:
        return json.dumps(_spoilt(json.loads(data), rng)).encode()
    except ValueError:
        pass
    lines = data.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    try:
        lines[at] = json.dumps(_spoilt(json.loads(lines[at]), rng)).encode() + b"\n"
    except ValueError:
        return data
    return b"".join(lines)


def _spoilt(value: Any, rng: random.Random) -> Any:
    """The same with one value somewhere below changed."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.1:
        return rng.choice(VALUES)
    keys = list(value) if isinstance(value, dict) else range(len(value))
    key = rng.choice(keys)
    if rng.random() < 0.2:
        del value[key]
    else:
        value[key] = _spoilt(value[key], rng)
    return value


BYTES: tuple[Bytes, ...] = (
    _flip, _cut, _behead, _insert, _append, _zeros, _empty, _crlf, _number, _cell, _lines, _value,
)  # fmt: skip


def _away(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _copy(path: Path, other: Path) -> None:
    _away(path)
    shutil.copy(other, path)


PLACES: dict[str, Place] = {
    "gone": lambda path, other: _away(path),
    "a folder": lambda path, other: (_away(path), path.mkdir()),
    "a pipe": lambda path, other: (_away(path), os.mkfifo(path)),
    "a device": lambda path, other: (_away(path), path.symlink_to("/dev/zero")),
    LOOP: lambda path, other: (_away(path), path.symlink_to(path)),
    "a link to nothing": lambda path, other: (_away(path), path.symlink_to("nothing")),
    "a file": lambda path, other: (_away(path), path.write_bytes(b"\0")),
    UNREADABLE: lambda path, other: path.chmod(0) if path.exists() else path.mkdir(0),
    "another run's": _copy,
}
