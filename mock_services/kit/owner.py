"""Whose request it is, by its bearer token."""

from fastapi import Request

_USER = "bearer lt-user-token-"
_SERVICE = "bearer lt-svc-token-"


def user_of(request: Request) -> str | None:
    """The user whose token it is: lt-user-00001 of lt-user-token-00001; None for services."""
    authorization = request.headers.get("authorization", "")
    if not authorization.lower().startswith(_USER):
        return None
    return f"lt-user-{authorization[len(_USER) :]}"


def is_service(request: Request) -> bool:
    """Whether another service asks."""
    return request.headers.get("authorization", "").lower().startswith(_SERVICE)
