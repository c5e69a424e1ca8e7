"""/admin/test-data: what a load test needs is made, and what it left is removed, by prefix.

Steps 6 and 11 of runbook RB-QA-005. Test users are called by the prefix, as are their carts and
requests; whatever is not is never touched.
"""

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from mock_services.kit import money
from mock_services.kit.admin import ADMIN, refusal
from mock_services.kit.errors import json_response
from mock_services.kit.openapi import Answer, Described, responses
from mock_services.kit.service import MockService
from mock_services.kit.settings import ServiceSettings

PATH = "/admin/test-data"
PREFIX = r"^[a-z0-9]+-$"
"""Of test users; never empty, which would be everybody's."""
Prefix = Annotated[str, Field(pattern=PREFIX, max_length=20)]


class TestData(BaseModel):
    """What is to be there."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    __test__ = False  # no test, whatever pytest reads from its name

    prefix: Prefix = Field(description="users are called prefix + user-00001 and so on")
    users: int = Field(default=500, ge=1, le=100_000, description="each with a filled cart")
    products: int = Field(
        default=money.PRODUCTS, ge=1, le=money.PRODUCTS, description="that carts are filled with"
    )


class Touched(Described):
    """How much of what was made, or removed; nothing of what this service does not keep."""

    service: str
    counts: dict[str, int]


def install(app: FastAPI, service: MockService[ServiceSettings]) -> None:
    """Add the endpoints to a service's app."""
    router = APIRouter(tags=["operation"])
    docs: dict[str, Any] = {
        "response_model": None,
        "responses": responses({**ADMIN, 200: Answer("done", Touched)}),
        "openapi_extra": {"security": [{"admin": []}]},
    }

    @router.post(PATH, **docs)
    async def make(request: Request, wanted: TestData) -> Response:
        """Make test data; what is there already stays. Loopback and token only."""
        if refused := refusal(request):
            return refused
        return _touched(service, await service.make_test_data(wanted.model_dump()))

    @router.delete(PATH, **docs)
    async def remove(
        request: Request, prefix: Annotated[str, Query(pattern=PREFIX, max_length=20)]
    ) -> Response:
        """Remove everything of users and requests with this prefix. Loopback and token only."""
        return refusal(request) or _touched(service, await service.remove_test_data(prefix))

    app.include_router(router)


def _touched(service: MockService[ServiceSettings], counts: dict[str, int]) -> Response:
    return json_response(200, service=service.name, counts=counts)
