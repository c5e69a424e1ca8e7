"""Faults of gates and of runs beside each other: other repositories, links, leftovers, twins."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from analysis.compare.against_baselines import compare_with_baselines
from analysis.compare.baseline import Baseline
from analysis.limits.regression import GateSettings
from harness.system import git as project_git
from recording.flow import STEPS
from recording.rundir import create_run_dir
from tests.analysis.compare.baselines import SUBJECTS, made
from tests.analysis.gate.paired_recordings import ONE_LOOK, PairedRecording
from tests.faults.fault import (
    FIXTURES,
    ROOT,
    Fault,
    Seen,
    environment,
    judged,
    live_run,
    newest_verdict,
)
from tests.faults.hostile_shop import HostileShop
from tests.faults.in_process import loadgate
from tests.faults.quirks import Request
from tests.harness.conftest import copy_code, git

ELSEWHERE = {
    "GIT_DIR": "{other}/.git",
    "GIT_WORK_TREE": "{other}",
    "GIT_INDEX_FILE": "{other}/.git/index",
    "GIT_OBJECT_DIRECTORY": "{other}/.git/objects",
    "GIT_COMMON_DIR": "{other}/.git",
    "GIT_CONFIG_PARAMETERS": "'core.worktree'='{other}'",
}
LINKS = {"an absolute link": "/etc/passwd", "a link upwards": "../../etc", "a link to /": "/"}
SHORT, TINY_GATE = FIXTURES / "short.toml", FIXTURES / "tiny_gate.toml"
GATE_LIMITS = FIXTURES / "tiny_gate_thresholds.toml"
OF_RUNS = GateSettings(baseline_spread=0.10)
WITHIN = 0.03
TWO_RUNS_TAKE_S = 180.0


def repository(folder: Path, name: str) -> Path:
    """A repository with one commit of its own."""
    (root := folder / name).mkdir()
    (root / "file").write_text(name)
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", name)
    return root


def asked_elsewhere(variable: str) -> Callable[[Path], Seen]:
    """What git says of a project while the environment points at another."""

    def do(folder: Path) -> Seen:
        here, other = repository(folder, "here"), repository(folder, "other")
        mine, theirs = project_git.facts(here), project_git.facts(other)
        with patch.dict(os.environ, {variable: ELSEWHERE[variable].format(other=other)}):
            found = project_git.facts(here)
        said = "theirs" if found.get("revision") == theirs["revision"] else str(found)
        return Seen(0, "its own" if found == mine else said)

    return do


def project(folder: Path, link: str = "") -> Path:
    """This project's code in a repository, with a link in it."""
    copy_code(root := folder / "project")
    for name in ("thresholds.toml", "requirements.lock"):
        shutil.copy(ROOT / name, root)
    if link:
        (root / "link").symlink_to(link)
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "base")
    return root


def in_project(root: Path, *words: str) -> "subprocess.Popen[str]":
    """``loadgate`` of a project, as a process; its temporary folder is beside the project."""
    (scratch := root.parent / "tmp").mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "harness.cli", *words],
        cwd=root, env=environment({"PYTHONPATH": str(root), "TMPDIR": str(scratch)}),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def gate_words(folder: Path) -> list[str]:
    """The smallest gate of a revision against itself."""
    return [
        "gate", "--base", "ref:HEAD", "--head", ".", "--allow-equal", "--profile", str(TINY_GATE),
        "--thresholds", str(GATE_LIMITS), "--runs", str(folder / "runs"),
    ]  # fmt: skip


def with_link(link: str) -> Callable[[Path], Seen]:
    """Gate a revision with this link in it."""

    def do(folder: Path) -> Seen:
        process = in_project(project(folder, link), *gate_words(folder))
        text, _ = process.communicate(timeout=60)
        left = [path.name for path in (folder / "tmp").iterdir()]
        return Seen(process.returncode, f"{text}\nleft: {left}")

    return do


