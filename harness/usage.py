"""A command line that cannot be understood, in one line: which command, what is wrong with it, and
the nearest word there is."""

import re
from typing import Any

import typer

from recording.errors import did_you_mean
from recording.refusals import in_words


def usage_line(error: typer.TyperException) -> str:
    """``loadgate run: no option '--sed'; did you mean '--seed'? known: …``.

    "" of a verb that was called without a word: its help has been shown.
    """
    context = getattr(error, "ctx", None)
    if not (error.message or isinstance(error, typer.BadParameter)):
        return ""
    where = context.command_path if context else "loadgate"
    return f"{where}: {_what(error, context)}"


def _what(error: typer.TyperException, context: Any) -> str:
    told, option = error.message.rstrip("."), getattr(error, "option_name", None)
    if hasattr(error, "possibilities"):
        return f"no option {option!r}{_instead(str(option), context)}"
    if option is not None:
        return f"{option}: {'needs a value' if 'requires' in told else 'takes no value'}"
    if isinstance(error, typer.BadParameter):
        return f"{_name(error.param)}{_wrong(error)}"
    if found := re.match(r"No such command '(.*?)'", told):
        return f"no verb {found[1]!r}{did_you_mean(found[1], context.command.commands)}"
    if told == "Missing command":
        return f"name a verb: {', '.join(context.command.commands)}"
    if found := re.match(r"Got unexpected extra argument\(s\) \((.*)\)", told):
        return f"{found[1]}: one word too many; `{context.command_path} --help` has examples"
    return told


def _instead(option: str, context: Any) -> str:
    """Options that there are; where there are none, the verbs that have some."""
    known = [name for each in context.command.params for name in each.opts if name[0] == "-"]
    verbs = getattr(context.command, "commands", None)
    if verbs and not known:
        return f" before a verb; verbs: {', '.join(verbs)}"
    return did_you_mean(option, known)


def _name(parameter: Any) -> str:
    """``--seed``; of what has no dashes, as the help calls it."""
    if parameter is None:
        return ""
    return str(max(parameter.opts, key=len) if parameter.opts[0][0] == "-" else parameter.metavar)


def _wrong(error: typer.BadParameter) -> str:
    if hasattr(error, "param_type"):
        return f" is missing; `{error.ctx.command_path if error.ctx else ''} --help` has examples"
    problems = getattr(error.__cause__, "errors", None)
    if problems is None:
        return f": {error.message}"
    problem = problems()[0]
    said = re.sub(r".* is not one of (.*), (.*?)\.?$", r"write \1 or \2", in_words(problem))
    return f" {problem['input']}: {said}"
