"""Idempotency keys."""

from __future__ import annotations

import asyncio

import pytest

from mock_services.payment.idempotency import Answer, IdempotencyStore, KeyReusedError


class Charge:
    """Counts how often it is executed; the answers are handed in."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.executed = 0

    async def __call__(self) -> Answer:
        self.executed += 1
        await asyncio.sleep(0)
        return self.answers.pop(0)


OK = Answer(200, b"ok", final=True)
CUT_OFF = Answer(504, b"late", final=False)


def test_same_key_and_request_is_executed_once() -> None:
    """The second gets the first's answer, marked as a replay."""

    async def scenario() -> tuple[list[tuple[Answer, bool]], int]:
        store, charge = IdempotencyStore(10), Charge(OK, OK)
        return [await store.run("k", b"r", charge) for _ in range(2)], charge.executed

    assert asyncio.run(scenario()) == ([(OK, False), (OK, True)], 1)


def test_a_second_request_waits_for_the_first_in_flight() -> None:
    """Ten at once: one execution, one answer for all."""

    async def scenario() -> tuple[int, int]:
        store, charge = IdempotencyStore(10), Charge(*[OK] * 10)
        results = await asyncio.gather(*(store.run("k", b"r", charge) for _ in range(10)))
        return charge.executed, sum(replayed for _, replayed in results)

    assert asyncio.run(scenario()) == (1, 9)


def test_an_answer_that_is_not_final_is_not_stored() -> None:
    """After a 504 the same key executes again, for a waiter in flight too."""

    async def scenario() -> tuple[int, list[int]]:
        store, charge = IdempotencyStore(10), Charge(CUT_OFF, OK, OK)
        results = await asyncio.gather(*(store.run("k", b"r", charge) for _ in range(3)))
        return charge.executed, sorted(answer.status for answer, _ in results)

    assert asyncio.run(scenario()) == (2, [200, 200, 504])


def test_another_request_under_the_same_key_is_refused() -> None:
    """Also while the first is in flight."""

    async def scenario() -> None:
        store = IdempotencyStore(10)
        first = asyncio.create_task(store.run("k", b"r", Charge(OK)))
        await asyncio.sleep(0)
        with pytest.raises(KeyReusedError):
            await store.run("k", b"other", Charge(OK))
        await first

    asyncio.run(scenario())


def test_a_failed_execution_frees_the_key() -> None:
    """An exception reaches its caller, and the next one executes."""

    async def broken() -> Answer:
        raise RuntimeError("no")

    async def scenario() -> tuple[Answer, bool]:
        store = IdempotencyStore(10)
        with pytest.raises(RuntimeError):
            await store.run("k", b"r", broken)
        return await store.run("k", b"r", Charge(OK))

    assert asyncio.run(scenario()) == (OK, False)


def test_memory_is_bounded() -> None:
    """Only the last keys are remembered."""

    async def scenario() -> tuple[int, bool]:
        store = IdempotencyStore(3)
        for number in range(5):
            await store.run(str(number), "r", Charge(OK))
        _, replayed = await store.run("0", b"r", Charge(OK))
        return len(store), replayed

    assert asyncio.run(scenario()) == (3, False)
