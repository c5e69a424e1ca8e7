"""How much of a request's body is read."""

from fastapi import Response
from starlette.types import Message, Receive

from mock_services.kit.errors import error_response

BODY_MAX_BYTES = 1_048_576


def again(message: Message, receive: Receive) -> Receive:
    """A `receive` that begins with a message received already."""
    seen = [message]

    async def receive_again() -> Message:
        return seen.pop() if seen else await receive()

    return receive_again


async def bounded(receive: Receive, body_bytes: int | None) -> tuple[Receive, Response | None]:
    """A `receive` for a body of this length, or of an unknown one (None), or else the refusal."""
    message = await _read_whole(receive) if body_bytes is None else None
    if message is not None:
        return again(message, receive), None
    text = f"a body has at most {BODY_MAX_BYTES} bytes"
    refusal = error_response(413, "BodyTooLarge", text)
    refusal.headers["connection"] = "close"  # the rest of it is not read
    return receive, refusal


async def _read_whole(receive: Receive) -> Message | None:
    """A body as one message; None as soon as it is too long."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return message
        body += message.get("body", b"")
        if len(body) > BODY_MAX_BYTES:
            return None
        if not message.get("more_body"):
            return {"type": "http.request", "body": bytes(body), "more_body": False}
