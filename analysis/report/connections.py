"""What the load counted of its connections: were they kept, and what came over them?"""

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.report.document import Row, Table, numbers, texts
from analysis.words.values import NO_DATA, show

_KB = 1024


def connections(context: Mapping[str, Any]) -> Iterator[Table]:
    """A row for each url that was loaded, over the whole run; nothing where nobody counted."""
    if counted := context.get("connections"):
        columns = (
            *texts("connections to"),
            *numbers("requests", "opened", "TLS handshakes", "closed by the service"),
            *numbers("TCP handshake", "segments sent again", "received", "content"),
        )
        rows = tuple(Row(tuple(_cells(row))) for row in counted)
        yield Table(columns, rows, "Connections (whole run)", only="page")


def _cells(row: Mapping[str, Any]) -> Iterator[str]:
    yield ", ".join(row["of"])
    yield from (f"{row[name]:,}" for name in ("requests", "opened", "tls", "closed"))
    least_s = row["least_handshake_s"]
    yield NO_DATA if least_s is None else f"from {show(1000 * least_s, 'ms')}"
    yield f"{row['resent']:,}"
    yield from (f"{row[name] / _KB:,.0f} kB" for name in ("wire_bytes", "content_bytes"))
