"""docs/audit.md names what there is, and its example is one."""

import json
import re
from pathlib import Path

from analysis.audit.catalogue import RELATIONS, audit
from analysis.published.table import Published
from recording.profile_file import build

PAGE = (Path(__file__).parents[3] / "docs" / "audit.md").read_text()


def test_every_section_and_every_relation_is_documented() -> None:
    """None can only be found in the code."""
    for name in Published.model_fields:
        assert f"`{name}`" in PAGE, name
    for relation in RELATIONS:
        assert f"`{relation.__module__.split('.')[-1]}.py`" in PAGE


def test_the_example_contradicts_itself_in_its_mean() -> None:
    """90 ms of 1,800 and 0.20 s of 1,100 requests are 132 ms."""
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    found = audit(build(Published, json.loads(example), "example"), "example")
    assert ["endpoints' means" in it.says for it in found.contradictions] == [True]
