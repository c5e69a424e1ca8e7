"""Whom https urls are trusted by, and as whom we show ourselves: one store for the load, the checks
before it and the samples.

It holds the system's authorities, those of ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``, and those of
the profile's ``target.ca_file``: a private one. Servers that ask are shown ``target.client_cert``.
"""

import os
import ssl
from functools import lru_cache
from pathlib import Path

from recording.access import DIRECT, Access
from recording.errors import ConfigError
from recording.files import why

VARIABLE = "SSL_CERT_FILE"
ALPN = ["http/1.1"]
"""What we speak (RFC 7301): a server that only speaks HTTP/2 says so in the handshake."""


@lru_cache(maxsize=4)
def trust_store(access: Access = DIRECT) -> ssl.SSLContext:
    """Verifies names and certificates. Reading it takes a while, so it is kept.

    Raises ConfigError naming the file that cannot be read or holds no PEM certificate; OpenSSL
    would trust nobody and not say why.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(ALPN)
    environment = os.environ.get(VARIABLE, "")
    for where, file in ((VARIABLE, environment), ("target.ca_file", access.ca_file)):
        if file:
            _trust(context, where, file)
    if access.client_cert:
        _show(context, access.client_cert, access.client_key)
    return context


def _trust(context: ssl.SSLContext, where: str, file: str) -> None:
    try:
        context.load_verify_locations(cadata=Path(file).read_text(encoding="ascii"))
    except (ssl.SSLError, ValueError):  # ValueError: empty, or no ASCII
        raise ConfigError(f"{where} {file}: holds no PEM certificate") from None
    except OSError as error:
        raise ConfigError(f"{where} {file}: {why(error)}") from None


def _show(context: ssl.SSLContext, cert: str, key: str) -> None:
    """A key that is encrypted is refused: OpenSSL would ask for its password on the terminal."""
    for where, file in (("target.client_cert", cert), ("target.client_key", key)):
        try:
            if file:
                Path(file).read_bytes()
        except OSError as error:
            raise ConfigError(f"{where} {file}: {why(error)}") from None
    try:
        context.load_cert_chain(cert, key or None, password="")
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error)
        held = f"target.client_cert {cert}" + (f" with target.client_key {key}" if key else "")
        raise ConfigError(
            f"{held}: no certificate in PEM with its key, without a password ({reason})"
        ) from None
