"""Wrong inputs end in one line: exit code 2, file and key named, and nothing has been started."""

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.faults.in_process import loadgate

PROFILE = """\
description = "three phases"

[load]
phases = [
    { name = "up", duration = "2s", users = 5 },
    { name = "flat", duration = "2s", users = 5, measured = true },
]
[journey]
decline_share = 0.03
[services.cart]
ttl_s = 5
"""
PROFILES = [
    # what in it is replaced by what, the line, and what the refusal says of it
    ("users = 5 }", "usrs = 5 }", 5, "'load.phases.up.usrs'; did you mean 'users'?"),
    ('"2s", users = 5 }', "2, users = 5 }", 5, "load.phases.up.duration = 2: a duration needs its"),
    ('"2s", users = 5 }', '"soon", users = 5 }', 5, "load.phases.up.duration = 'soon': not a dur"),
    ("measured = true", "measured = 1", 6, "load.phases.flat.measured = 1: write true or false"),
    ("measured = true", "measured = false", 3, "load: no phase has measured = true"),
    ("5, measured", '"5", measured', 6, "load.phases.flat.users = '5': write a whole number"),
    ("5, measured", "-5, measured", 6, "load.phases.flat.users = -5: must be greater than or equ"),
    ('name = "flat"', 'name = "up"', 3, "load: phase names must differ"),
    ('name = "flat"', 'name = "!"', 6, "write a letter or digit first"),
    ('name = "flat", ', "", 6, "load.phases.1.name is missing"),
    ("phases = [", "phase = [", 4, "unknown key 'load.phase'; did you mean 'phases'?"),
    ("[load]", "[laod]", 3, "unknown key 'laod'; did you mean 'load'?"),
    ("[load]", '[load]\nmodel = "open"', 4, "load.model = 'open': write 'users' or 'arrivals'"),
    ("[load]", '[load]\nmodel = "user"', 4, "did you mean 'users'?"),
    ("[load]", "[load]\nprocesses = 0", 4, "load.processes = 0: must be greater than or eq"),
    ("[load]", '[load]\nbursts = [{ at = "1s", factor = 2 }]', 4, "load.bursts.0.for is missing"),
    ("0.03", "3", 9, "journey.decline_share = 3: must be less than or equal to 1"),
    ("0.03", "inf", 9, "journey.decline_share = inf: write a finite number"),
    ("0.03", "0.03\nthink = 3", 10, "journey.think = 3: write a table"),
    ("0.03", '0.03\nthink = {min="3s", max="1s"}', 10, "journey.think: min must be at least 0"),
    ("0.03", "0.03\n[journey.funnel]\ncharge = 2", 11, "journey.funnel.charge = 2: must be less"),
    ("ttl_s = 5", "tls_s = 5", 11, "unknown key 'services.cart.tls_s'; did you mean 'ttl_s'?"),
    ("ttl_s = 5", 'ttl_s = "5m"', 11, "services.cart.ttl_s = '5m': write a number"),
    ("ttl_s = 5", 'eviction = "never"', 11, "services.cart.eviction = 'never': write '"),
    ("[services.cart]", "[services.card]", 10, "'services.card'; did you mean 'cart'?"),
    ("ttl_s = 5", "latency.add_to_cart.p99_ms = 1", 11, "quantiles must not decrease"),
    ("ttl_s = 5", "latency.ad_to_cart.p99_ms = 1", 10, "unknown endpoint 'ad_to_cart'"),
    ("[journey]", '[target]\ncheckout = "x:1"\n[journey]', 9, "not an http:// or https:// url"),
    ("[journey]", '[judge]\nrequired = ["latncy"]\n[journey]', 9, "'latncy' is no kind of rule"),
    ("[journey]", "[gate]\nlooks = [3]\n[journey]", 8, "gate: looks [3]"),
    ("[journey]", "[sampling]\ninterval = \"1ms\"\n[journey]", 9, "must be greater than or equal"),
    ("[services.cart]", '[[faults]]\nat = "1s"\nservice = "cart"\nkind = "down"\n[services.cart]',
     10, "faults.0.for is missing"),
]  # fmt: skip
SETS = [
    ("load.phases.flat.usrs=5", "unknown key 'load.phases.flat.usrs'; did you mean 'users'?"),
    ("load.phases.falt.users=5", "no entry 'falt'; did you mean 'flat'?"),
    ("load.phases.flat.users=many", "write a whole number"),
    ("load.phases.flat.measured=false", "no phase has measured = true"),
    ("load.phases.flat=5", "'flat' is an entry, name one of its keys"),
    ("lod.x=1", "unknown key 'lod'; did you mean 'load'?"),
    ("load", "write key=value"),
    ("=1", "write key=value"),
    ("load.processes=many", "write a whole number, or 'auto'"),
    ("journey.retry_key=old", "write 'same' or 'new'"),
    ("services.payment.pol_max=1", "did you mean 'pool_max'?"),
    ("services.payment.checkout_url=nowhere", "write http://HOST:PORT"),
    ("services.cart.oom_kill=1", "write true or false"),
    ("target.allowed_hosts=localhost", "write a list"),
    ("description.x=1", "'description' is a value, not a table"),
]
OPTIONS = [
    (["rn"], "no verb 'rn'; did you mean 'run'?"),
    (["run"], "PROFILE is missing"),
    (["run", "smke"], "no profile 'smke' in profiles/; did you mean 'smoke'?"),
    (["run", "none.toml"], "none.toml: no such file"),
    (["run", "smoke", "--sed", "1"], "no option '--sed'; did you mean '--seed'?"),
    (["run", "smoke", "--seed", "x"], "--seed x: write a whole number"),
    (["run", "smoke", "--seed", "-1"], "--seed -1: must be greater than or equal to 0"),
    (["run", "smoke", "--seed"], "--seed: needs a value"),
    (["run", "smoke", "--json=1"], "--json: takes no value"),
    (["run", "smoke", "soak"], "soak: one word too many"),
    (["run", "smoke", "--inconclusive", "maybe"], "maybe: write 'pass' or 'fail'"),
    (["run", "smoke", "--wait", "-1"], "--wait: -1 is no number of seconds above 0"),
    (["run", "smoke", "--wait", "nan"], "--wait: nan is no number of seconds above 0"),
    (["run", "smoke", "--bind", "300.1.1.1"], "--bind 300.1.1.1 --port 5557: cannot listen"),
    (["run", "smoke", "--bind", "127.0.0.1", "--port", "TAKEN"], "--port TAKEN: cannot listen"),
    (["run", "smoke", "--workers-expected", "1", "--port", "TAKEN"], "cannot listen there"),
    (["run", "smoke", "--port", "FREE"], "add --workers-expected N"),
    (["run", "smoke", "--port", "65535"], "--port 65535: must be less than or equal to 65530"),
    (["run", "smoke", "--metrics-port", "0"], "--metrics-port 0: must be greater than or equal"),
    (["run", "smoke", "--metrics-port", "TAKEN"], "--metrics-port TAKEN: cannot listen there"),
    (["run", "smoke", "--metrics-host", "127.0.0.1"], "127.0.0.1: add --metrics-port N"),
    (["run", "smoke", "--metrics-host", "300.1.1.1", "--metrics-port", "FREE"], "cannot listen"),
    (["run", "smoke", "--token", "short"], "--token: a token has at least"),
    (["run", "smoke", "--token-file", "none"], "--token-file none: cannot be read"),
    (["run", "smoke", "--runs", "FILE"], "--runs FILE: nothing can be written there"),
    (["run", "smoke", "--runs", "/proc/runs"], "--runs /proc/runs: nothing can be written there"),
    (["run", "smoke", "--thresholds", "none"], "none: no such file"),
    (["gate", "--base", "nope"], "--base nope: need `.`"),
    (["gate", "--base", "ref:no-such"], "ref:no-such: no such revision"),
    (["gate", "--base", ".", "--head-set", "load.x=1"], "--head-set load.x=1: only services.*"),
    (["gate", "--base", ".", "--head-set", "services.cart.x=1"], "--head-set services.cart.x=1"),
    (["gate", "--profile", "smoke", "--base", "."], "no [gate] section"),
    (["capacity", "--require", "1e300"], "--require 1e+300: write a load above 0 and below"),
    (["calibrate", "--gate", "no-such-command"], "--gate no-such-command: no command"),
    (["calibrate", "--gate", '"'], '--gate ": No closing quotation'),
    (["calibrate", "--gate", "loadgate run smoke"], "write `loadgate gate ...`"),
    (["calibrate", "--gates", "2"], "--gates counts A/B gates"),
    (["calibrate", "--inject", "p99=20%"], "--inject p99=20%: write p99=+20%"),
    (["calibrate", "--inject", "p99=+20%"], "--inject: say of how many gates"),
    (["calibrate", "--inject", "p99=+20%", "--simulate", "0"], "--inject: say of how many gates"),
    (["calibrate", "--aa", "1.5"], "--aa 1.5: write a whole number"),
    (["calibrate", "--folder", "FILE"], "--folder FILE: nothing can be written there"),
    (["worker", "--master", ""], "--master '': '' is no host name; write HOST"),
    (["worker", "--master", "300.1.1.1"], "'300.1.1.1' is no IPv4 address; write HOST"),
    (["worker", "--master", "host:0"], "--master 'host:0': a port is 1 to 65534"),
    (["worker", "--master", "host"], "--token, --token-file or LOADGATE_TOKEN"),
    (["mocks", "--port-base", "TAKEN"], "port TAKEN for checkout-service is taken"),
    (["mocks", "--set", "load.processes=1"], "unknown key 'load'"),
    (["mocks", "st"], "no verb 'st'; did you mean 'set'?"),
    (["analyze", "none"], "none: no such run directory"),
    (["report", "FOLDER"], "FOLDER: not a run directory"),
    (["compare", "FILE"], "FILE: cannot be read"),
    (["baseline", "add", "none"], "none: no such run directory"),
    (["baseline", "list", "--baselines", "FILE"], "FILE: cannot be read"),
    (["runs", "--runs", "FILE"], "FILE: cannot be read: Not a directory"),
    (["schema", "verdicts"], "verdicts: write 'profile'"),
    (["rules", "--thresholds", "x"], "no option '--thresholds' before a verb; verbs: prometheus"),
    (["rules", "promtheus"], "no verb 'promtheus'; did you mean 'prometheus'?"),
    (["rules", "prometheus", "--thresholds", "none"], "none: no such file"),
]
LIMITS = [
    ('[jorney]\nlatency = ["p99 < 1 s"]', 1, "[jorney]: unknown section 'jorney'; did you mean"),
    ('[journey]\nlatncy = ["p99 < 1 s"]', 2, "journey.latncy: unknown kind of rule 'latncy'"),
    ('[journey]\nlatency = [\n"p99 < 1 s",\n"p9 < 1 s",\n]', 4, "unknown metric 'p9'"),
    ('[journey]\nlatency = ["p99 < 1"]', 2, "'1' needs a unit: us, ms, s"),
    ('[journey]\nlatency = "p99 < 1 s"', 2, "must be a list of rules"),
    ('[regression]\nmetrics = ["p99"]', 1, "regression: 'min_effect' is missing"),
]


