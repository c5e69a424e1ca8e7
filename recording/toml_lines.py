"""On which line of a TOML file a key stands, which tomllib does not tell: for errors."""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

Key = str | int
"""Of a table, or an entry's number in a list."""
Path = tuple[Key, ...]


@lru_cache(maxsize=1)  # a file has many problems
def lines(text: str) -> Mapping[Path, int]:
    """The line of every key and entry of a list, from 1."""
    return _Lines(text).found


def line_of(text: str, path: Sequence[Key]) -> int | None:
    """The line of a key, from 1: its own, else that of the nearest table or list it belongs to.

    None where none of them is written in the text, which is TOML.
    """
    found = lines(text)
    above = (tuple(path[:end]) for end in range(len(path), 0, -1))
    return next((found[key] for key in above if key in found), None)


class _Lines:
    """Reads a whole text into ``found``: the line of each key's first mention."""

    def __init__(self, text: str) -> None:
        # Here, as only who made a mistake needs them.
        import tree_sitter_toml
        from tree_sitter import Language, Parser

        self.found: dict[Path, int] = {}
        self._entries: Counter[Path] = Counter()
        parser = Parser(Language(tree_sitter_toml.language()))
        for node in parser.parse(text.encode()).root_node.named_children:
            if node.type == "pair":
                self._pair(node, ())
            elif node.type in ("table", "table_array_element"):
                self._table(node)

    def _table(self, node: "Node") -> None:
        head, *pairs = node.named_children
        path: Path = ()
        for key in _keys(head):
            path = (*self._last(path), key)
        self._note(path, head)
        if node.type == "table_array_element":
            self._entries[path] += 1
        path = self._last(path)
        self._note(path, head)
        for pair in pairs:
            if pair.type == "pair":
                self._pair(pair, path)

    def _last(self, path: Path) -> Path:
        """The newest entry, where the path is that of a list of tables."""
        return (*path, self._entries[path] - 1) if path in self._entries else path

    def _pair(self, node: "Node", above: Path) -> None:
        key, value = (each for each in node.named_children if each.type != "comment")
        path = above
        for part in _keys(key):
            path = (*path, part)
            self._note(path, key)
        self._value(value, path)

    def _value(self, node: "Node", path: Path) -> None:
        below = [each for each in node.named_children if each.type != "comment"]
        if node.type == "inline_table":
            for pair in below:
                self._pair(pair, path)
        elif node.type == "array":
            for number, entry in enumerate(below):
                self._note((*path, number), entry)
                self._value(entry, (*path, number))

    def _note(self, path: Path, node: "Node") -> None:
        self.found.setdefault(path, node.start_point.row + 1)


def _keys(node: "Node") -> list[str]:
    """``services."cart-service"`` → services, cart-service."""
    table: object = tomllib.loads(f"{(node.text or b'').decode()} = 0")
    keys = []
    while isinstance(table, Mapping):
        ((key, table),) = table.items()
        keys.append(key)
    return keys
