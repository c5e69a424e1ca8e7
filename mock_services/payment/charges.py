"""Charges under way: what each needs to know, and what nobody else may charge meanwhile."""

import hashlib
from dataclasses import dataclass

from mock_services.payment.bodies import ChargeRequest
from mock_services.payment.payments import Key


@dataclass(slots=True)
class Charge:
    """One charge. `key` is None where the client sent none; the rest comes to be known."""

    wanted: ChargeRequest
    request_id: str
    key: Key | None
    amount_cents: int = 0
    holds_checkout: bool = False
    runs_on: bool = False
    """Whether it goes on after its answer: the processor did not answer in time."""


class UnderWay:
    """The keys and checkouts of all of them."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}
        self._checkouts: set[str] = set()

    def __len__(self) -> int:
        return len(self._keys)

    def request_of(self, digest: str) -> str | None:
        """Digest of the request that is in flight under a key."""
        return self._keys.get(digest)

    def is_charged(self, checkout_id: str) -> bool:
        """Whether a checkout is held."""
        return checkout_id in self._checkouts

    def begin(self, charge: Charge) -> None:
        """Hold its key."""
        if charge.key is not None:
            self._keys[charge.key.digest] = charge.key.request

    def hold_checkout(self, charge: Charge) -> None:
        """Hold its checkout as well."""
        self._checkouts.add(charge.wanted.checkout_id)
        charge.holds_checkout = True

    def end(self, charge: Charge) -> None:
        """Let go of both."""
        if charge.key is not None:
            del self._keys[charge.key.digest]
        if charge.holds_checkout:
            self._checkouts.remove(charge.wanted.checkout_id)


def bound(key: str, authorization: str, wanted: ChargeRequest) -> Key:
    """A key is its caller's own: nobody is answered with what another got for the same one."""
    return Key(_digest(f"{authorization}\n{key}"), _digest(wanted.model_dump_json()))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
