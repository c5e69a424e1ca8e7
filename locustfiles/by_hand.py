"""Run by hand: ``--host`` and the web UI's Host field pass the allow-list of any profile's urls."""

import sys
from typing import Any
from urllib.parse import urlsplit

import flask
from locust.env import Environment

from locustfiles.plan import PLAN

USAGE_ERROR = 2


def why_refused(host: str | None) -> str:
    """Why nothing is sent to this url; "" where it may be loaded, or none was given."""
    if not host:
        return ""
    allowed = PLAN.profile.target.allowed_hosts
    try:
        name = urlsplit(host).hostname
    except ValueError:
        name = None
    if name in allowed:
        return ""
    return (
        f"host {host!r} is not in target.allowed_hosts ({', '.join(allowed)}); "
        "name a profile that allows it in LOADGATE_PROFILE"
    )


def guard(environment: Environment, web_ui: Any) -> None:
    """Refuse a host of the command line by ending, one of the web UI by saying so."""
    if because := why_refused(environment.host):
        sys.stderr.write(f"refused: {because}\n")
        sys.exit(USAGE_ERROR)
    if web_ui is not None:
        web_ui.app.before_request(_refuse_field)


def _refuse_field() -> Any:
    """What the form gets in place of a start, in the words of Locust's own refusals."""
    because = why_refused(flask.request.form.get("host", "").replace("<", "").replace(">", ""))
    return flask.jsonify({"success": False, "message": because}) if because else None
