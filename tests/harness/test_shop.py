"""A shop of one's own as an arm: started and ended whole, or refused in words that help."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Timer
from typing import Any

import psutil
import pytest

from harness.scene.arms import open_arms, prepared
from harness.scene.scene import installed, of_shop, reached_urls, services_of
from harness.scene.services import Services
from harness.scene.shop import Checkout, check_checkout, check_shop, start_shop
from harness.system import git as our_git
from harness.system.deadline import NoAnswerError
from harness.system.fetch import fetch
from harness.system.keeper import below
from recording.clock import RunClock
from recording.errors import ConfigError, RunFailedError
from recording.metric_names import CPU, RSS, STARTED
from recording.profile import Profile
from recording.profile_file import build, load_profile
from recording.rundir import RunDir, create_run_dir
from recording.shop import Shop
from tests.faults.in_process import loadgate
from tests.harness.conftest import git, gone, wait_for
from tests.harness.shop_repository import CART, SHOP, SLOW_CART, branch, shop_in
from tests.processes import words_of

SERVER = """
import http.server, os, socketserver, sys
class Shop(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        up = self.path in ("/healthz", "/up") and os.environ.get("SAID") != "never"
        self.send_response(200 if up else 404)
        self.end_headers()
        self.wfile.write(os.environ.get("SAID", "").encode())
    def log_message(self, *_):
        pass
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
"""
PYTHON = f"{sys.executable} server.py"
ASKED_WITHIN_S = 2.0


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    """Where logs go."""
    (tmp_path / "server.py").write_text(SERVER)
    return create_run_dir(tmp_path / "runs", "test")


def checkout(run: RunDir, arm: str = "head", **table: Any) -> Checkout:
    """Of a shop whose files lie beside the runs."""
    return Checkout(build(Shop, table, "shop.toml"), run.root.parents[1], arm)


@contextmanager
def up(
    one: Checkout, run: RunDir
) -> Iterator[tuple[Services, dict[str, str], list[psutil.Process]]]:
    """The shop, its urls and processes; afterwards none of them is left."""
    started = start_shop(one, run)
    services = Services((started.keeper,), "")
    kin = below(started.keeper.process.pid)
    yield services, dict(started.urls), kin
    services.stop()
    assert gone(kin)


@pytest.mark.parametrize(
    "start",
    [
        f"{PYTHON} {{port}}",
        f"sh -c 'setsid {PYTHON} {{port}} & exit 0'",
        f"sh -c 'yes | head -c 3000000; exec {PYTHON} {{port}}'",
    ],
)
def test_a_shop_is_up_at_its_port_until_it_is_ended(run: RunDir, start: str) -> None:
    """In the foreground, detached, and behind megabytes of output."""
    with up(checkout(run, start=start), run) as (services, urls, kin):
        assert set(urls) == {"checkout", "payment", "cart"}
        assert len({*urls.values()}) == 1
        assert services.first_death() is None
        assert kin


def test_what_is_told_reaches_it_and_no_secret_is_kept(
    run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ports by name, arm and run in its environment; what is ours is in no file."""
    monkeypatch.setenv("SHOP_KEY", "a-secret-of-the-shop")
    one = checkout(
        run,
        start=f"{PYTHON} {{checkout.port}}",
        ready="/up",
        environment={"SAID": "{arm} {run} {checkout.port} {env.SHOP_KEY}"},
    )
    with up(one, run) as (_, urls, kin):
        server = next(p for p in kin if "server.py" in words_of(p))
        said = server.environ()
        port = urls["cart"].rpartition(":")[2]
        assert said["SAID"] == f"head {run.root.name} {port} a-secret-of-the-shop"
        assert said["COMPOSE_PROJECT_NAME"] == f"loadgate-{run.token}-head"
    kept = [path.read_text() for path in run.root.rglob("*") if path.is_file()]
    assert not any("a-secret" in text for text in kept)
    assert "a-secret" not in one.shop.model_dump_json()


def test_a_shop_is_started_anew_where_it_was_with_other_variables(run: RunDir) -> None:
    """Nothing is left of the one before; one that does not come up says why, and is no more."""
    one = checkout(run, start=f"{PYTHON} {{port}}", environment={"SAID": "1"}, ready="/up")
    started = start_shop(one, run)
    services, page = Services((started.keeper,), ""), f"{started.urls['cart']}/up"
    try:
        assert fetch(page, ASKED_WITHIN_S).text == "1"
        before = below(started.keeper.process.pid)
        started.restart({"SAID": "2"}, Event())
        assert gone(before)
        assert fetch(page, ASKED_WITHIN_S).text == "2"
        assert services.first_death() is None
        after = below(started.keeper.process.pid)
        with pytest.raises(RunFailedError, match=r"(?s)shop@head died.*encodings"):
            started.restart({"PYTHONHOME": "/nowhere"}, Event())
    finally:
        services.stop()
    assert gone([*before, *after])


def test_nobody_waits_for_a_shop_once_the_search_is_over(run: RunDir) -> None:
    """Ctrl-C while it starts anew: it is not ready, and it is not asked any more."""
    one = checkout(run, start=f"{PYTHON} {{port}}", environment={"SAID": "1"}, ready="/up",
                   ready_within="10m")  # fmt: skip
    started, over = start_shop(one, run), Event()
    stop = Timer(0.3, over.set)
    stop.start()
    try:
        started.restart({"SAID": "never"}, over)
        assert over.is_set()
    finally:
        stop.cancel()
        Services((started.keeper,), "").stop()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"start": "sh -c 'echo no database; exit 7' {port}"},
         r"shop@head died \(exit code 7\).*head-shop.log ends with:\s+no database"),
        ({"start": "sh -c 'sleep 60' {port}", "ready_within": "300ms"},
         r"shop@head not ready after 300ms \(http.*healthz: .*refused\)"),
        ({"start": f"{PYTHON} {{port}}", "ready": "/later", "ready_within": "1s"},
         r"not ready after 1s \(http.*/later: status 404\)"),
        ({"start": "sleep {port}", "install": "sh -c 'echo no compiler; exit 9'"},
         r"shop@head: install ended with exit code 9; .*head-install.log ends with:\s+no compiler"),
        ({"start": "sleep {port}", "install": "sleep 60", "install_within": "200ms"},
         r"install not done after 200ms"),
    ],
)  # fmt: skip
def test_a_shop_that_does_not_come_up_says_why(
    run: RunDir, table: dict[str, Any], says: str
) -> None:
    """With the end of its log, and nothing of it is left."""
    one = checkout(run, **table)
    with pytest.raises(RunFailedError, match=f"(?s){says}"):
        installed(one)(run, RunClock.start())
    here = psutil.Process().children(recursive=True)
    wait_for(lambda: not [p for p in here if p.is_running() and p.name() in ("sleep", "sh")])


