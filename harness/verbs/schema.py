"""Print the JSON Schema of a file that people write, for editors, or of verdict.json.

The shipped files name theirs (`#:schema`), which docs/reference/ keeps.

Examples:

- `loadgate schema profile > profile.schema.json`
- `loadgate schema thresholds`
- `loadgate schema behaviour`  (what `[services.*]` takes)
- `loadgate schema verdict`  (what verdict.json holds)
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
    VERDICT = "verdict"


def schema(
    of: Annotated[
        What, typer.Argument(metavar="profile|thresholds|behaviour|verdict", help="Of which file.")
    ],
) -> None:
    """Print."""
    print_json(SCHEMAS[of]())