@contextlib.contextmanager
def nothing_started(folder: Path) -> Iterator[None]:
    """No run directory, and no process that outlives the refusal."""
    yield
    assert not (folder / "runs").exists()
    assert psutil.Process().children() == []


def refused(folder: Path, *words: str) -> str:
    with nothing_started(folder):
        seen = loadgate(*words)
    assert seen.exit_code == 2, seen.text
    (line,) = seen.text.splitlines()
    assert line.startswith("loadgate")
    assert not re.search(r"Input should|Value error|String should|validation error|╭", line)
    return line


def test_they_are_sixty_at_least() -> None:
    """Of profiles, --set, options and files."""
    assert len(PROFILES) + len(SETS) + len(OPTIONS) + len(LIMITS) >= 60


@pytest.mark.parametrize(("old", "new", "line", "says"), PROFILES)
def test_a_profile(old: str, new: str, line: int, says: str, tmp_path: Path) -> None:
    """File, line and key, as they were written."""
    path = tmp_path / "p.toml"
    assert old in PROFILE
    path.write_text(PROFILE.replace(old, new, 1))
    said = refused(tmp_path, "run", str(path), "--runs", str(tmp_path / "runs"))
    assert said.startswith(f"loadgate: {path}:{line}: ")
    assert says in said


@pytest.mark.parametrize(("text", "says"), SETS)
def test_an_override(text: str, says: str, tmp_path: Path) -> None:
    """The option, as it was written."""
    path = tmp_path / "p.toml"
    path.write_text(PROFILE)
    said = refused(tmp_path, "run", str(path), "--set", text, "--runs", str(tmp_path / "runs"))
    assert f"--set {text}" in said
    assert says in said


@pytest.mark.parametrize(("words", "says"), OPTIONS, ids=lambda it: "-".join(it)[:60])
def test_an_option(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option or file, and what it takes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOADGATE_TOKEN", raising=False)
    Path("FILE").touch()
    Path("FOLDER").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        ports = {"TAKEN": taken.getsockname()[1], "FREE": 20_000 + free.getsockname()[1] % 10_000}
        for name, port in ports.items():
            words = [word.replace(name, str(port)) for word in words]
            says = says.replace(name, str(port))
        assert says in refused(tmp_path, *words)


@pytest.mark.parametrize(("text", "line", "says"), LIMITS)
def test_thresholds(text: str, line: int, says: str, tmp_path: Path) -> None:
    """File, line, section and kind; of all problems, the first."""
    path = tmp_path / "limits.toml"
    path.write_text(text)
    with nothing_started(tmp_path):
        seen = loadgate("run", "smoke", "--thresholds", str(path), "--runs", str(tmp_path / "runs"))
    assert seen.exit_code == 2
    first = seen.text.splitlines()[0]
    assert first.startswith(f"loadgate: {path}:{line}: ")
    assert says in first
