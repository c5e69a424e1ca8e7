"""The shop over HTTP."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Cookie, Depends, FastAPI, HTTPException, Path, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from pydantic import BaseModel, Field

from shop.database import Pool, digest, prepare

pool = Pool(os.environ.get("SHOP_DATABASE", "shop.db"), int(os.environ.get("SHOP_CONNECTIONS", 8)))


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Nobody is served before the tables are there."""
    prepare(pool)
    yield


app = FastAPI(title="Tea shop", lifespan=lifespan)
Sku = Annotated[str, Path(examples=["assam", "sencha"])]
Basket = Annotated[str | None, Cookie()]


class LogIn(BaseModel):
    """Who wants to buy."""

    email: str
    password: str


class Line(BaseModel):
    """So many of a tea."""

    sku: str
    amount: int = Field(default=1, ge=1, le=20)


def customer(who: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
    """The e-mail address that a token was given to."""
    with pool.transaction() as database:
        query = "SELECT email FROM tokens WHERE token = ?"
        found = database.execute(query, (who.credentials,)).fetchone()
    if found is None:
        raise HTTPException(401, "unknown token")
    return str(found["email"])


@app.get("/health")
def health() -> dict[str, str]:
    """Whether the database answers."""
    with pool.transaction() as database:
        database.execute("SELECT 1")
    return {"status": "up"}


@app.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    """For Prometheus: the pool, and what the process takes."""
    told = CollectorRegistry()
    told.register(pool)
    ProcessCollector(registry=told)
    return Response(generate_latest(told), media_type="text/plain; version=0.0.4")


@app.get("/catalog")
def catalog() -> list[dict[str, Any]]:
    """All teas."""
    with pool.transaction() as database:
        return [dict(row) for row in database.execute("SELECT * FROM teas ORDER BY sku")]


@app.get("/catalog/{sku}")
def tea(sku: Sku) -> dict[str, Any]:
    """One of them."""
    with pool.transaction() as database:
        found = database.execute("SELECT * FROM teas WHERE sku = ?", (sku,)).fetchone()
    if found is None:
        raise HTTPException(404, f"no tea {sku!r}")
    return dict(found)


@app.post("/log-in")
def log_in(asked: LogIn) -> dict[str, str]:
    """A token, to be sent as `Authorization: Bearer TOKEN`."""
    token = secrets.token_urlsafe()
    with pool.transaction() as database:
        query = "SELECT 1 FROM customers WHERE email = ? AND password = ?"
        if not database.execute(query, (asked.email, digest(asked.password))).fetchone():
            raise HTTPException(401, "wrong e-mail address or password")
        database.execute("INSERT INTO tokens VALUES (?, ?)", (token, asked.email))
    return {"token": token}


@app.post("/basket", status_code=201)
def put_in(line: Line, answer: Response, basket: Basket = None) -> dict[str, Any]:
    """Put a tea into the basket, whose number is a cookie."""
    basket = basket or secrets.token_hex(8)
    answer.set_cookie("basket", basket, httponly=True, samesite="lax")
    tea(line.sku)
    query = """INSERT INTO lines VALUES (?, ?, ?)
               ON CONFLICT DO UPDATE SET amount = amount + excluded.amount"""
    with pool.transaction() as database:
        database.execute(query, (basket, line.sku, line.amount))
    return show_basket(basket)


@app.get("/basket")
def show_basket(basket: Basket = None) -> dict[str, Any]:
    """What is in it, and what that costs."""
    query = """SELECT sku, amount, cents * amount AS cents
               FROM lines JOIN teas USING (sku) WHERE basket = ?"""
    with pool.transaction() as database:
        lines = [dict(row) for row in database.execute(query, (basket,))]
    return {"lines": lines, "cents": sum(line["cents"] for line in lines)}


@app.post("/orders", status_code=201)
def order(email: Annotated[str, Depends(customer)], basket: Basket = None) -> dict[str, Any]:
    """Buy what is in the basket."""
    cents = show_basket(basket)["cents"]
    if not cents:
        raise HTTPException(409, "the basket is empty")
    with pool.transaction() as database:
        database.execute("DELETE FROM lines WHERE basket = ?", (basket,))
        query = "INSERT INTO orders (email, cents) VALUES (?, ?)"
        number = database.execute(query, (email, cents)).lastrowid
    return {"number": number, "cents": cents}


@app.get("/orders")
def orders(email: Annotated[str, Depends(customer)]) -> list[dict[str, Any]]:
    """One's last ten."""
    query = "SELECT number, cents FROM orders WHERE email = ? ORDER BY number DESC LIMIT 10"
    with pool.transaction() as database:
        return [dict(row) for row in database.execute(query, (email,))]
