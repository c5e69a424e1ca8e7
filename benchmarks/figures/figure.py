"""A benchmark's figures: what was measured, what a peer did in the same call, what is wanted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

NOT_AVAILABLE = "not available"


@dataclass(frozen=True, slots=True)
class Peer:
    """What a peer did in the same call; ``value`` None: it could not be had, ``name`` says why."""

    name: str
    value: float | None = None

    def ratio(self, ours: float) -> float | None:
        """The peer's figure in units of ours."""
        return self.value / ours if self.value is not None and ours else None


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``holds`` None: nothing is demanded of it."""

    part: str
    name: str
    value: float
    unit: str
    wanted: str = ""
    holds: bool | None = None
    peer: Peer | None = None
    note: str = ""


def at_most(value: float, limit: float, unit: str) -> dict[str, Any]:
    """``wanted`` and ``holds`` of an upper limit."""
    return {"wanted": f"≤ {limit:g} {unit}".strip(), "holds": value <= limit}


def at_least(value: float, limit: float, unit: str) -> dict[str, Any]:
    """``wanted`` and ``holds`` of a lower limit."""
    return {"wanted": f"≥ {limit:g} {unit}".strip(), "holds": value >= limit}


def print_table(figures: Sequence[Figure], console: Console) -> None:
    """The table people read."""
    table = Table(title="loadgate benchmarks", title_justify="left")
    for name in ("part", "figure"):
        table.add_column(name)
    for name in ("measured", "wanted", "", "peer", "peer's", "peer / ours"):
        table.add_column(name, justify="right")
    table.add_column("note", overflow="fold")
    for figure in figures:
        table.add_row(*_cells(figure))
    console.print(table)


def _cells(figure: Figure) -> tuple[str, ...]:
    mark = {None: "", True: "holds", False: "MISSED"}[figure.holds]
    peer = figure.peer
    shown = (figure.part, figure.name, _amount(figure.value, figure.unit), figure.wanted, mark)
    if peer is None:
        return (*shown, "", "", "", figure.note)
    if peer.value is None:
        return (*shown, peer.name, NOT_AVAILABLE, "", figure.note)
    ratio = peer.ratio(figure.value)
    times = f"{ratio:.2f}" if ratio is not None else ""
    return (*shown, peer.name, _amount(peer.value, figure.unit), times, figure.note)


def _amount(value: float, unit: str) -> str:
    digits = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{digits} {unit}".strip()


def as_json(figures: Sequence[Figure], host: Mapping[str, Any]) -> dict[str, Any]:
    """What is written to the JSON file."""
    rows = []
    for figure in figures:
        row = asdict(figure)
        if figure.peer is not None:
            row["peer"]["ratio"] = figure.peer.ratio(figure.value)
        rows.append(row)
    return {"host": dict(host), "figures": rows}
