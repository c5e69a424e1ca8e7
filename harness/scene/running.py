"""Mocks that run by themselves, as other terminals of the same user find them.

Whoever serves leaves a note with addresses and token that only its user can read, and holds its
lock. The kernel drops the lock when the owner dies, by a ``kill -9`` too: a note that nobody
holds is a dead one's, and whoever meets it removes it.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.scene.services import Services
from recording.errors import ConfigError
from recording.files import why

FOLDER = "loadgate"


class Mock(BaseModel):
    """One of them."""

    model_config = ConfigDict(frozen=True)

    subject: str
    url: str
    log: str


class Running(BaseModel):
    """Those of one ``loadgate mocks``, by their keys."""

    model_config = ConfigDict(frozen=True)

    pid: int
    port_base: int
    seed: int
    admin_token: str
    mocks: Mapping[str, Mock]


def running_of(services: Services, port_base: int, seed: int) -> Running:
    """What others are to know of them."""
    mocks = {
        each.name: Mock(subject=each.subject, url=each.url, log=str(each.log.resolve()))
        for each in services.services
    }
    token = services.admin_token
    return Running(pid=os.getpid(), port_base=port_base, seed=seed, admin_token=token, mocks=mocks)


def notes_folder() -> Path:
    """In $XDG_RUNTIME_DIR, or else in $XDG_STATE_HOME or ~/.local/state."""
    given = (os.environ.get(name, "") for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME"))
    base = next((Path(text) for text in given if text.startswith("/")), None)
    return (base or Path.home() / ".local" / "state") / FOLDER


@contextmanager
def noted(running: Running) -> Iterator[None]:
    """Found by others for as long as this lasts. Raises ConfigError where no note can be left."""
    folder = notes_folder()
    try:
        _make_private(folder)
        held, name = tempfile.mkstemp(dir=folder)  # 0600
        fcntl.flock(held, fcntl.LOCK_EX)
        os.write(held, running.model_dump_json().encode())
        note = Path(name).replace(folder / f"mocks-{running.port_base}.json")
    except OSError as error:
        raise ConfigError(f"{folder}: no note can be left there: {why(error)}") from error
    try:
        yield
    finally:
        note.unlink(missing_ok=True)
        os.close(held)


def the_running(port_base: int | None) -> Running:
    """Those at this port, or the only ones there are. Raises ConfigError that says which."""
    found = {each.port_base: each for each in _all()}
    if not found:
        raise ConfigError("no mocks are running: start them with `loadgate mocks`")
    bases = ", ".join(map(str, sorted(found)))
    if port_base is None and len(found) > 1:
        raise ConfigError(f"several mocks are running: choose by --port-base ({bases})")
    if port_base is not None and port_base not in found:
        raise ConfigError(f"no mocks are running at --port-base {port_base}, but at {bases}")
    return found[port_base] if port_base is not None else next(iter(found.values()))


def _all() -> Iterator[Running]:
    for note in sorted(notes_folder().glob("mocks-*.json")):
        if (text := _read_live(note)) is not None:
            try:
                yield Running.model_validate_json(text)
            except ValidationError:
                raise ConfigError(f"{note}: not a note of this version's mocks") from None


def _read_live(note: Path) -> str | None:
    """What it says; None where its owner is gone, and then it is too."""
    with suppress(FileNotFoundError), note.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read()
        note.unlink(missing_ok=True)
    return None


def _make_private(folder: Path) -> None:
    """Raises OSError for one of somebody else."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
