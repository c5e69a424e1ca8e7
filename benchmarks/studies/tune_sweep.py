"""A fine sweep of the pool that `make tune` sizes, and how real searches for its size lie about it.

    python -m benchmarks.studies.tune_sweep                          # 44 minutes, then 4 a search
    python -m benchmarks.studies.tune_sweep --sweep RUN --searches 0   # one that is recorded

A minute at each of 40 sizes, in random order. What is enough is the least size at which 95 % of
minutes keep the rule on utilization with the headroom: as many minutes' peaks as had room, at
whatever size, for what is asked of a pool does not depend on its size. Exit code 3 when an answer
is more than a tenth off it, or was not confirmed.
"""

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.evidence.run import load_evidence
from analysis.levels.seen import Seen, levels_seen
from analysis.tuning.asked import Asked
from analysis.tuning.slot import slot_of, tightened
from harness import options
from harness.run.applying import Telling
from harness.run.conduct import Order, checked, record
from harness.run.search import Latest, Search, Wanted
from harness.run.searches import Limits, searchable
from harness.scene.scene import single
from harness.scene.seeds import seeded_load, seeded_services
from harness.scene.tunable import full_settings, settings_of
from harness.screen.live import LiveView
from harness.screen.plain import Screen
from harness.system.paths import find_profile
from mock_services.table import SERVICES
from recording.manifest import Searched
from recording.profile_file import load_profile
from recording.rundir import RunDir, open_run_dir

KEY, RANGE, LOW, HIGH, LEVELS = "inventory_lock.pool_max", "50..400", 60, 140, 40
CUT_S, MINUTE_S, SPARE_S = 3.0, 60.0, 4.0
SURE, TOLERANCE, DRAWS = 0.95, 0.10, 2000


@dataclass(frozen=True, slots=True)
class Sweep:
    """A `Chooser`: these sizes, one after the other."""

    sizes: Sequence[int]
    load: float

    def next(self, seen: Sequence[Seen]) -> Wanted | None:
        """The size after these."""
        if len(seen) == len(self.sizes):
            return None
        return Wanted(self.load, CUT_S + MINUTE_S, CUT_S, {KEY: self.sizes[len(seen)]})

    def hopeless(self, _wanted: Wanted, _latest: Latest) -> bool:
        """Each has its minute."""
        return False


def swept(seed: int, runs: Path) -> RunDir:
    """Run it."""
    path = find_profile("tune")
    profile = load_profile(path, ())
    load = profile.load.peak_arrivals_per_s
    sizes = [round(float(size)) for size in np.geomspace(LOW, HIGH, LEVELS)]
    random.Random(seed).shuffle(sizes)
    settings = seeded_services(checked(profile, str(path)), seed)
    asked = Asked(settings_of([KEY], [RANGE], full_settings(profile.services, str(path))), load)
    within_s = LEVELS * (CUT_S + MINUTE_S + SPARE_S)
    limits = Limits(users=False, require=None, within_s=within_s)
    plan = searchable(profile, str(path), limits, load)
    searched = seeded_load(plan, seed).model_copy(update={"services": settings})
    tight = tightened(options.read_limits(None), asked.headroom)
    facts = Searched(kind="tune", asked=asked.told())
    search = Search(facts, Sweep(sizes, load), tight, Telling(plan.services))
    scene = single(searched, settings, "127.0.0.1")
    with LiveView(Screen(stderr=True), "sweep") as view:
        return record(Order(searched, scene, (), seed=seed, search=search), runs, view)


def enough(run: RunDir) -> tuple[float, float, float]:
    """Print what each size said; the least that is enough, with a 95 % interval (bootstrap)."""
    tight = tightened(options.read_limits(None), Asked((), 0.0).headroom)
    evidence, needed = load_evidence(run), []
    every = [seen for seen in levels_seen(evidence, tight) if not seen.spoilt]
    for seen in sorted(every, key=lambda one: float(one.level.settings[KEY])):
        size = float(seen.level.settings[KEY])
        slot = slot_of(seen, (size,), tight)
        full = slot.full[SERVICES["inventory_lock"].subject]
        in_use = full.samples * full.room
        print(f"{size:4.0f} connections: at most {in_use.max():3.0f} in use, {in_use.mean():4.1f} "
              f"on average; {', '.join(sorted(slot.all_broken)) or 'holds'}")  # fmt: skip
        if not full.starved:
            needed.append(float(full.samples.max()) * size)
    rng = np.random.default_rng(0)
    drawn = np.quantile(rng.choice(needed, (DRAWS, len(needed))), SURE, axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(np.quantile(needed, SURE)), float(low), float(high)


def searches(count: int, runs: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Seed and verdict of `make tune`, as often."""
    for seed in range(1, count + 1):
        asked = ("tune", KEY, "--range", RANGE, "--seed", str(seed), "--runs", str(runs), "--json")
        command = [sys.executable, "-m", "harness", *asked]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        yield seed, json.loads(done.stdout)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sweep", type=Path, help="a recorded one, in place of a new one")
    parser.add_argument("--searches", type=int, default=10)
    parser.add_argument("--seed", type=int, default=2025, help="of the sweep")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    given = parser.parse_args()
    run = open_run_dir(given.sweep) if given.sweep else swept(given.seed, given.runs)
    truth, low, high = enough(run)
    print(f"{run.root}: enough are {truth:.1f} connections [{low:.1f}, {high:.1f}]", flush=True)
    wrong = 0
    for seed, verdict in searches(given.searches, given.runs):
        (value,), (border,) = verdict["answer"] or [np.nan], verdict["borders"]
        off = value / truth - 1
        good = abs(off) <= TOLERANCE and verdict["answer_is_sure"]
        wrong += not good
        sure = "confirmed" if verdict["answer_is_sure"] else "not confirmed"
        print(f"seed {seed}: {verdict['verdict']}, {value:g} connections [{border['low']}, "
              f"{border['high']}], {100 * off:+.1f} %, {sure}", flush=True)  # fmt: skip
    return 3 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
