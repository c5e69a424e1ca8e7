"""Builds the FastAPI app around a service."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from mock_services.kit import admin, errors, openapi, test_data
from mock_services.kit.express import Express
from mock_services.kit.front import Front
from mock_services.kit.runtime import calm_garbage_collector, raise_descriptor_limit
from mock_services.kit.service import MockService
from mock_services.kit.settings import ServiceSettings

SETTINGS_VARIABLE = "MOCK_SETTINGS"
SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def settings_from_env(model: type[SettingsT]) -> SettingsT:
    """Settings as the environment has them; the defaults when it has none.

    Raises pydantic.ValidationError for anything the model does not allow.
    """
    return model.model_validate_json(os.environ.get(SETTINGS_VARIABLE) or "{}")


def build_app(service: MockService[ServiceSettings], description: str) -> FastAPI:
    """An app with everything but the service's own endpoints."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        raise_descriptor_limit()
        await service.start()
        calm_garbage_collector()
        yield
        await service.stop()

    app = FastAPIOffline(  # its docs page needs nothing from elsewhere
        redoc_url=None,
        title=service.name,
        version=service.version,
        description=description,
        lifespan=lifespan,
        redirect_slashes=False,
        swagger_ui_parameters={"validatorUrl": None},  # else the page asks swagger.io
        # Looking for an OpenTelemetry provider that nobody set up is a tenth of a short request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        strict_content_type=False,  # a JSON body is read as such without a Content-Type too
    )
    app.state.service = service
    errors.install(app)
    openapi.install(app)
    admin.install(app, service)
    test_data.install(app, service)
    app.add_middleware(Express, routes=app.routes)  # read at the first request: all are there
    app.add_middleware(Front, service=service)  # added last: outermost
    return app
