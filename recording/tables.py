"""What the tables of a profile are made of: frozen, and as strict as the people who read them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict

Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A table of the profile: frozen, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Table(Section):
    """A table that people write: a value of another kind than asked for is refused, not converted.

    ``"5"`` is no number, ``1`` and ``"yes"`` are no truth values, ``inf`` is no limit.
    """

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


Listed = Strict(False)
"""Of a tuple: written as a list; its entries are as strict as all else."""
