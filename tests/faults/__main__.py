# ruff: noqa: T201
"""Run the fault matrix and print it as a table: ``python -m tests.faults`` (`make faults`).

Examples::

    python -m tests.faults                     # every row, and 5,000 mutations
    python -m tests.faults --only 4,12         # the rows of some points of the issue
    python -m tests.faults --match hang        # the rows whose name says so
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from tests.faults import mutations
from tests.faults.fault import LACKS_WORDS, Fault
from tests.faults.matrix import Outcome, rows, run_named, run_row

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
MUTATIONS = 5_000
AT_A_TIME = {False: 2, True: 3}
"""Rows, by whether they put load on services: those wait for most of their time."""


def main(words: Sequence[str]) -> int:
    """0 when every row came out as it must."""
    asked = _parser().parse_args(words)
    chosen = [row for row in rows() if _is_chosen(row, asked.only, asked.match)]
    outcomes = [_said(n, outcome, len(chosen)) for n, outcome in enumerate(_run(chosen), 1)]
    wrong = [f"{o.fault.name}: {o.wrong}" for o in outcomes if o.wrong]
    print(_summary(outcomes))
    if not asked.only and not asked.match:
        mutated, more = _mutated()
        wrong += more
        print(mutated)
        PAGE.write_text(_page(outcomes, mutated))
        print(f"written: {PAGE.name}")
    for line in wrong:
        print(f"WRONG  {line}")
    return 1 if wrong else 0


def _run(chosen: Sequence[Fault]) -> Iterator[Outcome]:
    """Rows without load, then those under load; then, alone, those that were starved of CPU.

    A run under load that is INVALID may be so because another ran beside it, and one whose verdict
    is right may lack words because what it is about came too late: these are run again. What came
    out in any other way, a false PASS above all, stands as it is.
    """
    starved = []
    for live in (False, True):
        of_kind = [row for row in chosen if row.live is live]
        for outcome in _side_by_side(of_kind, AT_A_TIME[live]):
            if live and _may_be_starved(outcome):
                starved.append(outcome.fault)
            else:
                yield outcome
    yield from map(run_row, starved)


def _may_be_starved(outcome: Outcome) -> bool:
    invalid = outcome.came_out.startswith("INVALID")
    return bool(outcome.wrong) and (invalid or outcome.wrong.startswith(LACKS_WORDS))


def _side_by_side(chosen: Sequence[Fault], at_a_time: int) -> Iterator[Outcome]:
    with ProcessPoolExecutor(at_a_time, get_context("spawn")) as pool:
        for row, found in zip(chosen, pool.map(run_named, [r.name for r in chosen]), strict=True):
            yield Outcome(row, *found)


def _mutated() -> tuple[str, list[str]]:
    """What came of mutated recordings, in a sentence, and each that was judged wrongly."""
    began_s = time.monotonic()
    wrong = mutations.run_in_parallel(MUTATIONS)
    took_s = time.monotonic() - began_s
    of_what = f"of recordings, seed {mutations.SEED}"
    return f"{MUTATIONS} mutations {of_what}: {len(wrong)} wrong, {took_s:.0f} s", wrong


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--only", default="", help="points of the issue, for example 4,12")
    parser.add_argument("--match", default="", help="part of a row's name")
    return parser


def _is_chosen(row: Fault, only: str, match: str) -> bool:
    return (not only or str(row.item) in only.split(",")) and match in row.name


def _said(number: int, outcome: Outcome, count: int) -> Outcome:
    ok = "ok   " if not outcome.wrong else "WRONG"
    name, took_s = outcome.fault.name, outcome.took_s
    print(f"{number:4}/{count} {ok} {took_s:5.1f} s  {outcome.came_out:20} {name}", flush=True)
    return outcome


def _summary(outcomes: Sequence[Outcome]) -> str:
    live = sum(outcome.fault.live for outcome in outcomes)
    wrong = sum(bool(outcome.wrong) for outcome in outcomes)
    took_s = sum(outcome.took_s for outcome in outcomes)
    of_all = f"{len(outcomes)} faults, {live} of them under load: {wrong} wrong"
    side_by_side = f"{AT_A_TIME[False]} rows at a time, {AT_A_TIME[True]} of those under load"
    return f"{of_all}, {took_s:.0f} s in all, {side_by_side}"


def _page(outcomes: Sequence[Outcome], mutated: str) -> str:
    rows_of_table = "\n".join(_line(outcome) for outcome in outcomes)
    today = datetime.now(UTC).date().isoformat()
    return f"""# The fault matrix

What was broken on purpose, and what came out. `make faults` runs every row and writes this page;
this is the call of {today}: {_summary(outcomes)}.

Beside the rows, {mutated}: a changed byte of what a verdict reads is INVALID, what was no PASS is
none afterwards, a changed log or report changes no verdict, and no verb ends in a traceback.

| point | fault | how | must come out | came out | s |
|--:|---|---|---|---|--:|
{rows_of_table}
"""


def _line(outcome: Outcome) -> str:
    fault = outcome.fault
    came_out = f"**{outcome.wrong}**" if outcome.wrong else outcome.came_out
    cells = (str(fault.item), fault.name, fault.how, fault.must, came_out, f"{outcome.took_s:.1f}")
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
