"""Changes what running mocks do: everything that was asked for, or nothing."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

from harness.scene.running import Mock, Running
from recording.errors import ConfigError, LoadgateError, RunFailedError

PATH = "/admin/behaviour"
WITHIN_S = 5.0
BAD_REQUEST = 400
Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """Of one setting, ``payment.latency.charge.p99_ms``."""

    key: str
    before: Any
    after: Any


def in_force(running: Running, key: str) -> Settings:
    """What a service is told now. Raises RunFailedError when it does not answer."""
    return _asked(running, running.mocks[key], "GET")


def change_all(running: Running, tables: Mapping[str, Settings]) -> list[Change]:
    """Change settings of several services; what has changed by it.

    Raises ConfigError with every refusal, before anything is changed, and RunFailedError when a
    service does not answer: then those that were changed are told what they were told before.
    """
    before = {key: in_force(running, key) for key in tables}
    _check_all(running, tables)
    after: dict[str, Settings] = {}
    try:
        for key, table in tables.items():
            after[key] = _asked(running, running.mocks[key], "POST", table)
    except LoadgateError:
        for key in after:
            old = {name: before[key][name] for name in tables[key]}
            with suppress(LoadgateError):
                _asked(running, running.mocks[key], "POST", old)
        raise
    was, now = (dict(leaves(tables)) for tables in (before, after))
    return [Change(key, was.get(key), now[key]) for key in now if was.get(key) != now[key]]


def leaves(table: Settings, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its whole key."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _check_all(running: Running, tables: Mapping[str, Settings]) -> None:
    refused = []
    for key, table in tables.items():
        try:
            _asked(running, running.mocks[key], "POST", table, check=True)
        except ConfigError as error:
            refused.append(f"services.{key}: {error}")
    if refused:
        raise ConfigError("\n".join((*refused, "nothing was changed")))


def _asked(
    running: Running, mock: Mock, method: str, body: Settings | None = None, check: bool = False
) -> Settings:
    headers = {"X-Admin-Token": running.admin_token, "Content-Type": "application/json"}
    # json writes what others refuse to: numbers of any length, for the service to judge.
    content = None if body is None else json.dumps(body, default=str)
    params = {"check": "true"} if check else None
    try:
        with httpx.Client(timeout=WITHIN_S, trust_env=False, headers=headers) as client:
            answer = client.request(method, mock.url + PATH, content=content, params=params)
        said: Settings = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise RunFailedError(f"{mock.subject} at {mock.url} does not answer: {error}") from error
    if answer.status_code == BAD_REQUEST:
        raise ConfigError(str(said.get("message")))
    if not answer.is_success:
        raise RunFailedError(f"{mock.subject}: {answer.status_code} {said.get('message')}")
    return said
