"""What the endpoints of inventory-lock-service answer, and examples, for its OpenAPI document."""

from datetime import datetime
from typing import Literal

from mock_services.kit.openapi import Answer, Contract, Described


class LockAcquired(Described):
    """A lock on stock."""

    lock_id: str
    status: Literal["acquired"]
    sku: str
    expires_at: datetime


class LockReleased(Described):
    """A lock that is none any more."""

    lock_id: str
    status: Literal["released"]


ACQUIRE = Contract(
    {
        200: Answer("locked", LockAcquired),
        502: Answer("the replica it went to is down, planted (`replicas_down`)"),
    },
    example={"sku": "SKU-28471", "quantity": 1, "ttl_seconds": 300, "checkout_id": "chk-lt-423891"},
    headers=("X-Modelled-Time",),
)
RELEASE = Contract(
    {
        200: Answer("unlocked", LockReleased),
        404: Answer("there is no such lock"),
        410: Answer("the lock has expired; its stock is free already"),
    },
    example={"lock_id": "lock-1"},
    how="`lock_id` is in the answer of an acquire.",
    headers=("X-Modelled-Time",),
)
