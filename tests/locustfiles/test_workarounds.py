"""Each workaround of a measured fault, with a test that fails without it."""

import socket
import subprocess
import sys

from geventhttpclient.connectionpool import ConnectionPool

from locustfiles.keepalive import is_usable
from tests.locustfiles.conftest import BEYOND_SELECT


def test_an_idle_connection_beyond_descriptor_1023_is_usable(
    beyond_select: list[socket.socket],
) -> None:
    """The stock check calls it dead, so that every request would open a new connection."""
    idle = beyond_select[-1]
    assert idle.fileno() >= BEYOND_SELECT
    assert not ConnectionPool("h", 1, "h", 1)._is_socket_alive(idle)
    assert is_usable(idle.fileno())


def test_a_connection_closed_by_the_peer_is_not_usable(beyond_select: list[socket.socket]) -> None:
    """A readable idle socket is at its end or out of step; a closed one has no descriptor."""
    peer, idle = beyond_select[-2:]
    peer.close()
    assert not is_usable(idle.fileno())
    idle.close()
    assert not is_usable(idle.fileno())


def in_locust(code: str) -> str:
    """Run code in a process that loaded the locustfile, as Locust does; its stdout."""
    load = "import locust\nimport locustfiles.checkout_flow\n"
    done = subprocess.run(
        [sys.executable, "-c", load + code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_user_that_stops_closes_its_connections() -> None:
    """One for all services behind one gateway; the gateway sees it end."""
    code = (
        "import socket\nfrom argparse import Namespace\nfrom gevent import GreenletExit\n"
        "from locust.env import Environment\n"
        "from locustfiles.checkout_flow import CheckoutUser\n"
        "gateway = socket.create_server(('127.0.0.1', 0))\n"
        "url = f'http://127.0.0.1:{gateway.getsockname()[1]}'\n"
        "env = Environment(user_classes=[CheckoutUser], parsed_options=Namespace(host=url))\n"
        "user = CheckoutUser(env)\n"
        "user._pauses.end()\n"
        "try: user.on_start()\n"
        "except GreenletExit: pass\n"
        "user._preconnect()\n"
        "seen, _ = gateway.accept()\n"
        "seen.settimeout(5)\n"
        "user.on_stop()\n"
        "print(seen.recv(1), len(set(user._connections.values())))"
    )
    assert in_locust(code) == "b'' 1"


def test_a_request_without_an_answer_is_a_failure_of_locusts_too() -> None:
    """Listeners get what Locust's own clients give them; the web UI counts and names it."""
    code = (
        "from argparse import Namespace\nfrom gevent import GreenletExit\n"
        "from locust.env import Environment\n"
        "from locustfiles.checkout_flow import CheckoutUser\n"
        "gone = Namespace(host='http://127.0.0.1:1')\n"
        "env = Environment(user_classes=[CheckoutUser], parsed_options=gone)\n"
        "env.create_local_runner()\n"
        "seen = []\n"
        "env.events.request.add_listener(lambda **event: seen.append(event))\n"
        "user = CheckoutUser(env)\n"
        "user._pauses.end()\n"
        "for part in (user.on_start, user.journey):\n"
        "    try: part()\n"
        "    except GreenletExit: pass\n"
        "(event,) = seen\n"
        "print(*sorted(event))\n"
        "print(event['url'].startswith('http://127.0.0.1:1/api/v2/products?category='))\n"
        "print(*(e.error for e in env.stats.errors.values()), env.stats.total.num_failures)"
    )
    assert in_locust(code).splitlines() == [
        "context exception name request_type response response_length response_time start_time url",
        "True",
        "connection_refused (status 0) 1",
    ]


def test_loading_the_locustfile_lifts_the_descriptor_limit() -> None:
    """The soft limit of a Locust process is its hard limit."""
    code = (
        "import resource\nsoft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "print(soft == hard)"
    )
    load = "import locust\nimport locustfiles.listeners\n"
    low = f"ulimit -S -n 256; exec {sys.executable} -c '{load}{code}'"
    done = subprocess.run(["bash", "-c", low], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_locusts_init_event_quiets_the_collector() -> None:
    """Everything loaded is frozen out of the collector's sight, and it runs rarely."""
    code = (
        "import gc\nfrom locust.env import Environment\n"
        "env = Environment(events=locust.events)\n"
        "runner = env.create_local_runner()\n"
        "locust.events.init.fire(environment=env, runner=runner, web_ui=None)\n"
        "print(gc.get_threshold()[0], gc.get_freeze_count() > 10_000)\n"
        "runner.quit()"
    )
    assert in_locust(code) == "100000 True"


def test_a_live_payment_key_is_refused() -> None:
    """Even run by hand the locustfile does not start with sk_live_ in its environment."""
    done = subprocess.run(
        [sys.executable, "-c", "import locustfiles.plan"],
        capture_output=True,
        text=True,
        check=False,
        env={"STRIPE_API_KEY": "sk_live_x", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode != 0
    assert "live key" in done.stderr


def test_the_shape_follows_the_profiles_phases() -> None:
    """Users per tick, the announced phases, and the end after the workers' last reports."""
    code = (
        "from pathlib import Path\n"
        "from locustfiles.plan import Plan\nfrom locustfiles.shape import PhaseShape\n"
        "from recording.clock import RunClock\n"
        "from recording.profile_file import load_profile\n"
        "class Runner:\n"
        "    stopped = False\n"
        "    def stop(self): self.stopped = True\n"
        "class Shape(PhaseShape):\n"
        "    profile = load_profile(Path('tests/fixtures/tiny.toml'))\n"
        "    plan = Plan(profile, {}, RunClock(0, 0), 'token')\n"
        "    t_s = 0.0\n"
        "    def get_run_time(self): return self.t_s\n"
        "shape, seen = Shape(), []\n"
        "shape.runner = Runner()\n"
        "shape.turns.on_phase = lambda name, *_: seen.append(name)\n"
        "ticks = []\n"
        "for shape.t_s in (0.5, 2.0, 7.5, 8.0):\n"
        "    ticks.append(shape.tick())\n"
        "print([t and t[0] for t in ticks], seen, shape.runner.stopped)"
    )
    phases = "['ramp-up', 'sustained', 'ramp-down']"
    assert in_locust(code) == f"[10, 20, 10, None] {phases} True"


def test_phases_begin_and_end_when_the_profile_says() -> None:
    """Also between two of Locust's ticks, a second apart: half a second is half a second."""
    code = (
        "from locustfiles.plan import Plan\nfrom locustfiles.shape import PhaseShape\n"
        "from recording.load import Load, Phase\n"
        "from recording.profile import Profile\n"
        "class Clock:\n"
        "    t_s = 0.0\n"
        "    def now_s(self): return 10.0 + self.t_s\n"
        "def phase(name, s, **more): return Phase(name=name, duration=s, users=5, **more)\n"
        "phases = (phase('a', 0.25), phase('b', 0.5, measured=True), phase('c', 1.5))\n"
        "clock = Clock()\n"
        "class Shape(PhaseShape):\n"
        "    profile = Profile(name='short', load=Load(phases=phases))\n"
        "    plan = Plan(profile, {}, clock, 'token')\n"
        "    def get_run_time(self): return clock.t_s\n"
        "shape, seen = Shape(), []\n"
        "shape.turns.on_phase = lambda name, t_s, *_: seen.append((name, t_s))\n"
        "shape.on_end = lambda t_s: seen.append(('end', t_s))\n"
        "for clock.t_s in (0.0, 1.0, 2.0, 3.0):\n"
        "    shape.tick()\n"
        "print(seen)"
    )
    assert in_locust(code) == "[('a', 10.0), ('b', 10.25), ('c', 10.75), ('end', 12.25)]"
