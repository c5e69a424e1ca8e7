"""A shop that docs/scenarios.md plays: log-in, items, a basket in a cookie, a payment."""

import asyncio
import itertools
import os
import secrets
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Cookie, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

app = FastAPI()
tokens: dict[str, str] = {}
newest: dict[str, str] = {}
twice: list[str] = []
"""Users of whom one asked after another had logged in."""
baskets: dict[str, list[str]] = {}
users: list[str] = []
numbers = itertools.count(1)
SLOW_S = float(os.environ.get("SHOP_SLOW_S", "0.005"))


@app.get("/healthz")
async def healthz() -> dict[str, Any]:
    return {"users": users, "twice": twice}


@app.post("/log-in")
async def log_in(request: Request) -> dict[str, str]:
    form = dict(parse_qsl((await request.body()).decode()))
    email, key = form["email"], request.headers.get("X-Shop-Key", "")
    if form["password"] != f"secret-of-{email}" or not key:
        raise HTTPException(401, f"not by {key}")
    users.append(email)
    token = secrets.token_hex(8)
    tokens[token], newest[email] = email, token
    return {"token": token}


def known(authorization: str) -> None:
    token = authorization.removeprefix("Bearer ")
    if token not in tokens:
        raise HTTPException(401)
    if newest[tokens[token]] != token:
        twice.append(tokens[token])


@app.get("/item/{number}")
async def item(number: int, authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
    known(authorization)
    await asyncio.sleep(SLOW_S)
    return {"sku": f"sku-{number}", "price": 5}


@app.post("/basket", status_code=201)
async def basket(
    asked: dict[str, Any], response: Response, basket: Annotated[str, Cookie()] = ""
) -> dict[str, Any]:
    mine = basket or secrets.token_hex(8)
    response.set_cookie("basket", mine)
    lines = baskets.setdefault(mine, [])
    lines.append(asked["sku"])
    return {"lines": lines, "sku": asked["sku"]}


@app.post("/pay", status_code=303)
async def pay(asked: dict[str, Any], basket: Annotated[str, Cookie()] = "") -> RedirectResponse:
    if not baskets.pop(basket, None):
        raise HTTPException(409)
    return RedirectResponse(f"/receipt/{next(numbers)}", 303)


@app.get("/receipt/{number}")
async def receipt(number: int) -> dict[str, Any]:
    return {"order": f"o-{number}", "paid": True}
