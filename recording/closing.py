"""Closes a recording, and says afterwards which of its files are not what they were then."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from recording.errors import StorageError
from recording.files import open_regular, why
from recording.manifest import DIGESTS_SINCE, FileDigest, Manifest, write_manifest
from recording.rundir import COMPANIONS, EVIDENCE, RunDir


def close_run(run: RunDir, manifest: Manifest) -> None:
    """Write the manifest with the digests of all files, to which nothing is added any more.

    Raises StorageError; the manifest from before stands then.
    """
    try:
        found = {name: _digest(run.root / name) for name in EVIDENCE}
    except OSError as error:
        raise StorageError(f"{run.root}: cannot be closed: {why(error)}") from error
    files = {name: digest for name, digest in found.items() if digest is not None}
    write_manifest(run.manifest, manifest.model_copy(update={"files": files}))


def changed_files(run: RunDir, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Name of each file that is not as it was when the run was closed, and what became of it.

    Nothing is known of a run that was not closed, nor of format 1, which has no digests.
    """
    if manifest.format < DIGESTS_SINCE or manifest.ended == "running":
        return
    if manifest.files is None:
        yield "manifest.json", "has no digests of the other files"
        return
    for name in EVIDENCE:
        if became := _became(run.root / name, manifest.files.get(name)):
            yield name, became


def _became(path: Path, closed: FileDigest | None) -> str:
    try:
        now = _digest(path)
    except OSError as error:
        return f"cannot be read: {why(error)}"
    if now == closed:
        return ""
    if now is None:
        return "is gone"
    if closed is None:
        return "was not there when the run was closed"
    if now.bytes != closed.bytes:
        return f"has {now.bytes} bytes, and had {closed.bytes} when the run was closed"
    return "was changed after the run was closed"


def _digest(path: Path) -> FileDigest | None:
    """None for a file that is not there, or that SQLite left empty beside its database."""
    try:
        with open_regular(path) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except FileNotFoundError:
        return None
    if not size and path.name.endswith(COMPANIONS):
        return None
    return FileDigest(bytes=size, sha256=digest)