def test_somebody_who_answers_in_its_place_is_not_measured(run: RunDir) -> None:
    """A shop of before that still runs would be taken for the one that was started."""
    with up(checkout(run, start=f"{PYTHON} {{port}}"), run) as (_, urls, _):
        table = {"start": f"{PYTHON} 1", "urls": urls}
        with pytest.raises(ConfigError, match=r"something answers at .* already"):
            start_shop(checkout(run, **table), run)


def test_memory_and_cpu_are_those_of_its_processes(run: RunDir) -> None:
    """Of wrapper and server together; CPU does not go back when one ends."""
    started = start_shop(checkout(run, start=f"sh -c '{PYTHON} {{port}}; true'"), run)
    subjects = {"checkout-service@head": started.urls["checkout"], "cart": started.urls["cart"]}
    found = started.processes(subjects)
    try:
        assert found is not None
        assert found.subjects == [*subjects]
        server = next(p for p in below(started.keeper.process.pid) if "server.py" in words_of(p))
        first = found.of("cart")
        assert first[RSS] > server.memory_info().rss
        assert first[STARTED] == server.create_time()
        before = found.of("cart")[CPU]
        server.kill()
        wait_for(lambda: gone([server]))
        time.sleep(0.06)
        with pytest.raises(NoAnswerError, match="no process of cart is left"):
            found.of("cart")
        assert before >= 0
    finally:
        Services((started.keeper,), "").stop()


def test_a_shop_without_metrics_is_sampled_all_the_same(run: RunDir) -> None:
    """By its processes: nobody is told that nothing is known of it."""
    scene = of_shop(checkout(run, start=f"{PYTHON} {{port}}"))(run, RunClock.start())
    try:
        assert set(scene.processes) == {"checkout-service@head", "payment-gateway@head",
                                        "cart-service@head"}  # fmt: skip
        assert not scene.sampled
        assert not scene.unsampled
    finally:
        assert scene.services is not None
        scene.services.stop()


