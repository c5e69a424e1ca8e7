"""The page of every verb: its help and its options, as the command line has them."""

from collections.abc import Iterator
from typing import Any

from harness.manual.tables import table


def verbs_page(command: Any) -> Iterator[str]:
    """Of the whole command line, as typer made it."""
    yield "# Verbs\n"
    yield f"{command.help} {command.epilog}\n"
    yield "`loadgate VERB --help` says the same. `loadgate --install-completion` makes the shell"
    yield "complete verbs, options, names of profiles and run directories.\n"
    yield from _of(command.whole(), "loadgate", 2)


def _of(commands: dict[str, Any], before: str, depth: int) -> Iterator[str]:
    for name, each in commands.items():
        yield f"{'#' * depth} {before} {name}\n"
        yield each.help.replace("\b\n", "").strip() + "\n"
        options = list(_options(each))
        yield from table(("takes", "what it is"), options) if options else ()
        yield from _of(getattr(each, "commands", {}), f"{before} {name}", depth + 1)


def _options(command: Any) -> Iterator[tuple[str, str]]:
    for each in command.params:
        metavar = each.metavar or ""
        named = " ".join(filter(None, (max(each.opts, key=len), metavar)))
        is_option = each.opts[0].startswith("-")
        yield f"`{named if is_option else metavar}`", each.help or ""
