"""``[scenario]`` of a profile: whose users make the load."""

from typing import Annotated

from pydantic import Field

from recording.tables import Table


class Scenario(Table):
    """Whose users make the load; without it they are those of the shipped checkout flow."""

    locustfile: str = ""
    """A locustfile of one's own, relative to the profile's file: its users, its requests by name,
    at `target.host`."""
    service: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")] = "shop"
    """What reports call the service that a locustfile loads."""
