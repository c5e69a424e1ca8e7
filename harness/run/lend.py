"""This machine as a worker: check the plan, run Locust, and stop when the master is gone."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import orjson

from harness.generator.generator import start_locust, started_on
from harness.generator.handshake import Master
from harness.generator.token import Token
from harness.scene import preflight
from harness.scene.own_file import as_elsewhere
from harness.scene.safety import check_hosts, check_keys
from recording.errors import LoadgateError, RefusedError, RunFailedError
from recording.exitcodes import REFUSED_WORKER
from recording.profile import Profile

GRACE_S = 1.5
"""A worker whose run is over leaves by itself before the master does."""
_TICK_S = 0.1


@dataclass(frozen=True, slots=True)
class Lent:
    """What this machine lends to whom, and the hosts it may load (empty: those of the plan)."""

    master: Master
    token: Token
    allowed: Sequence[str]
    say: Callable[[str], None]

    def work(self, wait_s: float) -> None:
        """Take part in one run.

        Raises ConfigError or RefusedError before any load for a plan that is not to be carried
        out here, and RunFailedError when the master is lost or does not take this worker.
        """
        plan, epoch_s = self.master.plan(wait_s)
        try:
            self._check(plan)
            plan = {**as_elsewhere(plan)}
        except LoadgateError as error:
            self.master.refuse(str(error))
            raise
        preflight.raise_descriptor_limit()
        with tempfile.TemporaryDirectory(prefix="loadgate-worker-") as folder:
            self._run({**plan, "run": None}, epoch_s, Path(folder))

    def _check(self, plan: dict[str, Any]) -> None:
        check_keys(plan, "the master's plan: ")
        preflight.check_own_keys()
        profile = Profile.model_validate(plan["profile"])  # of the same version, so it fits
        allowed = tuple(self.allowed) or self._allowed_by(profile)
        urls = (*plan["urls"].values(), profile.target.proxy)
        check_hosts(urls, allowed, "the master's plan: ", "--allow of this worker")
        if profile.scenario.own:  # a locustfile asks whom it wants, of those
            plan["profile"]["target"]["allowed_hosts"] = list(allowed)
        access = profile.target.access
        preflight.check_answers(plan["urls"], "not reachable from this worker: ", access)

    def _allowed_by(self, profile: Profile) -> tuple[str, ...]:
        if profile.target.reached:
            return profile.target.allowed_hosts
        return tuple(sorted(self.master.addresses()))  # it runs the services itself

    def _run(self, plan: dict[str, Any], epoch_s: float, folder: Path) -> None:
        ends: SimpleQueue[bool] = SimpleQueue()
        self.master.watch(ends.put)
        master = ["--master-host", self.master.host, "--master-port", str(self.master.port)]
        told = orjson.dumps(plan).decode()
        scenario = started_on(Profile.model_validate(plan["profile"]))
        words = ["--worker", *master]
        process = start_locust(words, folder, told, epoch_s, self.token.text, scenario)
        try:
            code = _end_of(process, ends)
        finally:
            process.kill()
            process.wait()
        self._tell(code, over=code is None and ends.get())

    def _tell(self, code: int | None, *, over: bool) -> None:
        where = f"{self.master.host}:{self.master.port}"
        if over:
            raise RunFailedError(f"the run at {where} is over, and ended without this worker")
        if code is None:
            self.say(f"lost: the master at {where} is gone; this worker's load was stopped")
            raise RunFailedError(f"the master at {where} was lost")
        if code == REFUSED_WORKER:
            raise RefusedError(f"the master at {where} did not take this worker")
        if code:
            raise RunFailedError(f"Locust ended with exit code {code}")
        self.say("done: the run is over")


def _end_of(process: "subprocess.Popen[bytes]", ends: "SimpleQueue[bool]") -> int | None:
    """Locust's exit code; None when the run or its master ended before it."""
    while True:
        try:
            return process.wait(_TICK_S)
        except subprocess.TimeoutExpired:
            if not ends.empty():
                break
    deadline = time.monotonic() + GRACE_S
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(_TICK_S)
    return process.poll()
