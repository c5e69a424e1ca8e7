"""Who asks, by the token: `lt-user-token-NNNNN` is the user `lt-user-NNNNN`'s."""

from fastapi import Request, Response

from mock_services.kit.errors import error_response

_SCHEME = "bearer "
_USER, _SERVICE = "lt-user-token-", "lt-svc-token-"


def user_of(authorization: str) -> str | None:
    """The user whose token it is; None for a service's, or none."""
    token = authorization[len(_SCHEME) :]
    return f"lt-user-{token[len(_USER) :]}" if token.lower().startswith(_USER) else None


def refuse_users(request: Request) -> Response | None:
    """403 for a user at an endpoint that services have among themselves."""
    if user_of(request.headers.get("authorization", "")) is None:
        return None
    text = f"only for services: Authorization must be Bearer {_SERVICE}..."
    return error_response(403, "Forbidden", text)
