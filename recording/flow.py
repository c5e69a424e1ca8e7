"""Who answers the steps of the checkout flow, and who calls whom: one table, a row a service.

What a run was made with stands in its manifest, and is judged by that; `FLOW` is what this tree
starts, loads and reads in files that people write.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field


class Service(BaseModel):
    """A service: ``key`` names its settings and urls, ``subject`` it in reports.

    ``steps`` are those that it answers; users never talk to one that has none. ``calls`` has, for
    a step, the subjects of the services that its handler calls in turn.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    subject: str
    steps: tuple[str, ...] = ()
    calls: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)


@dataclass(frozen=True)
class Services:
    """The services of a run; ``order`` is that of a journey's steps."""

    all: tuple[Service, ...]
    order: tuple[str, ...]

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """What reports call each of them."""
        return tuple(service.subject for service in self.all)

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """Every step that one of them answers, in the order of the flow."""
        return self.in_order(step for service in self.all for step in service.steps)

    @cached_property
    def _of_step(self) -> Mapping[str, Service]:
        return {step: s for s in reversed(self.all) for step in s.steps}

    def steps_of(self, subject: str) -> tuple[str, ...]:
        """What a service answers; () for one that is not known."""
        return next((service.steps for service in self.all if service.subject == subject), ())

    def named(self, pattern: str) -> tuple[str, ...]:
        """Steps of this name, or that fit a shell's pattern; `GET /cart` is `/cart` too."""
        return tuple(
            step
            for step in self.steps
            if any(name == pattern or fnmatchcase(name, pattern) for name in _names(step))
        )

    def all_named(self, patterns: Iterable[str]) -> tuple[str, ...]:
        """The steps of each, and what none of them has as it stands."""
        found = (step for name in patterns for step in self.named(name) or (name,))
        return tuple(dict.fromkeys(found))

    def of_steps_seen(self, steps: Iterable[str]) -> "Services":
        """With these, where there is one service and only a run tells what it is asked."""
        if self.steps or len(self.all) != 1:
            return self
        known = tuple(sorted(steps))
        return Services((self.all[0].model_copy(update={"steps": known}),), known)

    def service_of(self, step: str) -> str:
        """Who answers a step; "" where nobody is known to."""
        return self._of_step[step].subject if step in self._of_step else ""

    def calls(self, step: str) -> tuple[str, ...]:
        """Whom the handler of a step calls in turn."""
        return self._of_step[step].calls.get(step, ()) if step in self._of_step else ()

    def reached_from(self, step: str) -> tuple[str, ...]:
        """Whom a step waits for: whom its handler calls, and whom those call that no user talks to.

        Which handler of a service that users do talk to is called in turn, nobody says.
        """
        return self._behind(self.calls(step))

    def called_by(self, subject: str) -> tuple[str, ...]:
        """Whom any handler of a service waits for."""
        return self._behind(self._calls_of(subject))

    def _calls_of(self, subject: str) -> tuple[str, ...]:
        own = (service.calls.values() for service in self.all if service.subject == subject)
        return tuple(called for handlers in own for calls in handlers for called in calls)

    def _behind(self, called: Iterable[str]) -> tuple[str, ...]:
        found = list(dict.fromkeys(called))
        for subject in found:
            if not self.steps_of(subject):
                found += [more for more in self._calls_of(subject) if more not in found]
        return tuple(found)

    def during(self, subject: str) -> tuple[str, ...]:
        """The steps that a service answers, or has a part in."""
        return tuple(s for s in self.steps if subject in (self.service_of(s), *self.calls(s)))

    def in_order(self, steps: Iterable[str]) -> tuple[str, ...]:
        """Steps in the order of the flow, those that it does not know behind them by name."""
        seen = set(steps)
        known = [step for step in self.order if step in seen]
        return (*known, *sorted(seen.difference(known)))

    def reached_by(self, keys: Iterable[str]) -> tuple[Service, ...]:
        """Those of these keys, and those that users do not talk to."""
        known = set(keys)
        return tuple(s for s in self.all if s.key in known or not s.steps)

    def with_others(self, services: Iterable[Service]) -> "Services":
        """And those of some more that have other subjects."""
        others = {s.subject: s for s in services if s.subject not in self.subjects}
        return Services((*self.all, *others.values()), self.order)


def _names(step: str) -> tuple[str, ...]:
    """What a step may be called by: a locustfile's has its method before its name."""
    _, blank, name = step.partition(" ")
    return (step, name) if blank else (step,)


_CARTS, _CHECKOUT = "cart-service", "checkout-service"
_LOCKS, _PAYMENTS = "inventory-lock-service", "payment-gateway"
_CHECKOUT_STEPS = ("browse", "detail", "apply_coupon", "start_checkout", "confirm")
_ORDER = ("browse", "detail", "add_to_cart", "apply_coupon", "start_checkout", "charge", "confirm")
FOUR = Services(
    (
        Service(
            key="checkout",
            subject=_CHECKOUT,
            steps=_CHECKOUT_STEPS,
            calls={"start_checkout": (_LOCKS,), "confirm": (_LOCKS,)},
        ),
        Service(key="payment", subject=_PAYMENTS, steps=("charge",)),
        Service(key="inventory_lock", subject=_LOCKS),
        Service(key="cart", subject=_CARTS, steps=("add_to_cart",)),
    ),
    _ORDER,
)
"""Those of recordings that do not say (formats 1 and 2). Nothing is ever added here."""

FLOW = Services(
    (
        Service(
            key="checkout",
            subject=_CHECKOUT,
            steps=_CHECKOUT_STEPS,
            calls={"start_checkout": (_CARTS, _LOCKS), "confirm": (_PAYMENTS, _LOCKS)},
        ),
        Service(
            key="payment", subject=_PAYMENTS, steps=("charge",), calls={"charge": (_CHECKOUT,)}
        ),
        Service(key="inventory_lock", subject=_LOCKS),
        Service(key="cart", subject=_CARTS, steps=("add_to_cart",)),
    ),
    _ORDER,
)
"""Those of this tree: ``mock_services/table.py`` has the same, and ``locustfiles/steps.py`` asks
for these steps."""
STEPS = FLOW.steps
