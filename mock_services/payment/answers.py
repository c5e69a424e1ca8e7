"""The answer to a charge: it follows from the payment, so a replay is the same to the byte."""

from fastapi import Response

from mock_services.kit import money
from mock_services.kit.errors import error_response, json_response
from mock_services.payment.cards import MESSAGES
from mock_services.payment.payments import SUCCEEDED, Payment

PROCESSING_ERROR = "processing_error"
"""Status of a charge that `error_share` has failed."""


def answer_to(payment: Payment, card_last_four: str) -> Response:
    """200, 402 or 500."""
    if payment.status == PROCESSING_ERROR:
        return error_response(500, "InternalError", "injected by error_share")
    if payment.status != SUCCEEDED:
        message = MESSAGES[payment.status]
        return error_response(402, "CardDeclined", message, decline_code=payment.status)
    return json_response(
        200,
        payment_id=payment.payment_id,
        status=payment.status,
        amount=money.dollars(payment.amount_cents),
        card_last_four=card_last_four,
    )
