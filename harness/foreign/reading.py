"""Reads a foreign file of whichever format, piece by piece, into a tally."""

import hashlib
from pathlib import Path

from harness.foreign import hdr_log, jmeter, k6, locust, vegeta, wrk2
from harness.foreign.format import Format, Reader
from harness.foreign.source import Heard, Source, ahead, nobody
from harness.foreign.steps import Steps
from harness.foreign.tally import Tally
from harness.foreign.written import Imported
from recording.errors import ConfigError, did_you_mean
from recording.manifest import FileDigest

FORMATS = (
    k6.CSV, k6.JSON, jmeter.CSV, vegeta.CSV, vegeta.JSON, locust.CSV, hdr_log.LOG, wrk2.OUTPUT,
)  # fmt: skip
"""The first that knows the beginning of a file reads it."""
_NOT_READ = (
    (b"<?xml", "XML: let JMeter write CSV (jmeter.save.saveservice.output_format=csv)"),
    (b"PK\x03\x04", "a ZIP archive: unpack it first (gzip is read as it is)"),
)


class Digest:
    """Of a file while it is read; whoever else wants to hear is told."""

    def __init__(self, told: Heard) -> None:
        self._told, self._hash, self._bytes = told, hashlib.sha256(), 0

    def hear(self, data: memoryview) -> None:
        """Take the next of its bytes."""
        self._hash.update(data)
        self._bytes += len(data)
        self._told(data)

    @property
    def of_all(self) -> FileDigest:
        """Of what was heard."""
        return FileDigest(bytes=self._bytes, sha256=self._hash.hexdigest())


def read_foreign(
    path: Path,
    steps: Steps,
    wanted: str | None = None,
    unit: str | None = None,
    told: Heard = nobody,
) -> Imported:
    """What is in the file. ``wanted`` is the key of a format; None: told by its beginning.
    ``unit`` is that of values that do not say it.

    Raises ConfigError naming file, line, column and what is allowed.
    """
    source = Source(path, unit)
    head = source.head()
    found = format_of(path, head, wanted)
    digest, cut = Digest(told), 0
    tally = Tally(steps, str(path), timeless=found.at_once is not None)
    if found.at_once is not None:
        tally.add(found.at_once(source, digest.hear))
    elif found.reader is not None:
        cut = _piece_by_piece(source, found.reader(source, head), tally, found, digest.hear)
    tally.finish()
    if not tally.requests:
        raise ConfigError(f"{path}: {found.title} without any request")
    if unused := tally.unused:
        names = did_you_mean(unused[0], tally.steps)
        raise ConfigError(f"--step {unused[0]}=…: {path} has no request of this name{names}")
    return Imported(path, digest.of_all, found, tally, cut)


def _piece_by_piece(
    source: Source, reader: Reader, tally: Tally, found: Format, told: Heard
) -> int:
    """How many records were left out, as they were cut off."""
    cut = 0
    for piece in ahead(source.pieces(quoted=found.quoted, told=told)):
        if not piece.whole and reader.is_cut_off(piece):
            cut += 1
        else:
            tally.add(reader(source, piece))
    return cut


def format_of(path: Path, head: bytes, wanted: str | None) -> Format:
    """Raises ConfigError where it is none that is read, with a list of those that are."""
    keys = {each.key: each for each in FORMATS}
    if wanted is not None:
        if wanted not in keys:
            raise ConfigError(f"--format {wanted}: no such format{did_you_mean(wanted, keys)}")
        return keys[wanted]
    for each in FORMATS:
        if each.begins(head):
            return each
    why = next((text for mark, text in _NOT_READ if head.startswith(mark)), "")
    known = ", ".join(each.title for each in FORMATS)
    said = f"is {why}" if why else "its beginning is that of no results that are read"
    raise ConfigError(f"{path}: {said}; known: {known} (say --format where it is one of them)")
