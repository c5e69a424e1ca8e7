"""Verbs that are imported when they are called: help and completion need their docstrings only."""

import ast
import os
import re
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from harness.screen.plain import PLAIN_VARIABLE
from harness.system.signals import nothing_to_tidy_up

VERBS_FOLDER = Path(__file__).parent / "verbs"


def summary(verb: str) -> str:
    """What its docstring begins with; the file is not imported."""
    told = ast.get_docstring(ast.parse((VERBS_FOLDER / f"{verb}.py").read_bytes()))
    return _beginning(told or "")


def _beginning(told: str) -> str:
    """In one line, up to where it goes into details."""
    return " ".join(re.split(r"[.:;]\s", told, maxsplit=1)[0].split()).removesuffix(".")


class LazyVerbs(TyperGroup):
    """Its commands are names with their help; the one that is called is put in its place."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb as its file has it."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, _imported(name) if name else None, rest

    def whole(self) -> dict[str, Any]:
        """All of them as their files have them, for whoever wants to know everything."""
        return {name: _imported(name) for name in self.commands}


def _imported(name: str) -> Any:
    with nothing_to_tidy_up():
        verb = import_module(f"harness.verbs.{name}")
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    if hasattr(verb, "actions"):
        alone.add_typer(verb.actions, name=name)
    else:
        function = f"{name}_" if iskeyword(name) else name
        alone.command(name, help=verb.__doc__)(getattr(verb, function))
    made: Any = get_command(alone)
    command = made.commands[name] if isinstance(made, TyperGroup) else made
    _finish(command)
    return command


def _finish(command: Any) -> None:
    """What all have: ``--plain``, and lists in their help that stay lists."""
    command.help = (command.help or "").replace("\n\n- ", "\n\n\b\n- ")
    below = getattr(command, "commands", {}).values()
    for each in below:
        _finish(each)
        each.short_help = _beginning(each.help)
    if not below:
        command.params.append(_plain_option())


def _plain_option() -> Any:
    """Typer makes options of parameters, and this one no verb's function has."""
    carrier = typer.Typer(add_completion=False)
    carrier.command()(_plain)
    option = get_command(carrier).params[0]
    option.expose_value = False
    return option


def _be_plain(asked: bool) -> bool:
    if asked:
        os.environ[PLAIN_VARIABLE] = "1"
    return asked


def _plain(
    plain: Annotated[
        bool,
        typer.Option(
            "--plain",
            is_eager=True,
            callback=_be_plain,
            help=f"No colours and no live picture, as in a log (or {PLAIN_VARIABLE}=1).",
        ),
    ] = False,
) -> None:
    """Carries the option."""
