"""What holds for all tests."""

import gc
import json
from collections.abc import Iterator
from unittest.mock import patch

import jsonschema_rs
import pytest
from hypothesis import settings

from analysis.report.verdict_schema import text
from analysis.words.values import Verdict
from tests import postgres_server

# A busy machine is no failure, and a test says the same every time it runs.
settings.register_profile("loadgate", deadline=None, derandomize=True)
settings.load_profile("loadgate")
VALIDATOR = jsonschema_rs.validator_for(text())

gc.disable()  # what is imported and collected stays: looking for rubbish in it is 2/5 of the time


def pytest_collection_finish() -> None:
    """From here on as ever, but for all that is there already."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def _every_verdict_keeps_its_schema() -> Iterator[None]:
    """Whichever test makes a verdict.json."""
    plain = Verdict.to_json

    def checked(verdict: Verdict) -> bytes:
        made = plain(verdict)
        VALIDATOR.validate(json.loads(made))
        return made

    with patch.object(Verdict, "to_json", checked):
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    """A PostgreSQL of this session."""
    if why := postgres_server.missing():
        pytest.skip(why)
    with postgres_server.serving() as server:
        yield server