def killed_gate(folder: Path) -> Seen:
    """``kill -9`` a gate once its services start, then begin another, and stop that in order."""
    root = project(folder)
    first = in_project(root, *gate_words(folder))
    _until(lambda: list((folder / "runs").glob("*/logs/base-checkout.log")))
    first.kill()
    first.communicate()
    left = list((folder / "tmp").glob("loadgate-base-*[!k]"))
    second = in_project(root, *gate_words(folder))
    _until(lambda: len(list((folder / "runs").glob("*/logs/base-checkout.log"))) > 1)
    swept = bool(left) and not any(path.exists() for path in left)
    second.send_signal(signal.SIGINT)
    text, _ = second.communicate(timeout=60)
    after = list((folder / "tmp").glob("loadgate-*"))
    return Seen(second.returncode, f"{text}\nswept: {swept}, left: {after}")


def _until(condition: Callable[[], Any], limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


def paired(**changes: Any) -> Callable[[Path], Seen]:
    """The verdict on a recording of two arms."""
    recording = PairedRecording(looks=ONE_LOOK, **changes)
    return lambda folder: judged(recording.write(folder / "run"))


def near(step: str, factor: float, within: float = WITHIN) -> Baseline:
    """A run with draws of its own: one step lies this far off."""
    return made("new", {step: factor}, within=within)


def twins(within: float | None = WITHIN) -> list[Baseline]:
    """Five stored runs that drew the same: they agree 20 times as well as they know themselves."""
    rng = np.random.default_rng(7)
    rows = [np.exp(rng.normal(0.0, WITHIN / 20, len(SUBJECTS))).tolist() for _ in range(5)]
    return [
        made(f"b{i}", dict(zip(SUBJECTS, row, strict=True)), within=within, seeds={"load": 1})
        for i, row in enumerate(rows)
    ]


def compared(run: Baseline, stored: list[Baseline]) -> Callable[[Path], Seen]:
    """What ``loadgate compare RUN`` answers."""

    def do(_: Path) -> Seen:
        found = compare_with_baselines(run, stored, OF_RUNS, "baselines/")
        return Seen(int(found.verdict.exit_code), found.to_json().decode(), found.verdict.value)

    return do


class KeepingShop(HostileShop):
    """Remembers every cart it ever saw, run by run."""

    def __init__(self) -> None:
        super().__init__()
        self.carts: list[set[str]] = []

    async def _read(self, reader: Any) -> Request:
        request = await super()._read(reader)
        if request.step == "add_to_cart":
            self.carts[-1].add(str(request.body["cart_id"]))
        return request

    def again(self) -> str:
        """How many carts of the last run were known before it, and an example of its ids."""
        before = set[str]().union(*self.carts[:-1])
        met = len(self.carts[-1] & before)
        return f"carts of before met again: {met}; each {[len(c) for c in self.carts]}"


def twice_in_one_shop(load: Callable[[KeepingShop, Path], Seen]) -> Callable[[Path], Seen]:
    """The same load, twice, against a shop that keeps its carts."""

    def do(folder: Path) -> Seen:
        with KeepingShop() as shop:
            for number in range(2):
                shop.carts.append(set())
                (here := folder / str(number)).mkdir()
                seen = load(shop, here)
            text = f"{seen.text}\n{shop.again()}"
        return Seen(seen.exit_code, text, seen.verdict)

    return do


def harnessed(shop: KeepingShop, folder: Path) -> Seen:
    """``loadgate run`` with the same seed each time."""
    return live_run(folder, SHORT, *shop.targets(), "--seed", "1")


def by_hand(*words: str) -> Callable[[KeepingShop, Path], Seen]:
    """Locust alone, with the seed of its profile the same each time."""

    def load(shop: KeepingShop, folder: Path) -> Seen:
        profile = folder / "profile.toml"
        urls = "".join(f'{name} = "{shop.url}"\n' for name in ("checkout", "payment", "cart"))
        profile.write_text(f"seed = 1\n{SHORT.read_text()}\n[target]\n{urls}")
        done = subprocess.run(
            [sys.executable, "-m", "locust", "-f", "locustfiles/checkout_flow.py", "--headless",
             "--only-summary", "--exit-code-on-error", "0", *words],
            cwd=ROOT, env=environment({"LOADGATE_PROFILE": str(profile)}),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return Seen(done.returncode, done.stdout + done.stderr)

    return load


def two_at_once(words: Callable[[Path], list[str]]) -> Callable[[Path], Seen]:
    """Both into one folder; each keeps its own verdict."""

    def do(folder: Path) -> Seen:
        both = [in_project(shared_project(folder), *words(folder)) for _ in range(2)]
        said = [process.communicate(timeout=TWO_RUNS_TAKE_S)[0] for process in both]
        kept = sorted((folder / "runs").glob("*/verdict.json"))
        names = {re.search(r'"run_id": "([^"]+)"', path.read_text())[1] for path in kept}  # type: ignore[index]
        agree = names == {path.parent.name for path in kept}
        text = f"{len(kept)} verdicts, of their own: {agree}"
        return Seen(max(p.returncode for p in both), "\n".join([*said, text]))

    return do


def shared_project(folder: Path) -> Path:
    """A copy of the project below a folder, made once."""
    return folder / "project" if (folder / "project").exists() else project(folder)


def of_one_second(folder: Path) -> Seen:
    """Ten folders for runs of one profile that start in the same second."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made_ = {create_run_dir(folder, "smoke", now).root for _ in range(10)}
    return Seen(0, f"{len(made_)} folders")


def seeds_differ(folder: Path) -> Seen:
    """The manifests of two runs of one profile."""
    for number in range(2):
        live_run(folder / str(number), SHORT, "--set", "load.phases.sustained.duration=2s")
    found = [seeds_in(path) for path in sorted(folder.glob("*/runs/*/manifest.json"))]
    return Seen(0, f"{len(found)} runs, seeds in common: {len(found[0] & found[1])}")


def seeds_in(manifest: Path) -> set[str]:
    """Every seed that it holds."""
    return set(re.findall(r'"seed": (\d+)', manifest.read_text()))


def seeded_run(folder: Path) -> Seen:
    """The seed asked for is in the verdict."""
    seen = live_run(folder, SHORT, "--seed", "7", "--set", "load.phases.sustained.duration=2s")
    return Seen(seen.exit_code, str(newest_verdict(folder / "runs").get("context")), seen.verdict)


def _rows() -> Iterator[Fault]:
    yield from (
        Fault(
            f"{variable} points elsewhere", item=16, how=f"{variable} of another repository",
            do=asked_elsewhere(variable), says="^its own$", fast=variable == "GIT_DIR",
        )
        for variable in ELSEWHERE
    )  # fmt: skip
    yield from (
        Fault(
            f"gated revision with {what}", item=16, how=f"git holds link -> {link}",
            do=with_link(link), exit_code=2, says=r"link links to .* outside .*left: \[\]",
            fast=link == "../../etc",
        )
        for what, link in LINKS.items()
    )  # fmt: skip
    yield Fault(
        "folders of a killed gate", item=16, how="kill -9 while its services start, then a gate",
        do=killed_gate, exit_code=5, says=r"swept: True, left: \[\]", live=True, fast=False,
        limit_s=150,
    )  # fmt: skip
    yield from _draws()
    yield from _stored_runs()
    yield from _beside_each_other()


def _draws() -> Iterator[Fault]:
    one, other = {"cart": 1, "payment": 2}, {"cart": 1, "payment": 3}
    yield Fault(
        "arms that answer in step", item=7, how="both arms serve the same latencies in turn",
        do=paired(twins=True), verdict="PASS", says="services of both arms answer in step",
        fast=False,
    )  # fmt: skip
    yield Fault(
        "same draws", item=7, how="every service of both arms has one seed",
        do=paired(twins=True, seeds={"base": one, "head": one}), verdict="PASS",
        says=r'"summary": "[^"]*\(same draws: [^"]* no evidence about services\)"', fast=False,
    )  # fmt: skip
    yield Fault(
        "same draws of one service", item=7, how="[services.cart] seed in the profile",
        do=paired(seeds={"base": one, "head": other}), verdict="PASS",
        says=r'"summary": "[^"]*\(same draws of cart: ', fast=False,
    )  # fmt: skip
    yield Fault(
        "two runs of one profile", item=7, how="loadgate run, twice", do=seeds_differ,
        says="2 runs, seeds in common: 0", live=True, fast=False, limit_s=120,
    )  # fmt: skip
    yield Fault(
        "a run that is asked to repeat", item=7, how="loadgate run --seed 7", do=seeded_run,
        says="'seed': 7", live=True, fast=False,
    )  # fmt: skip
    yield from (
        Fault(
            f"{verb} --seed {value}", item=7, how=f"loadgate {verb} --seed {value}",
            do=lambda _, words=(verb, *more, "--seed", value): loadgate(*words), exit_code=2,
            says="--seed", fast=(verb, value) == ("gate", "-1"),
        )
        for verb, more in (("run", ("smoke",)), ("gate", ()), ("calibrate", ()), ("mocks", ()))
        for value in ("-1", "x", "9" * 20)
    )  # fmt: skip


def _stored_runs() -> Iterator[Fault]:
    for step in STEPS:
        yield Fault(
            f"stored runs that drew the same, {step}", item=7,
            how=f"{step} +6.8 % by other draws, known to 3 % within a run",
            do=compared(near(step, 1.068), twins()), verdict="INCONCLUSIVE", exit_code=5,
        )  # fmt: skip
        yield Fault(
            f"stored runs that drew the same, {step} slower", item=7, how=f"{step} +30 %",
            do=compared(near(step, 1.3), twins()), verdict="FAIL", says=f"{step} p99",
        )  # fmt: skip
    yield Fault(
        "stored runs without intervals", item=7, how="ci_low and ci_high left out",
        do=compared(near("charge", 2.0), twins(within=None)), verdict="INCONCLUSIVE",
        says="kept without an interval",
    )  # fmt: skip
    yield Fault(
        "a run that knows itself badly", item=7, how="charge +15 %, known to 10 %",
        do=compared(near("charge", 1.15, within=0.1), twins()), verdict="INCONCLUSIVE",
    )  # fmt: skip


def _beside_each_other() -> Iterator[Fault]:
    ids = r"carts of before met again: 0; each \[[1-9]\d*, [1-9]\d*\]"
    yield Fault(
        "a shop that keeps its carts", item=16, how="loadgate run --seed 1, twice",
        do=twice_in_one_shop(harnessed), says=ids, live=True, fast=False, limit_s=120,
    )  # fmt: skip
    for what, words in (("alone", ()), ("with two workers", ("--processes", "2"))):
        yield Fault(
            f"a shop that keeps its carts, Locust {what}", item=16,
            how="locust -f locustfiles/checkout_flow.py, twice",
            do=twice_in_one_shop(by_hand(*words)), says=ids, live=True, fast=False, limit_s=120,
        )  # fmt: skip
    yield Fault(
        "runs that start in one second", item=16, how="ten run directories", do=of_one_second,
        says="10 folders",
    )  # fmt: skip
    yield Fault(
        "two gates at once", item=16, how="both into one folder", do=two_at_once(gate_words),
        says="2 verdicts, of their own: True", live=True, fast=False, limit_s=TWO_RUNS_TAKE_S,
    )  # fmt: skip
    yield Fault(
        "two runs at once", item=16, how="both into one folder",
        do=two_at_once(lambda folder: [
            "run", str(SHORT), "--runs", str(folder / "runs"),
            "--thresholds", str(FIXTURES / "tiny_thresholds.toml"),
        ]),
        says="2 verdicts, of their own: True", live=True, fast=False, limit_s=TWO_RUNS_TAKE_S,
    )  # fmt: skip


ROWS = tuple(_rows())
