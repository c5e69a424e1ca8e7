"""A small shop in a git repository of its own: one process that answers the shipped flow."""

import sys
from pathlib import Path

from tests.harness.conftest import git

SHOP = '''
"""All seven steps of a checkout, in one process."""

import asyncio
import itertools

from fastapi import FastAPI, Request

app = FastAPI()
numbers = itertools.count(1)


@app.get("/healthz")
async def healthz():
    return {}


@app.get("/api/v2/products")
async def browse():
    await asyncio.sleep(0.01)
    return {"products": [{"id": "p-00001"}]}


@app.get("/api/v2/products/{product}")
async def detail(product: str):
    await asyncio.sleep(0.01)
    return {"id": product}


@app.post("/api/v2/cart/items")
async def add_to_cart(request: Request):
    await asyncio.sleep(0.01)
    cart = await request.json()
    return {"cart_id": cart["cart_id"], "items": 1}


@app.post("/api/v2/checkout/apply-coupon")
async def apply_coupon(request: Request):
    await asyncio.sleep(0.01)
    asked = await request.json()
    return {"coupon_code": asked["coupon_code"], "status": "applied"}


@app.post("/api/v2/checkout/start")
async def start():
    await asyncio.sleep(0.01)
    return {"checkout_id": f"c-{next(numbers)}", "status": "pending"}


@app.post("/api/v2/payments/charge")
async def charge():
    await asyncio.sleep(0.01)
    return {"payment_id": f"y-{next(numbers)}", "status": "succeeded"}


@app.post("/api/v2/orders/confirm", status_code=201)
async def confirm():
    await asyncio.sleep(0.01)
    return {"order_id": f"o-{next(numbers)}", "status": "confirmed"}
'''
CART = "async def add_to_cart(request: Request):\n    await asyncio.sleep(0.01)\n"
SLOW_CART = CART.replace("0.01", "0.04")
PROFILE = """
description = "the shop against where it left the main branch"

[arm]
start = "{python} -m uvicorn shop:app --log-level warning --port {{port}}"
{arm}

[gate]
slot = "800ms"
cut = "200ms"
warmup_rounds = 1
looks = [16]
{gate}

[load]
processes = 1
phases = [
    {{ name = "ramp-up", duration = "1s", users = {users} }},
    {{ name = "rounds", duration = "28s", users = {users}, measured = true }},
]

[journey]
think = {{ min = "0ms", max = "{think}" }}
session = {{ min = "1s", max = "2s" }}
decline_share = 0

[journey.funnel]
detail = 1
add_to_cart = 1
apply_coupon = 1
start_checkout = 1
charge = 1
confirm = 1

[recording]
interval = "500ms"

[sampling]
interval = "200ms"

[judge]
required = ["journey.errors"]

[validity]
rate_tolerance = 1.0
users_tolerance = 0.3
generator_lag_p99 = "2s"
generator_cpu = 1.0
generator_wait = 1.0
foreign_cpu = 1.0
missing_samples = 0.5
missing_intervals = 0.3
"""


def shop_in(
    folder: Path, arm: str = "", gate: str = "", users: int = 30, think: str = "40ms"
) -> Path:
    """The shop's repository on its main branch.

    Its profile is ``loadgate/gate.toml``, with more in its ``[arm]`` and ``[gate]``.
    """
    shop = folder / "shop"
    (shop / "loadgate").mkdir(parents=True)
    (shop / "docs").mkdir()
    (shop / "shop.py").write_text(SHOP)
    (shop / "docs" / "intro.md").write_text("A shop.\n")
    more = {"arm": arm, "gate": gate, "users": users, "think": think}
    profile = PROFILE.format(python=sys.executable, **more)
    (shop / "loadgate" / "gate.toml").write_text(profile)
    (shop / ".gitignore").write_text("__pycache__/\nruns/\n")
    git(shop, "init", "--quiet", "--initial-branch", "main")
    commit(shop, "a shop")
    return shop


def commit(shop: Path, message: str) -> None:
    """Everything there is."""
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "--message", message)


def branch(shop: Path, name: str, changed: dict[str, str]) -> None:
    """A branch whose files of these names have these texts."""
    git(shop, "checkout", "--quiet", "-b", name)
    for file, text in changed.items():
        (shop / file).parent.mkdir(parents=True, exist_ok=True)
        (shop / file).write_text(text)
    commit(shop, name)
