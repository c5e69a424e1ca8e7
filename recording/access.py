"""How services at urls are reached: whom to trust, what to show them, and what lies between."""

from typing import NamedTuple


class Access(NamedTuple):
    """Of a profile's ``[target]``, which says what each is; "" is none."""

    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    proxy: str = ""


DIRECT = Access()
