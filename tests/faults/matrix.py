"""The fault matrix as a whole: every row, and how one is run."""

import ctypes
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import FrameType

import psutil

import tests.faults
from tests.faults.fault import Fault
from tests.processes import words_of

ORPHANS_GONE_WITHIN_S = 5.0
"""Children watch their parent every half second; a busy machine takes longer."""
_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


@dataclass(frozen=True)
class Outcome:
    """A row that was run. ``wrong`` is "" where everything came out as it must."""

    fault: Fault
    came_out: str
    wrong: str
    took_s: float


def rows() -> list[Fault]:
    """Every row of every ``rows_*`` module, in the order of the issue's points."""
    names = sorted(
        m.name for m in iter_modules(tests.faults.__path__) if m.name.startswith("rows_")
    )
    found = [row for name in names for row in import_module(f"tests.faults.{name}").ROWS]
    repeated = [name for name, times in Counter(row.name for row in found).items() if times > 1]
    if repeated:
        raise ValueError(f"rows share a name: {sorted(repeated)}")
    return sorted(found, key=lambda row: (row.item, row.name))


def run_named(name: str) -> tuple[str, str, float]:
    """What came out of a row, why that is wrong, and seconds: values that go between processes."""
    outcome = run_row(next(row for row in rows() if row.name == name))
    return outcome.came_out, outcome.wrong, outcome.took_s


def run_row(fault: Fault) -> Outcome:
    """Inject one fault in a folder of its own; ends and reports whatever it left running."""
    _adopt_orphans()
    before = {process.pid for process in psutil.Process().children()}
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="loadgate-fault-") as folder:
        came_out, wrong = _came_out(fault, Path(folder))
        took_s = time.monotonic() - began_s
        left = _end_orphans(before)
    return Outcome(fault, came_out, wrong or (f"left running: {left}" if left else ""), took_s)


def _came_out(fault: Fault, folder: Path) -> tuple[str, str]:
    try:
        with _within(fault.limit_s):
            seen = fault.do(folder)
    except TimeoutError:
        return "nothing", f"hangs: longer than {fault.limit_s:g} s"
    except Exception as error:  # noqa: BLE001 - a row that raises is a finding, the table goes on
        traceback.print_exc(file=sys.stderr)
        return "nothing", f"raised {type(error).__name__}: {error}"
    came_out = f"{seen.verdict} exit {seen.exit_code}".strip()
    wrong = fault.wrong(seen)
    if wrong:
        sys.stderr.write(f"--- {fault.name}\n{seen.text[-3000:]}\n")
    return came_out, wrong


@contextmanager
def _within(limit_s: float) -> Iterator[None]:
    """Raises TimeoutError in the main thread once the limit is over."""

    def over(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _adopt_orphans() -> None:
    """Whoever loses its parent below us becomes our child, where it can be seen."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_orphans(before: set[int]) -> list[str]:
    """What was started since and is still there after a moment; it is killed."""
    deadline = time.monotonic() + ORPHANS_GONE_WITHIN_S
    while (left := _new_children(before)) and time.monotonic() < deadline:
        psutil.wait_procs(left, timeout=0.1)
    names = []
    for process in left:
        names.append(" ".join(words_of(process)[:4]) or process.name())
        for below in (*process.children(recursive=True), process):
            below.kill()
    psutil.wait_procs(left, timeout=5)
    return names


def _new_children(before: set[int]) -> list[psutil.Process]:
    children = psutil.Process().children()
    return [p for p in children if p.pid not in before and p.status() != psutil.STATUS_ZOMBIE]
