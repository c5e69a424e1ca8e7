"""The checkout flow of LT-2025-Q3-CHECKOUT as a Locust scenario.

Works by itself too, web UI included (``--host`` must be in the allow-list)::

    loadgate mocks &                                  # or your own services
    locust -f locustfiles/checkout_flow.py            # then open http://localhost:8089
    locust -f locustfiles/checkout_flow.py --headless -u 50 -r 10 -t 30s
    locust -f locustfiles/checkout_flow.py --host http://127.0.0.1:8001   # one gateway for all
"""

from locustfiles import listeners
from locustfiles.plan import PLAN
from locustfiles.profiled import as_profiled
from locustfiles.shape import PhaseShape
from locustfiles.shopper import Shopper
from locustfiles.steps import SCENARIO


class CheckoutUser(Shopper):
    """One shopper of the shipped flow."""

    scenario = as_profiled(SCENARIO, PLAN.profile)


if PLAN.shaped:

    class Phases(PhaseShape):
        """The profile's phases drive the load."""

        plan = PLAN
        levels = listeners.LEVELS
