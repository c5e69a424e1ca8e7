"""Whom https urls are trusted by: one store for the load, the checks before it and the samples.

It holds the system's authorities, those of ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``, and those of
the profile's ``target.ca_file``: a private one.
"""

import os
import ssl
from functools import lru_cache
from pathlib import Path

from recording.errors import ConfigError
from recording.files import why

VARIABLE = "SSL_CERT_FILE"


@lru_cache(maxsize=4)
def trust_store(ca_file: str = "") -> ssl.SSLContext:
    """Verifies names and certificates. Reading it takes a while, so it is kept.

    Raises ConfigError naming the file that cannot be read or holds no PEM certificate; OpenSSL
    would trust nobody and not say why.
    """
    context = ssl.create_default_context()
    for where, file in ((VARIABLE, os.environ.get(VARIABLE, "")), ("target.ca_file", ca_file)):
        if not file:
            continue
        try:
            context.load_verify_locations(cadata=Path(file).read_text(encoding="ascii"))
        except (ssl.SSLError, ValueError):  # ValueError: empty, or no ASCII
            raise ConfigError(f"{where} {file}: holds no PEM certificate") from None
        except OSError as error:
            raise ConfigError(f"{where} {file}: {why(error)}") from None
    return context
