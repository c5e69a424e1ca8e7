"""How running mocks are: do they answer, how full are their pools, how large are they?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from analysis.report.document import Document, Lines, Mark, Row, Table, numbers, texts, verdicts
from analysis.words.units import BYTES_PER_MB
from analysis.words.values import Outcome
from harness.sampling.prometheus import flatten
from harness.scene.running import Running
from harness.system.fetch import NoAnswerError, fetch
from recording.metric_names import POOL_ACTIVE, POOL_MAX, POOL_WAITING, RSS

WITHIN_S = 2.0
OF_A_POOL = {"active": POOL_ACTIVE, "max": POOL_MAX, "waiting": POOL_WAITING}
UNKNOWN = "·"


@dataclass(frozen=True, slots=True)
class Vitals:
    """Of one service, as its /metrics has them now; `pools` by ``locks/0``, pool and replica."""

    healthy: bool
    rss_bytes: float | None
    pools: Mapping[str, Mapping[str, float]]


def vitals_of(running: Running) -> dict[str, Vitals]:
    """Of each service."""
    return {key: _vitals(mock.url) for key, mock in running.mocks.items()}


def _vitals(url: str) -> Vitals:
    try:
        healthy = fetch(f"{url}/healthz", WITHIN_S).ok
        page = dict(flatten(fetch(f"{url}/metrics", WITHIN_S).text))
    except (NoAnswerError, ValueError):
        return Vitals(False, None, {})
    names = [name.removeprefix(f"{POOL_MAX}/") for name in page if name.startswith(f"{POOL_MAX}/")]
    pools = {name: {word: page[f"{of}/{name}"] for word, of in OF_A_POOL.items()} for name in names}
    return Vitals(healthy, page.get(RSS), pools)


def vitals_table(running: Running, found: Mapping[str, Vitals]) -> dict[str, Any]:
    """For JSON; the token is not for everybody who is shown this."""
    about = running.model_dump(exclude={"admin_token"})
    return about | {
        "mocks": {key: mock | asdict(found[key]) for key, mock in about["mocks"].items()}
    }


def vitals_document(running: Running, found: Mapping[str, Vitals]) -> Document:
    """For a screen."""
    services, pools = [], []
    for key, mock in running.mocks.items():
        it = found[key]
        health = Mark("healthy", Outcome.PASS) if it.healthy else Mark("no answer", Outcome.FAIL)
        size = UNKNOWN if it.rss_bytes is None else f"{it.rss_bytes / BYTES_PER_MB:,.0f}"
        services.append(Row((mock.subject, mock.url, health, size)))
        for name, pool in it.pools.items():
            pools.append(Row((mock.subject, name, *(f"{pool[word]:,.0f}" for word in OF_A_POOL))))
    columns = (*texts("service", "url"), *verdicts("health"), *numbers("RSS", unit="MB"))
    of_pools = (*texts("pool of", "pool"), *numbers("in use", "of", "waiting"))
    logs = tuple(f"log: {mock.log}" for mock in running.mocks.values())
    line = f"pid {running.pid}, seed {running.seed}"
    tables = Table(columns, tuple(services)), Table(of_pools, tuple(pools), grouped=True)
    return Document((*tables, Lines((*logs, line), tone="quiet")))
