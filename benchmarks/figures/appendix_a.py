"""The peak of LT-2025-Q3-CHECKOUT as published (Appendix A): what a benchmark is held against."""

from collections.abc import Mapping

from mock_services.cart.settings import CartSettings
from mock_services.checkout.settings import CheckoutSettings
from mock_services.kit.settings import Quantiles
from mock_services.payment.settings import PaymentSettings

PEAK_USERS = 12_000
PEAK_RATES: Mapping[str, float] = {
    "browse": 298.0,
    "detail": 268.0,
    "add_to_cart": 175.0,
    "apply_coupon": 53.0,
    "start_checkout": 88.0,
    "charge": 81.0,
    "confirm": 80.0,
}
"""Requests/s per step at 12,000 users."""
TOTAL_RATE = 1043.0
LATENCY: Mapping[str, Quantiles] = {
    **CheckoutSettings.DEFAULT_LATENCY,
    **PaymentSettings.DEFAULT_LATENCY,
    **CartSettings.DEFAULT_LATENCY,
}
"""Published percentiles per step."""
