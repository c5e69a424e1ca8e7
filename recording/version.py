"""Which loadgate this is."""

from functools import cache
from importlib import metadata


@cache
def version() -> str:
    """As installed; "unknown" where it runs without being installed."""
    try:
        return metadata.version("loadgate")
    except metadata.PackageNotFoundError:
        return "unknown"
