"""Print the JSON Schema of a file that people write, so that editors complete and check it.

The shipped files name theirs (`#:schema`), which docs/reference/ keeps.

Examples:

- `loadgate schema profile > profile.schema.json`
- `loadgate schema thresholds`
- `loadgate schema behaviour`  (what `[services.*]` and `POST /admin/behaviour` take)
"""

from enum import StrEnum
from typing import Annotated

import typer

from harness.manual.schemas import SCHEMAS
from harness.screen.plain import print_json


class What(StrEnum):
    """Files there are schemas of."""

    PROFILE = "profile"
    THRESHOLDS = "thresholds"
    BEHAVIOUR = "behaviour"


def schema(
    of: Annotated[
        What, typer.Argument(metavar="profile|thresholds|behaviour", help="Of which file.")
    ],
) -> None:
    """Print."""
    print_json(SCHEMAS[of]())
