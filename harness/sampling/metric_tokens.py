"""Tokens that open somebody else's metrics: from the environment, and into no file."""

import os
from collections.abc import Mapping

from recording.secrets import keep_secret

OF_PROMETHEUS = "LOADGATE_PROMETHEUS_TOKEN"
"""For `metrics.prometheus` alone."""
OF_PAGES = "LOADGATE_METRICS_TOKEN"
"""For pages of `[[metrics.sources]]`."""


def bearer(variable: str) -> Mapping[str, str]:
    """What a request has to say; nothing where the variable is not set."""
    token = os.environ.get(variable, "")
    return {"Authorization": f"Bearer {keep_secret(token)}"} if token else {}
