"""``python -m locustfiles.look FILE``: what a locustfile has, as JSON, before it makes any load.

``users`` are its classes of users with their hosts, ``shapes`` its load shapes, ``error`` is why it
has none.
"""

import contextlib
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from locust.util.load_locustfile import is_shape_class, is_user_class

from locustfiles.isolated import load


def look(path: Path) -> dict[str, Any]:
    """Load it, whatever it does then."""
    try:
        found = list(vars(load(path)).values())
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it does
        return {"error": _said(path, error)}
    users = {kind.__name__: kind.host for kind in found if is_user_class(kind)}
    return {"users": users, "shapes": sorted({k.__name__ for k in found if is_shape_class(k)})}


def _said(path: Path, error: BaseException) -> str:
    """What went wrong, and in which line of the file."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    own = error.lineno if isinstance(error, SyntaxError) else (lines or [None])[-1]
    where = f"line {own}: " if own else ""
    return f"{where}{type(error).__name__}: {error}"


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        seen = look(Path(sys.argv[1]))
    sys.stdout.write(json.dumps(seen) + "\n")
