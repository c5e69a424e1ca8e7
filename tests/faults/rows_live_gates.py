"""Gates of services at urls that break half-way: head's fault is head's, base's is nobody's."""

from functools import partial
from pathlib import Path

from tests.faults.fault import FIXTURES, Fault, Seen, command, newest_verdict
from tests.faults.hostile_shop import HostileShop, Quirk

QUICK = ("gate.slot=500ms", "gate.cut=100ms", "load.phases.rounds.duration=18s",
         "load.request_timeout=1s")  # fmt: skip
FROM_S = 9.0
"""Half of its rounds are over."""


def breaks(folder: Path, arm: str, quirk: str) -> Seen:
    """A gate of two shops; one of them misbehaves from its middle on."""
    with HostileShop(Quirk(quirk, from_s=FROM_S)) as bad, HostileShop() as good:
        files = {name: folder / f"{name}.toml" for name in ("base", "head")}
        for name, file in files.items():
            url = (bad if name == arm else good).url
            file.write_text("".join(f'{s} = "{url}"\n' for s in ("checkout", "payment", "cart")))
        words = [word for text in QUICK for word in ("--set", text)]
        seen = command(
            "gate", "--base", f"url:{files['base']}", "--head", f"url:{files['head']}",
            "--profile", str(FIXTURES / "tiny_gate.toml"), "--runs", str(folder / "runs"),
            "--thresholds", str(FIXTURES / "tiny_gate_thresholds.toml"), *words, limit_s=100.0,
        )  # fmt: skip
    stored = newest_verdict(folder / "runs")
    return Seen(seen.exit_code, f"{seen.text}\n{stored}", str(stored.get("verdict", "")))


def _row(arm: str, quirk: str, verdict: str, says: str, item: int = 1) -> Fault:
    return Fault(
        f"{arm} of a gate: {quirk} from the middle on", item, f"services of {arm} at a url",
        partial(breaks, arm=arm, quirk=quirk), verdict, says=says, live=True, fast=False,
        limit_s=110.0,
    )  # fmt: skip


ROWS = (
    _row("head", "hang", "FAIL", "slots of head without a good answer.*most failures of head"),
    _row("base", "hang", "INVALID", "base"),
)
