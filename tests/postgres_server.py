"""A real PostgreSQL of its own: in a folder of its own, on a port of its own, as no root."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

from harness.generator.generator import free_port

ROLE = "lt"
STARTED_WITHIN_S = 30.0
_DEBIAN = Path("/usr/lib/postgresql")
_NOT_ROOT = ("postgres", "nobody")
"""Whom the server runs as where the tests run as root: it refuses to be root."""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",  # what is written outlives the process, and no test cuts the power
    "shared_buffers": "16MB",
    "max_connections": "40",
    "max_wal_size": "64MB",
    "log_min_messages": "fatal",
}


def binary(name: str) -> str | None:
    """Where a program of PostgreSQL lies; Debian has them outside of PATH."""
    found = sorted(_DEBIAN.glob(f"*/bin/{name}")) if _DEBIAN.is_dir() else []
    return str(found[-1]) if found else shutil.which(name)


def missing() -> str:
    """Why there can be no server here; "" where there can."""
    lacking = [name for name in ("initdb", "postgres", "pg_basebackup") if binary(name) is None]
    return f"no {', '.join(lacking)}: apt-get install postgresql" if lacking else ""


@dataclass
class Server:
    """Listens on 127.0.0.1 while it is up."""

    folder: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Of the database that every server has."""
        return f"postgresql://{ROLE}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """And wait until it takes connections."""
        told = {**SETTINGS, "unix_socket_directories": str(self.folder), **self.settings}
        options = [word for pair in told.items() for word in ("-c", "=".join(pair))]
        command = [str(binary("postgres")), "-D", str(self.folder), "-p", str(self.port), *options]
        self.process = _popen(command, self.folder)
        deadline_s = time.monotonic() + STARTED_WITHIN_S
        while not self.answers():
            assert self.process.poll() is None, _log(self.folder).read_text()
            assert time.monotonic() < deadline_s, "PostgreSQL did not come up"
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it takes connections."""
        with suppress(psycopg.OperationalError), psycopg.connect(self.url, connect_timeout=2):
            return True
        return False

    def kill(self) -> None:
        """SIGKILL, for it and for each process of a connection: nothing is said to anybody."""
        assert self.process is not None
        below = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        for each in below:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        assert not psutil.wait_procs(below, STARTED_WITHIN_S)[1]

    def stop(self) -> None:
        """At once, without waiting for anybody's connection."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(STARTED_WITHIN_S)

    def ask(self, query: str, *values: Any) -> list[Any]:
        """Rows, or none."""
        with psycopg.connect(self.url, autocommit=True, client_encoding="utf8") as connection:
            found = connection.execute(query.encode(), values or None)
            return found.fetchall() if found.description else []


@contextmanager
def serving(**settings: str) -> Iterator[Server]:
    """A new and empty server, gone afterwards."""
    with _own_folder() as folder:
        words = ("--username", ROLE, "--auth", "trust", "--locale", "C", "--no-sync")
        made = _popen([str(binary("initdb")), "--pgdata", str(folder), *words], folder)
        assert made.wait(STARTED_WITHIN_S) == 0, _log(folder).read_text()
        server = Server(folder, free_port(), settings)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def standby_of(primary: Server) -> Iterator[Server]:
    """A replica that streams from it."""
    with _own_folder() as folder:
        words = ("--pgdata", str(folder), "--dbname", primary.url, "--write-recovery-conf")
        fast = ("--checkpoint", "fast", "--no-sync", "--wal-method", "stream")
        made = _popen([str(binary("pg_basebackup")), *words, *fast], folder)
        assert made.wait(STARTED_WITHIN_S) == 0, _log(folder).read_text()
        server = Server(folder, free_port(), {"hot_standby": "on"})
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def _own_folder() -> Iterator[Path]:
    """Of whom the server runs as; not below pytest's own, which only the tests' user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="loadgate-postgres-"))
    try:
        if who := _who():
            os.chown(folder, who.pw_uid, who.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder)
        _log(folder).unlink(missing_ok=True)


def _log(folder: Path) -> Path:
    return Path(f"{folder}.log")


def _who() -> pwd.struct_passwd | None:
    if os.geteuid():
        return None
    users = {user.pw_name: user for user in pwd.getpwall()}
    return next(users[name] for name in _NOT_ROOT if name in users)


def _popen(command: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    who = _who()
    theirs = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if who else {}
    with _log(folder).open("ab") as written:
        return subprocess.Popen(
            command, cwd="/", stdout=written, stderr=written, stdin=subprocess.DEVNULL,
            start_new_session=True, **theirs,
        )  # fmt: skip
