"""Make test data before a load: users with filled carts, called by a prefix.

Of running mocks, or of the services at the urls of PROFILE, where they offer it (docs/replay.md);
their admin token is LOADGATE_ADMIN_TOKEN.

Examples:

- `loadgate seed --prefix lt- --users 50000`  (of `loadgate mocks`)
- `loadgate seed staging --prefix lt-`  (the urls of profiles/staging.toml)
"""

from typing import Annotated

import typer

from harness import options
from harness.scene.test_data import seeded
from harness.verbs.cleanup import Base, Of, Prefix, answer_touched, shop_of


def seed(
    prefix: Prefix,
    profile: Of = None,
    users: Annotated[int, typer.Option("--users", min=1, max=100_000, help="How many.")] = 500,
    products: Annotated[
        int, typer.Option("--products", min=1, max=10_000, help="That their carts hold.")
    ] = 10_000,
    port_base: Base = None,
    as_json: options.Json = False,
) -> None:
    """Make it, and say what was made; what is there already stays."""
    shop = shop_of(profile, port_base, prefix)
    answer_touched(seeded(shop, prefix, users, products), "made", as_json=as_json)
