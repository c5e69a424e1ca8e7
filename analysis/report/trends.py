"""How a metric went from run to run: a row and a picture for each subject."""

from collections.abc import Sequence

from analysis.report.document import Document, Lines, Row, Table, numbers, texts
from analysis.trends.change_points import FALSE_ALARMS, FEWEST
from analysis.trends.history import History
from analysis.trends.trend import Trend
from analysis.words.units import counted
from analysis.words.values import Outcome


def trends_document(past: History, found: Sequence[Trend], notes: Sequence[str]) -> Document:
    """Without pictures, which are `trend_pictures`."""
    newest = past.runs[-1]
    span = f"{past.runs[0].started_utc[:10]} to {newest.started_utc[:10]}"
    alike = f"{counted(len(past.runs), 'run')} of {newest.profile}, {span}, host {newest.host}"
    return Document(
        blocks=(
            _table(found),
            Lines(_too_few(found), tone=Outcome.INCONCLUSIVE),
            Lines((alike, *_left(past), *notes), tone="quiet"),
            _method(),
        ),
        headline=f"{found[0].key[1]} over {counted(len(past.runs), 'run')} of {newest.profile}",
    )


def _table(found: Sequence[Trend]) -> Table:
    rows = tuple(Row((t.key[0], str(len(t.runs)), t.shown[0], t.shown[-1], t.said)) for t in found)
    heads = (*texts(found[0].key[1]), *numbers("runs", "first level", "last level"))
    return Table((*heads, *texts("changes")), rows, title="Levels")


def _left(past: History) -> tuple[str, ...]:
    if not past.other:
        return ()
    return (f"left out: {counted(past.other, 'run')} of another profile, load or host class",)


def _too_few(found: Sequence[Trend]) -> tuple[str, ...]:
    short = [trend for trend in found if not trend.can_tell]
    if not short:
        return ()
    which = "" if len(short) == len(found) else f" of {', '.join(t.key[0] for t in short)}"
    return (f"too few runs{which}: from {FEWEST} on a change of level can be told from chance",)


def _method() -> Lines:
    text = (
        f"A level is the median of its runs. Changes: PELT on ranks, from {FEWEST} runs on; found "
        f"in about {100 * FALSE_ALARMS:g} % of series of independent runs without one."
    )
    return Lines((text,), only="page")
