"""``[target]`` of a profile: whose services are loaded."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from recording.access import Access
from recording.tables import Listed, Table
from recording.urls import base_url, proxy_url

HOST = "host"
"""The key of the service that a locustfile loads."""
BaseUrl = Annotated[str, AfterValidator(base_url)]
ProxyUrl = Annotated[str, AfterValidator(proxy_url)]


class Target(Table):
    """Where the load goes. Empty urls: the harness starts the mocks on free ports."""

    checkout: BaseUrl = ""
    """Base url of checkout-service."""
    payment: BaseUrl = ""
    """Base url of payment-gateway."""
    cart: BaseUrl = ""
    """Base url of cart-service."""
    inventory_lock: BaseUrl = ""
    """Base url of inventory-lock-service, which no user calls: only to sample its metrics."""
    host: BaseUrl = Field(default="", exclude_if=lambda host: not host)
    """Base url for the users of `scenario.locustfile`, in place of all of these."""
    urls: Mapping[str, BaseUrl] = Field(default_factory=dict, exclude_if=lambda urls: not urls)
    """Base urls of the services of `scenario.module`, by their keys, in place of all of these."""
    allowed_hosts: Annotated[tuple[str, ...], Listed] = ("127.0.0.1", "localhost", "::1")
    """Hosts that may be loaded; every other one is refused."""
    ca_file: str = ""
    """PEM certificates to trust beside the system's, for https urls of a private authority."""
    client_cert: str = ""
    """PEM certificate, and those that it was issued by, to show to https urls that ask for one."""
    client_key: str = ""
    """PEM key of `client_cert`, without a password; empty: it is in the same file."""
    proxy: ProxyUrl = ""
    """`http://HOST:PORT` of the proxy to go through; empty: none, whatever HTTP_PROXY says."""
    gzip: bool = True
    """Whether answers of services at urls may come compressed (`Accept-Encoding: gzip`)."""

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        urls = self.reached
        if self.urls and (len(urls) > len(self.urls) or self.inventory_lock):
            raise ValueError("give urls, or the checkout flow's, or host: one of them")
        if self.host and (len(urls) > 1 or self.inventory_lock):
            raise ValueError("give host, or the urls of the checkout flow's services, not both")
        if urls and len(urls) < 3 and not (self.host or self.urls):
            raise ValueError("give checkout, payment and cart urls, or none of them")
        if self.client_key and not self.client_cert:
            raise ValueError("client_key needs client_cert, the certificate that it belongs to")
        return self

    @property
    def access(self) -> Access:
        """How its urls are reached."""
        return Access(self.ca_file, self.client_cert, self.client_key, self.proxy)

    @property
    def reached(self) -> dict[str, str]:
        """The configured base urls of the services that users talk to."""
        named = {"checkout": self.checkout, "payment": self.payment, "cart": self.cart}
        named[HOST] = self.host
        return {name: url for name, url in named.items() if url} | dict(self.urls)
