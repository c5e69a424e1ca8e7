"""The texts that stand under names in the code: what a field, a file or an exit code is."""

import ast
import inspect
from collections.abc import Iterator, Mapping
from itertools import pairwise
from textwrap import dedent
from typing import get_args

from pydantic import BaseModel


def under_names(cls: type) -> Mapping[str, str]:
    """By name in the class' body, its own and its bases', the text under it, on one line.

    Read when somebody asks: reading it while classes are made would cost every start its time.
    """
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        if each.__module__.partition(".")[0] in ("recording", "mock_services", "analysis"):
            found |= dict(_own(each))
    return found


def _own(cls: type) -> Iterator[tuple[str, str]]:
    (tree,) = ast.parse(dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    for line, below in pairwise(tree.body):
        target = _target(line)
        said = below.value if isinstance(below, ast.Expr) else None
        if target and isinstance(said, ast.Constant) and isinstance(said.value, str):
            yield target, " ".join(said.value.split())


def _target(line: ast.stmt) -> str:
    if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
        return line.target.id
    if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
        return line.targets[0].id
    return ""


def models_in(model: type[BaseModel]) -> Mapping[str, type[BaseModel]]:
    """It and all that its fields are made of, by the name of the class."""
    found = {model.__name__: model}
    for field in model.model_fields.values():
        for below in _models(field.annotation):
            found |= models_in(below)
    return found


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
