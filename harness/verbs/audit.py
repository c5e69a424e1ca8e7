"""Report which figures of a published table of results contradict each other.

FILE is a report's tables in JSON or CSV (docs/audit.md), Locust's `_stats.csv` (with the
`_stats_history.csv` and `_failures.csv` beside it) or k6's summary JSON. No load: only reading. A
snapshot of pools, autoscalers and limits with loads to come also gets the headroom of each.

Exit codes: 0 nothing found, 3 contradictions found, 2 FILE cannot be read. What a reading of the
report would resolve is listed as a question and changes no exit code.

Examples:

- `loadgate audit post-mortem.json`
- `loadgate audit results/shop_stats.csv --json`
"""

from pathlib import Path
from typing import Annotated

import typer

from analysis.audit.catalogue import audit as audit_table
from analysis.published.reading import read_published
from analysis.report.audited import audit_document
from harness import options
from harness.screen.terminal import answer
from harness.system.streams import presenting
from recording.errors import ConfigError


def audit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Table of results.")],
    as_json: options.Json = False,
) -> None:
    """Read, relate, print."""
    found = audit_table(read_published(file), str(file))
    if not found.checked and not found.headroom:
        raise ConfigError(f"{file}: no two of its figures are related, nothing can be checked")
    with presenting():
        answer(audit_document(found), found.to_json(), as_json=as_json)
    options.exit_with(found.outcome.exit_code, None)