def test_a_locustfile_loads_what_the_arm_starts() -> None:
    """One service, at the shop's port, under the name that its reports have."""
    phase = {"name": "a", "duration": "1s", "users": 1, "measured": True}
    table = {"start": "sh {port}"}
    own = {"locustfile": "locustfile.py", "service": "wishes"}
    told = {"name": "x", "load": {"phases": [phase]}, "arm": table, "scenario": own}
    profile = build(Profile, told, "x.toml")
    assert reached_urls(profile) == {"host": "http://127.0.0.1:{port}"}
    assert [service.subject for service in services_of(profile)] == ["wishes"]
    assert not profile.starts_mocks


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"start": "no-such-program {port}"}, r"\[arm\] start: no command 'no-such-program' in"),
    ({"start": "FOO=1 shop {port}"}, r"write it in \[arm.environment\]"),
    ({"start": "cd x && shop {port}"}, "only a shell understands &&: write sh -c"),
    ({"start": "shop 'x"}, "No closing quotation"),
    ({"start": "shop --port {prt}"}, r"\{prt\} is nothing that is known here: write \{port\}"),
    ({"start": "shop"}, "nobody knows where checkout, payment, cart will answer"),
    ({"start": "sh {port}", "ready": "up"}, "write a path such as /healthz, or a url"),
    ({"start": "sh {port}", "folder": "../other"}, "a folder inside the repository"),
    ({"start": "sh {port}", "folder": "none"}, "no such folder in"),
    ({"start": "sh {port}", "environment": {"A-B": ""}}, "'A-B' is no name of a variable"),
    ({"start": "sh {port}", "environment": {"A": "{env.NO_SUCH_ONE}"}}, "NO_SUCH_ONE is not set"),
    ({"start": "sh {env.HOME} {port}"}, r"in environment \{env.NAME\}"),
    ({"start": "sh {port}", "urls": {"chekout": "http://127.0.0.1:1"}}, "did you mean 'checkout'"),
    ({"start": "sh {port}", "urls": {"cart": "ftp://x"}}, "urls.cart = 'ftp://x': not an http"),
    ({"start": "sh {port}", "urls": {"cart": "http://10.0.0.1:{port}"}}, "host '10.0.0.1' is not"),
    ({"start": "sh {port}", "urls": {"cart": "http://127.0.0.1:80"}}, "base and head run at once"),
]  # fmt: skip


def checked(run: RunDir, table: dict[str, Any]) -> None:
    """As before a gate."""
    phase = {"name": "a", "duration": "1s", "users": 1, "measured": True}
    profile = build(Profile, {"name": "x", "load": {"phases": [phase]}, "arm": table}, "x.toml")
    one = checkout(run, **table)
    check_shop(one.shop, profile, both=True)
    check_checkout(one)


@pytest.mark.parametrize(("table", "says"), REFUSED)
def test_what_cannot_be_is_refused_before_anything_starts(
    run: RunDir, table: dict[str, Any], says: str
) -> None:
    """Exit code 2, the key and what may be written."""
    with pytest.raises(ConfigError, match=says) as refused:
        checked(run, table)
    assert refused.value.exit_code == 2


