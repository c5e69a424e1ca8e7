"""Who users are: rows of a CSV file beside the scenario, dealt so that no two have one at once."""

import csv
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from loadgate_scenario import Scenario, ScenarioError

Row = Mapping[str, Any]


def read_rows(path: Path) -> tuple[Row, ...]:
    """All of them. Raises ScenarioError naming the file, and the line of one that does not fit."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            rows = []
            for row in reader:
                if None in row or None in row.values():
                    raise ScenarioError(
                        f"{path}:{reader.line_num}: not as many values as the first line has names"
                    )
                rows.append(row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from None
    if not rows:
        raise ScenarioError(f"{path}: has no row below its first line, the names")
    return tuple(rows)


def rows_of(scenario: Scenario, folder: Path) -> tuple[Row, ...]:
    """Those of its data's file; () where it has none. Raises ScenarioError."""
    data = scenario.users.data
    return read_rows(folder / data) if isinstance(data, str) and data else ()


class Deal:
    """The rows of one of so many processes: a user has one until its session ends.

    Each process deals from its own; when they are all out, it deals them once more.
    """

    def __init__(self, rows: Sequence[Row], index: int, count: int) -> None:
        own = rows[index % count :: count] or rows
        self._free = deque(own)
        self._again = cycle(own)
        self._taken: dict[int, Row] = {}

    def take(self, user: int) -> Row:
        """The row that has been free for longest, in place of the user's last."""
        self.give_back(user)
        if not self._free:
            return next(self._again)
        row = self._taken[user] = self._free.popleft()
        return row

    def give_back(self, user: int) -> None:
        """The user's session is over."""
        if user in self._taken:
            self._free.append(self._taken.pop(user))
