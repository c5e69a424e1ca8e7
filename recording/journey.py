"""``[journey]`` of a profile: what one user does, how long it thinks, how patient it is."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from recording.durations import DurationS
from recording.tables import Share, Table


class Range(Table):
    """A uniform range of durations, written ``{ min = "2s", max = "5s" }``."""

    min: DurationS
    """The shortest."""
    max: DurationS
    """The longest."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not 0 <= self.min <= self.max:
            raise ValueError("min must be at least 0 and at most max")
        return self

    @property
    def mean_s(self) -> float:
        """Mean of the uniform distribution, s."""
        return (self.min + self.max) / 2


class Funnel(Table):
    """Share of users who go on to the next step. Defaults: Appendix A's peak rates."""

    detail: Share = 268 / 298
    """Of those who browse."""
    add_to_cart: Share = 175 / 268
    """Of those who look at a detail."""
    apply_coupon: Share = 0.30
    """Of those who have a cart; they go on either way."""
    start_checkout: Share = 88 / 175
    """Of those who have a cart."""
    charge: Share = 81 / 88
    """Of those who start a checkout."""
    confirm: Share = 1.0
    """Of those whose charge succeeded."""

    def is_taken(self, step: str) -> bool:
        """Whether anybody goes on to a step; everybody does where no share is named."""
        return getattr(self, step, 1.0) > 0

    def per_journey(self, decline_share: float) -> Mapping[str, float]:
        """Mean requests of each step in a journey in which nothing fails unexpectedly."""
        cart = self.detail * self.add_to_cart
        start = cart * self.start_checkout
        charge = start * self.charge
        return {
            "browse": 1.0,
            "detail": self.detail,
            "add_to_cart": cart,
            "apply_coupon": cart * self.apply_coupon,
            "start_checkout": start,
            "charge": charge,
            "confirm": charge * (1 - decline_share) * self.confirm,
        }

    def requests_per_journey(self, decline_share: float) -> float:
        """The same of all steps together."""
        return sum(self.per_journey(decline_share).values())


class Journey(Table):
    """What one user does. Defaults: the seed's own plan (LT-2025-Q3-CHECKOUT)."""

    think: Range = Range(min=2.0, max=5.0)
    """Pause after each request."""
    period: DurationS | None = Field(default=None, gt=0)
    """Start-to-start time of a user's journeys; None: the next begins after one think time."""
    session: Range = Range(min=180.0, max=480.0)
    """How long one lasts: then the next begins, with another account and cart."""
    decline_share: Share = 0.03
    """Share of charges with a card that is declined, as planned: no failure."""
    funnel: Funnel = Funnel()
    """Shares of those who go on to the next step."""
    shares: Literal["drawn", "dealt"] = "drawn"
    """How the funnel's shares and the declines come about: by chance, or exactly in each Locust
    process, evenly spread."""
    test_users: int = Field(default=50_000, ge=1)
    """Accounts that users are drawn from."""
    products: int = Field(default=10_000, ge=1)
    """Products that are looked at."""
    popularity: float = Field(default=0.0, ge=0, le=10)
    """Exponent of Zipf's law for how often a product is looked at; 0: each alike."""
    coupons: int = Field(default=500, ge=1)
    """Coupon codes in use."""
    cookies: bool = False
    """Whether users keep the cookies that services set, for a session."""
    redirects: int = Field(default=0, ge=0, le=10)
    """How many a request follows within its service; one more, or one out of it, has failed."""
    retries: int = Field(default=0, ge=0, le=10)
    """How often a user asks again for what got no answer, or an error that may pass."""
    retry_key: Literal["same", "new"] = "same"
    """The idempotency key of a charge that is asked for again; with a new one it is another."""
    retry_backoff: DurationS = Field(default=0.5, gt=0)
    """The longest wait before the first retry; it doubles with each. Waits are drawn below it."""


OF_THE_SHIPPED_FLOW = (
    "decline_share", "funnel", "test_users", "products", "popularity", "coupons", "retry_key",
)  # fmt: skip
"""Keys of a journey that a scenario of one's own says itself, or has no use for."""
