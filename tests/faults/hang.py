# ruff: noqa: T201
"""Requests that never answer, in both models: ``python -m tests.faults.hang`` (`make faults-hang`).

Shares of 0.2, 1 and 10 % of all requests, at the start, middle and end of the measured phase and
in `smoke`. A shop that hangs is FAIL with the step named, never INVALID; too few to break a rule
are never a PASS. Whatever the verdict: the shop saw exactly the requests that are recorded, those
that hung are recorded as such, and the error rate's interval holds the truth.
"""

import json
import sys
from pathlib import Path
from typing import Any

from recording.jsonl import read_json_lines
from recording.manifest import read_manifest
from recording.outcomes import LOWER_BOUNDS
from recording.timetable import phases_of
from tests.faults.fault import FIXTURES, ROOT, Fault, Seen, live_run
from tests.faults.hostile_shop import SHOPPING, HostileShop, Quirk
from tests.faults.matrix import run_row
from tests.hlog_file import read_hlog

MODELS = ("users", "arrivals")
WHEN_S = {"start": (2.5, 6.0), "middle": (6.0, 9.0), "end": (9.5, 30.0)}
"""Since the first request, which comes a moment after the ramp of 2 s began."""
LONGER_S = {"start": (2.5, 14.0), "middle": (14.0, 26.0), "end": (26.0, 60.0)}
"""Of rows with few hanging requests: some must hang for the row to say anything."""
ANY_STEP = "(browse|detail|add_to_cart)"
LIMIT_S = 150.0


def breach_of(step: str) -> str:
    """Of an error rate, as verdict.json has it."""
    return f'/{step}", "metric": "error_rate", "actual"'


def hangs(model: str, share: float, when: str, step: str = "") -> Fault:
    """A share of the requests of a step, or of all, from one time on until another."""
    what = f"{100 * share:g} % of {step or 'all'} requests hang"
    few = share < 0.01
    quirk = Quirk("hang", step, share, *(LONGER_S if few else WHEN_S)[when])
    words = [f"load.model={model}", *(["load.phases.sustained.duration=36s"] if few else [])]
    return Fault(
        f"{what}, {model}, {when}",
        item=1,
        how=f"a shop that never answers them; load.model = {model}",
        do=lambda folder: _run(folder, FIXTURES / "hang.toml", quirk, *words),
        verdict="FAIL|INCONCLUSIVE" if few else "FAIL",
        says="" if few else breach_of(step or ANY_STEP),
        live=True,
        fast=False,
        limit_s=LIMIT_S,
    )


def smoke_hangs(share: float) -> Fault:
    """The shipped profile, all the time."""
    quirk = Quirk("hang", share=share)
    words = ("load.request_timeout=2s", 'judge.required=["latency","errors"]')
    words += ("validity.foreign_cpu=1.0", "validity.generator_wait=1.0")
    words += ("validity.distortion_p99=2s", "validity.generator_lag_p99=2s")
    return Fault(
        f"{100 * share:g} % of all requests hang, smoke",
        item=1,
        how="a shop that never answers them; profile smoke",
        do=lambda folder: _run(folder, ROOT / "profiles" / "smoke.toml", quirk, *words),
        verdict="FAIL",
        says=breach_of(ANY_STEP),
        live=True,
        fast=False,
        limit_s=LIMIT_S,
    )


def every_row() -> list[Fault]:
    """The whole test."""
    found = [
        hangs(model, share, when)
        for model in MODELS
        for share in (0.002, 0.01, 0.1)
        for when in WHEN_S
    ]
    found += [hangs(model, 1.0, "end") for model in MODELS]
    return [*found, *map(smoke_hangs, (0.01, 0.1))]


def _run(folder: Path, profile: Path, quirk: Quirk, *overrides: str) -> Seen:
    words = [word for text in overrides for word in ("--set", text)]
    limits = FIXTURES / "hang_thresholds.toml"
    with HostileShop(quirk) as shop:
        seen = live_run(folder, profile, *shop.targets(), *words, limits=limits, limit_s=LIMIT_S)
        check_truth(next((folder / "runs").glob("*/manifest.json")).parent, shop)
    return seen


def check_truth(run: Path, shop: HostileShop) -> None:
    """Raises AssertionError where the recording differs from what the shop saw."""
    events, _ = read_json_lines(run / "events.jsonl")
    (closing,) = [row for row in events if row["event"] == "generator_ended"]
    arrived = {step: n for step, n in shop.seen.items() if step in SHOPPING}
    assert closing["begun"] == arrived, f"begun {closing['begun']}, the shop saw {arrived}"
    recorded = sum(
        i.histogram.n
        for i in read_hlog(run / "latency.hlog").intervals
        if i.tag.kind == "latency" and i.tag.outcome in LOWER_BOUNDS
    )
    assert shop.hit.total(), "nothing hung"
    assert recorded == shop.hit.total(), f"{recorded} recorded, {shop.hit.total()} hung"
    _check_rate(run, shop, events)


def _check_rate(run: Path, shop: HostileShop, events: list[dict[str, Any]]) -> None:
    """A request belongs to its interval, and that to the phase in which its middle lies.

    So the truth is that of a phase which ends up to half an interval earlier or later.
    """
    manifest = read_manifest(run / "manifest.json")
    half_s = manifest.profile.recording.interval / 2
    (phase,) = [phase for phase in phases_of(events) if phase.measured]
    assert phase.end_s is not None
    sent = [(t_s - manifest.epoch_wall_s, bool(quirk)) for t_s, _, quirk in shop.log]
    truths = [
        _share_percent(sent, phase.start_s, phase.end_s + late_s) for late_s in (-half_s, 0, half_s)
    ]
    verdict = json.loads((run / "verdict.json").read_bytes())
    (rate,) = [
        m
        for m in verdict["measurements"]
        if (m["subject"], m["metric"]) == ("journey", "error_rate")
    ]
    low, high = rate["ci_low"] - 0.01, rate["ci_high"] + 0.01
    said = f"{low:.3g} to {high:.3g} %, in truth {min(truths):.3g} to {max(truths):.3g} %"
    assert min(truths) <= high, said
    assert max(truths) >= low, said
    print(f"      error rate {rate['value']:.3g} %: {said}")


def _share_percent(sent: list[tuple[float, bool]], start_s: float, end_s: float) -> float:
    hung = [is_hung for t_s, is_hung in sent if start_s <= t_s < end_s]
    return 100 * sum(hung) / len(hung)


def main() -> int:
    """0 when every row came out as it must."""
    wrong = 0
    for fault in every_row():
        outcome = run_row(fault)
        wrong += bool(outcome.wrong)
        ok = outcome.wrong or "ok"
        print(f"{outcome.took_s:5.0f} s  {outcome.came_out:15} {fault.name:45} {ok}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
