"""The answer as lines to paste: into a profile of ours, and into the pools that people use.

HikariCP: https://github.com/brettwooldridge/HikariCP#gear-configuration-knobs-baby; SQLAlchemy:
https://docs.sqlalchemy.org/en/20/core/pooling.html; asyncpg:
https://magicstack.github.io/asyncpg/current/api/; PgBouncer: https://www.pgbouncer.org/config.html;
Go: https://pkg.go.dev/database/sql#DB.SetMaxOpenConns.
"""

import shlex
from collections.abc import Iterator

from analysis.tuning.asked import CONNECTIONS, Setting
from recording.profile import Profile

TIMEOUT = ("wait_timeout_s", "pool_wait_timeout_s")


def lines(setting: Setting, value: float, profile: Profile) -> Iterator[tuple[str, str]]:
    """For whom, and the line."""
    name, written = setting.key.rpartition(".")[2], setting.written(value)
    if profile.starts_mocks:
        yield from ours(setting, value)
    elif profile.tune is not None:
        url = profile.target.reached.get(setting.key.partition(".")[0], "")
        yield "[tune] apply", shlex.join(profile.tune.told(setting.key, written, url))
    else:
        yield "[arm.environment]", f'{name} = "{written}"'
    if setting.unit == CONNECTIONS:
        yield "HikariCP", f"spring.datasource.hikari.maximum-pool-size={written}"
        yield "SQLAlchemy", f"create_engine(url, pool_size={written}, max_overflow=0)"
        yield "asyncpg", f"await asyncpg.create_pool(dsn, min_size=1, max_size={written})"
        yield "PgBouncer", f"default_pool_size = {written}"
        yield "Go database/sql", f"db.SetMaxOpenConns({written}); db.SetMaxIdleConns({written})"
    if name in TIMEOUT:
        yield "HikariCP", f"spring.datasource.hikari.connection-timeout={1000 * value:.0f}"
        yield "SQLAlchemy", f"create_engine(url, pool_timeout={written})"
        yield "asyncpg", f"await pool.acquire(timeout={written})"
        yield "PgBouncer", f"query_wait_timeout = {max(1, round(value))}"
        yield "Go database/sql", f"context.WithTimeout(ctx, {1000 * value:.0f}*time.Millisecond)"


def ours(setting: Setting, value: float) -> Iterator[tuple[str, str]]:
    """A profile's line, and the option of a run."""
    service, _, name = setting.key.rpartition(".")
    written = setting.written(value)
    yield "profile", f"[services.{service}] {name} = {written}"
    yield "loadgate run", f"--set services.{setting.key}={written}"
