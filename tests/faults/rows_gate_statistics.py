"""Statistics of the gate: errors in bursts, looks and recordings too short, arms that differ.

One of a kind is fast: tests/analysis/gate tries its neighbours.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from recording.errors import ConfigError
from recording.exitcodes import ExitCode
from recording.profile_file import load_profile
from tests.analysis.gate.paired_recordings import ONE_LOOK, PairedRecording
from tests.faults.fault import ROOT, Fault, Seen, judged

ITEM = 8


def _recorded(**changes: object) -> Callable[[Path], Seen]:
    def do(folder: Path) -> Seen:
        return judged(PairedRecording(**changes).write(folder / "run"))  # type: ignore[arg-type]

    return do


def _with_looks(looks: str) -> Callable[[Path], Seen]:
    def do(folder: Path) -> Seen:
        try:
            load_profile(ROOT / "profiles" / "gate.toml", [f"gate.looks={looks}"])
        except ConfigError as error:
            return Seen(int(ExitCode.USAGE_ERROR), str(error))
        return Seen(0, "")

    return do


def _looks() -> Iterator[Fault]:
    for looks, says in (
        ("[2]", "at least 8"),
        ("[4]", "at least 8"),
        ("[6, 40]", "at least 8"),
        ("[8]", "no regression could ever FAIL"),
        ("[12]", "no regression could ever FAIL"),
        ("[8, 14]", "no regression could ever FAIL"),
        ("[7]", "even number"),
        ("[24, 24]", "rising numbers"),
        ("[40, 24]", "rising numbers"),
        ("[]", "rising numbers"),
    ):
        yield Fault(f"looks {looks}", 16, f"gate.looks = {looks}", _with_looks(looks), says=says)


def _bursts() -> Iterator[Fault]:
    for rounds in (1, 2, 3):
        for arm, verdict, says in (
            ("base", "INVALID", "failed requests of base"),
            ("head", "INCONCLUSIVE", "of head's requests failed"),
        ):
            slots = tuple((number, arm) for number in range(3, 3 + rounds))
            yield Fault(
                f"{rounds} slots of {arm} fail", ITEM, "every request of these slots fails",
                _recorded(failing=slots), verdict=verdict, says=says, fast=rounds == 1,
            )  # fmt: skip


def _short() -> Iterator[Fault]:
    for rounds in (1, 4, 8, 15):
        yield Fault(
            f"stopped after {rounds} rounds", ITEM, "the recording ends there",
            _recorded(rounds=rounds), verdict="INVALID", says=f"completed rounds {rounds},",
            fast=rounds == 15,
        )  # fmt: skip
    for number in (0, 7, 15):
        yield Fault(
            f"round {number} without head", ITEM, "no request of head in that slot",
            _recorded(without_load=((number, "head"),)), verdict="INCONCLUSIVE",
            says="no requests in 1 of 48 slots", fast=number == 0,
        )  # fmt: skip


def _arms() -> Iterator[Fault]:
    says = r"after \d+ of 24 rounds"
    yield Fault("equal arms", ITEM, "nothing", _recorded(), verdict="PASS", says=says, fast=False)
    for factor in (0.95, 0.9, 0.8):
        yield Fault(
            f"head at {factor:g} times", ITEM, "one step is faster",
            _recorded(slower={"browse": factor}), verdict="PASS", fast=factor == 0.9,
        )  # fmt: skip
    for step in ("browse", "start_checkout", "charge"):
        yield Fault(
            f"{step} 20 % slower", ITEM, "one step is slower",
            _recorded(slower={step: 1.2}, looks=ONE_LOOK), verdict="FAIL",
            says=f'"subject": "{step}"', fast=step == "browse",
        )  # fmt: skip


ROWS = (*_looks(), *_bursts(), *_short(), *_arms())
