"""Requests to try the mocks with, as lines for a shell: each works as it stands."""

from collections.abc import Iterator, Mapping

USER = "-H 'Authorization: Bearer lt-user-token-00001'"
SERVICE = "-H 'Authorization: Bearer lt-svc-token-checkout'"
WHO = '"user_id": "lt-user-00001"'
CART = '"cart_id": "cart-by-hand"'
ITEM = '"product_id": "p-00001", "quantity": 1'
CARD = '"payment_method": "card", "card_token": "tok_test_visa_4242"'


def curl_lines(urls: Mapping[str, str]) -> Iterator[str]:
    """One of the catalogue's and one of the locks', then a whole purchase."""
    checkout, payment, lock, cart = (
        urls[key] for key in ("checkout", "payment", "inventory_lock", "cart")
    )
    yield f"curl -s '{checkout}/api/v2/products?category=electronics' {USER}"
    wanted = '{"sku": "SKU-28471", "quantity": 1, "ttl_seconds": 5}'
    yield f"curl -s {lock}/api/v1/locks/acquire {SERVICE} --json '{wanted}'"
    yield f"curl -s {cart}/api/v2/cart/items {USER} --json '{{{CART}, {WHO}, {ITEM}}}'"
    start = f"curl -s {checkout}/api/v2/checkout/start {USER} --json '{{{CART}, {WHO}}}'"
    yield f"checkout=$({start} | {_kept('checkout_id')})"
    asked = f'{{"checkout_id": "\'$checkout\'", {CARD}}}'
    charge = f"curl -s {payment}/api/v2/payments/charge {USER} --json '{asked}'"
    yield f"payment=$({charge} | {_kept('payment_id')})"
    paid = '{"checkout_id": "\'$checkout\'", "payment_id": "\'$payment\'"}'
    yield f"curl -s {checkout}/api/v2/orders/confirm {USER} --json '{paid}'"


def _kept(field: str) -> str:
    """Shows an answer and hands on one field of it."""
    return f'tee /dev/stderr | sed \'s/.*"{field}": *"\\([^"]*\\)".*/\\1/\''
