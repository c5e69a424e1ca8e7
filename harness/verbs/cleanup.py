"""Remove what load tests left: carts, checkouts, orders and payments of users called by a prefix.

Whatever has not the prefix is never touched. Of running mocks, or of the services at the urls of
PROFILE, where they offer it (docs/replay.md); their admin token is LOADGATE_ADMIN_TOKEN. Not while
a load runs: its orders go, too.

Examples:

- `loadgate cleanup --prefix lt-`  (of `loadgate mocks`)
- `loadgate cleanup staging --prefix lt-`  (the urls of profiles/staging.toml)
"""

import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from analysis.report.document import Document, Row, Table, numbers, texts
from harness import options
from harness.scene.running import the_running
from harness.scene.test_data import Shop, Touched, cleaned, of_mocks, of_profile
from harness.screen.terminal import answer
from harness.system.paths import find_profile
from recording.errors import ConfigError
from recording.profile_file import load_profile

TOKEN_VARIABLE = "LOADGATE_ADMIN_TOKEN"
_PREFIX = re.compile(r"[a-z0-9]{1,19}-", re.ASCII)
Prefix = Annotated[str, typer.Option("--prefix", help="Of the users, such as lt-.")]
Of = Annotated[
    str | None, typer.Argument(metavar="PROFILE", help="Whose [target] it is [running mocks].")
]
Base = Annotated[
    int | None,
    typer.Option("--port-base", min=1, max=65000, help="Which mocks, where several are running."),
]


def cleanup(
    prefix: Prefix, profile: Of = None, port_base: Base = None, as_json: options.Json = False
) -> None:
    """Remove it, and say what was removed."""
    shop = shop_of(profile, port_base, prefix)
    answer_touched(cleaned(shop, prefix), "removed", as_json=as_json)


def shop_of(profile: str | None, port_base: int | None, prefix: str) -> Shop:
    """Raises ConfigError for what is no prefix, or names nobody, and RefusedError for a host."""
    if not _PREFIX.fullmatch(prefix):
        raise ConfigError(
            f"--prefix {prefix!r}: write up to 19 small letters and digits and a '-', such as lt-"
        )
    if profile is None:
        return of_mocks(the_running(port_base))
    if port_base is not None:
        raise ConfigError("--port-base is for running mocks: leave out PROFILE, or it")
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise ConfigError(f"{TOKEN_VARIABLE} is not set: the services' token for their admin")
    return of_profile(load_profile(find_profile(profile)), token)


def answer_touched(found: Sequence[Touched], done: str, *, as_json: bool) -> None:
    """What each service said. Raises ConfigError where none offers it."""
    rows = tuple(Row((each.subject, each.url, _said(each))) for each in found)
    document = Document((Table((*texts("service", "url"), *numbers(done)), rows),))
    answer(document, [asdict(each) for each in found], as_json=as_json)
    if all(each.counts is None for each in found):
        raise ConfigError("none of these services offers /admin/test-data: nothing was done")


def _said(of: Touched) -> str:
    if of.counts is None:
        return "not offered"
    return ", ".join(f"{n:,} {what}" for what, n in of.counts.items()) or "keeps none"