def test_each_arm_is_a_checkout_of_its_own(
    tmp_path: Path, run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another revision with git's history, the working tree where it is; installed in both."""
    shop = shop_in(tmp_path, arm="install = \"sh -c 'pwd > installed'\"")
    branch(shop, "slow", {"shop.py": SHOP.replace(CART, SLOW_CART)})
    monkeypatch.chdir(shop)
    profile = load_profile(shop / "loadgate" / "gate.toml")
    with (
        prepared("base", f"ref:{our_git.merge_base(shop)}", [], profile, "gate.toml") as base,
        prepared("head", ".", [], profile, "gate.toml") as head,
    ):
        assert base.checkout is not None
        assert head.checkout is not None
        assert head.checkout.top == shop
        assert CART in (base.checkout.top / "shop.py").read_text()
        assert our_git.facts(base.checkout.top) == {"revision": base.facts.revision, "dirty": False}
        assert not base.facts.ours
        scene = open_arms(base, head)(run, RunClock.start())
        try:
            for top in (base.checkout.top, shop):
                assert (top / "installed").read_text().strip() == str(top.resolve())
            assert scene.arms is not None
            assert scene.arms["base"]["cart"] != scene.arms["head"]["cart"]
        finally:
            assert scene.services is not None
            scene.services.stop()
    assert not base.checkout.top.exists()
    assert our_git.repository_of(shop) == str(shop)


GATE = ("gate", "--profile", "loadgate/gate.toml")


def test_only_ignored_paths_are_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 0 without load, in words that are no PASS; any other path is loaded."""
    shop = shop_in(tmp_path, gate='ignore = ["docs/**", "*.md"]')
    branch(shop, "words", {"docs/intro.md": "More.\n", "deep/er/NOTES.md": "x\n"})
    (shop / "new.md").write_text("untracked\n")
    monkeypatch.chdir(shop)
    seen = loadgate(*GATE)
    assert seen.exit_code == 0, seen.text
    (run,) = (shop / "runs").glob("*/")
    verdict = json.loads((run / "verdict.json").read_bytes())
    assert verdict["verdict"] == "not measured"
    assert "3 paths changed" in verdict["summary"]
    assert "PASS" not in seen.text + (run / "report.md").read_text()
    assert not (run / "latency.hlog").exists()
    again = loadgate("analyze", str(run))
    assert (again.exit_code, "not measured" in again.text) == (0, True)
    kept = loadgate("baseline", "add", str(run))
    assert (kept.exit_code, "loaded nothing" in kept.text) == (2, True)
    (shop / "new.py").write_text("")
    assert "nothing is loaded" not in loadgate(*GATE, "--dry-run").text
    assert "not measured" in loadgate("runs").text


@pytest.mark.parametrize("ignore", ["*", "**", "."])
def test_a_gate_that_would_never_load_is_refused(
    ignore: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 0 for whatever changes is no gate."""
    shop = shop_in(tmp_path, gate=f'ignore = ["{ignore}"]')
    branch(shop, "slow", {"shop.py": SHOP.replace(CART, SLOW_CART)})
    monkeypatch.chdir(shop)
    for words in ((), ("--dry-run",)):
        seen = loadgate(*GATE, *words)
        assert (seen.exit_code, "nothing would ever be loaded" in " ".join(seen.text.split())) == (
            2,
            True,
        )
    assert not [*(shop / "runs").glob("*/")]


def test_equal_arms_are_refused_before_the_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their files, whatever their commits are; asked for, they are."""
    shop = shop_in(tmp_path)
    git(shop, "commit", "--quiet", "--allow-empty", "--message", "nothing")
    monkeypatch.chdir(shop)
    for words in ((), ("--base", "ref:HEAD~1"), ("--base", ".")):
        refused = loadgate(*GATE, *words)
        assert refused.exit_code == 2
        assert "are the same files" in refused.text
        assert loadgate(*GATE, *words, "--allow-equal", "--dry-run").exit_code == 0
    (shop / "shop.py").write_text(SHOP + "# changed\n")
    assert "changed" in loadgate(*GATE, "--dry-run").text


def test_without_arm_it_says_what_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop's repository is never measured by loadgate's mocks."""
    shop = shop_in(tmp_path)
    profile = (shop / "loadgate" / "gate.toml").read_text()
    at = profile.index("[arm]")
    (shop / "loadgate" / "gate.toml").write_text(profile[:at] + profile[profile.index("[gate]") :])
    monkeypatch.chdir(shop)
    seen = loadgate(*GATE)
    assert seen.exit_code == 2
    assert "[arm] of the profile" in seen.text


def test_arm_goes_with_neither_urls_nor_what_only_mocks_can_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them would be another shop than the one that is meant."""
    monkeypatch.chdir(shop_in(tmp_path))
    urls = [f"--set=target.{k}=http://127.0.0.1:9" for k in ("checkout", "payment", "cart")]
    fault = "--set=faults=[{at='1s',for='1s',service='cart',kind='down'}]"
    for words, says in (
        (urls, "those at [target]'s urls run already"),
        ([fault], "leave out [arm]"),
        (["--base", "ref:HEAD", "--head-set", "services.cart.ttl_s=1"], "--head-set services"),
    ):
        seen = loadgate(*GATE, *words)
        assert seen.exit_code == 2
        assert says in seen.text
