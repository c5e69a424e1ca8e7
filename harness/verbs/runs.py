"""List recorded runs, newest last; choose among them, or delete old ones.

`--prune` deletes, of the runs that the filters choose, those beyond the newest `--keep` that are
older than `--older`, as far as each is given. It says what that frees and asks, unless `--yes`.
A run that is under way, or might be, is never deleted.

Examples:

- `loadgate runs`
- `loadgate runs --profile release --since 7d --verdict FAIL`
- `loadgate runs --limit 20 --json`
- `loadgate runs --prune --keep 20 --older 30d`
"""

import sys
from typing import Annotated

import typer

from analysis.report.document import Document, Lines, Mark, Row, Table, texts, verdicts
from analysis.words.units import counted
from analysis.words.values import Outcome
from harness import options
from harness.screen.terminal import answer
from harness.system.recorded import Recorded, megabytes, prunable, recorded, remove
from recording.errors import ConfigError
from recording.labels import as_text

ProfileName = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="Only those of this profile.")
]
Since = Annotated[
    float | None,
    typer.Option(
        "--since", metavar="TIME", parser=options.duration_s, help="Only those of the last 7d, 12h."
    ),
]
OfVerdict = Annotated[
    Outcome | None, typer.Option("--verdict", help="Only those with this verdict.")
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="The newest N.")]
Prune = Annotated[bool, typer.Option("--prune", help="Delete instead of listing.")]
Keep = Annotated[int | None, typer.Option("--keep", min=0, metavar="N", help="Leave the newest N.")]
Older = Annotated[
    float | None,
    typer.Option(
        "--older", metavar="TIME", parser=options.duration_s, help="Leave those of the last 30d."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Delete without asking.")]


def runs(
    runs: options.Runs = options.RUNS,
    profile: ProfileName = None,
    since: Since = None,
    verdict: OfVerdict = None,
    limit: Limit = None,
    prune: Prune = False,
    keep: Keep = None,
    older: Older = None,
    yes: Yes = False,
    as_json: options.Json = False,
) -> None:
    """List, or delete."""
    _check(prune, keep, older, yes, as_json, limit)
    every = recorded(runs)
    found = [run for run in every if run.fits(profile, since, verdict)]
    if prune:
        _prune(prunable(found, keep or 0, older or 0.0), yes=yes, as_json=as_json)
        return
    found = found[-limit:] if limit else found
    none = f"no runs in {runs}/ yet: try `loadgate run smoke`"
    if every:
        none = f"none of {counted(len(every), 'run')} in {runs}/ is one of these"
    _list(found, () if found else (none,), as_json=as_json)


def _check(
    prune: bool, keep: int | None, older: float | None, yes: bool, as_json: bool, limit: int | None
) -> None:
    """Raises ConfigError for options that do not go together."""
    if prune and keep is None and older is None:
        raise ConfigError("--prune: say which stay: --keep N, --older 30d or both")
    if prune and limit is not None:
        raise ConfigError("--prune: takes no --limit; --keep N leaves the newest N")
    if not prune and (yes or keep is not None or older is not None):
        raise ConfigError("--keep, --older and --yes belong to --prune")
    if prune and not yes and (as_json or not sys.stdin.isatty()):
        raise ConfigError("--prune: nobody can be asked here; --yes deletes without asking")


def _list(found: list[Recorded], more: tuple[str, ...], *, as_json: bool) -> None:
    why = tuple(run.why for run in found if run.why)
    blocks = (_table(found), Lines(why, tone="quiet"), Lines(more))
    answer(Document(blocks), [run.table() for run in found], as_json=as_json)


def _table(found: list[Recorded]) -> Table:
    """The name of a run begins with its start, UTC."""
    rows, labelled = [], any(run.labels for run in found)
    for run in found:
        mark = Mark(run.verdict, run.verdict if isinstance(run.verdict, Outcome) else "quiet")
        labels = (as_text(run.labels),) if labelled else ()
        rows.append(Row((mark, run.path, run.profile, run.ended, *labels)))
    heads = texts("run", "profile", "ended", *(("labels",) if labelled else ()))
    return Table((*verdicts("verdict"), *heads), tuple(rows))


def _prune(old: list[Recorded], *, yes: bool, as_json: bool) -> None:
    size = sum(run.size_bytes for run in old)
    what = f"{counted(len(old), 'run')}, {megabytes(size)}"
    if not yes:
        _list(old, (), as_json=False)
        if not old or not typer.confirm(f"delete {what}?"):
            typer.echo("nothing deleted")
            return
    for run in old:
        remove(run)
    said = f"deleted {what}" if old else "nothing to delete"
    gone = {"deleted": [run.path for run in old], "freed_bytes": size}
    answer(Document((Lines((said,)),)), gone, as_json=as_json)
