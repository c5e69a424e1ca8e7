"""locustfiles/rows.py: who users are, dealt so that no two are the same while there are enough."""

from pathlib import Path
from random import Random

import pytest

from loadgate_scenario import ScenarioError
from locustfiles.rows import Deal, read_rows


def rows(count: int) -> list[dict[str, str]]:
    return [{"email": f"u{number}"} for number in range(count)]


def test_no_two_users_have_a_row_at_once_in_whatever_process() -> None:
    """Sessions begin and end as they like; every row gets its turn."""
    deals, draw = [Deal(rows(12), index, 3) for index in range(3)], Random(1)
    held: dict[tuple[int, int], str] = {}
    seen = set()
    for _ in range(500):
        who = draw.randrange(3), draw.randrange(4)
        held[who] = deals[who[0]].take(who[1])["email"]
        assert len({*held.values()}) == len(held)
        seen |= {*held.values()}
        if draw.random() < 0.3:
            deals[who[0]].give_back(who[1])
            del held[who]
    assert len(seen) == 12


def test_with_too_few_rows_users_share_them() -> None:
    """Evenly, and a process that has none of its own deals all."""
    deal = Deal(rows(2), 0, 1)
    taken = [deal.take(user)["email"] for user in range(6)]
    assert {name: taken.count(name) for name in taken} == {"u0": 3, "u1": 3}
    assert Deal(rows(2), 2, 3).take(0)["email"] == "u0"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("email,password\n", "no row below its first line"),
        ("email,password\na\n", ":2: not as many values"),
        ("email\na,b\n", ":2: not as many values"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, text: str, why: str) -> None:
    """By line."""
    (tmp_path / "users.csv").write_text(text)
    with pytest.raises(ScenarioError, match=why):
        read_rows(tmp_path / "users.csv")


def test_a_spreadsheets_file_is_read(tmp_path: Path) -> None:
    """With its mark of UTF-8, its ends of lines, and a comma in quotes."""
    (tmp_path / "users.csv").write_bytes('\ufeffname,city\r\n"a, b",Köln\r\n'.encode())
    assert read_rows(tmp_path / "users.csv") == ({"name": "a, b", "city": "Köln"},)
