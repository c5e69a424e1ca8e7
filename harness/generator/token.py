"""The token that a master and its workers share: who does not have it gets no plan and no say."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from recording.errors import ConfigError
from recording.secrets import SHORTEST_TOKEN, keep_secret

VARIABLE = "LOADGATE_TOKEN"


@dataclass(frozen=True, slots=True)
class Token:
    """``made`` here, or one that the user has already."""

    text: str = field(repr=False)
    made: bool = False


def made_token() -> Token:
    """A new one of 32 random letters."""
    return Token(keep_secret(secrets.token_urlsafe(24)), made=True)


def given_token(
    option: str | None, file: Path | None, environ: Mapping[str, str] = os.environ
) -> Token | None:
    """That of ``--token``, ``--token-file`` or the environment, in this order; None without any.

    Raises ConfigError naming the source, never the token, when it can be guessed or not be sent.
    """
    text, source = option, "--token"
    if text is None and file is not None:
        text, source = _read(file), f"--token-file {file}"
    if text is None:
        text, source = environ.get(VARIABLE), VARIABLE
    if text is None:
        return None
    text = text.strip()
    if len(text) < SHORTEST_TOKEN or not (text.isascii() and text.isprintable()) or " " in text:
        raise ConfigError(
            f"{source}: a token has at least {SHORTEST_TOKEN} printable characters and no space"
        )
    return Token(keep_secret(text))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--token-file {file}: cannot be read: {error}") from None
