"""Orders read at once must be what they are read one by one, damage included."""

from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording import orders_reader
from recording.orders import CONFIRMED_HEADER, UNCONFIRMED_HEADER
from recording.orders_reader import read_confirmed, read_unconfirmed

OLD_HEADER = "t_s,order_id\n"
PLAIN = st.sampled_from(
    ["1.5", "2", "0", "-1", "nan", "inf", "1e9", "1e10", " 1", "1_0", "+1", "x", "", "base", "ä"]
)
AWKWARD = st.sampled_from(['"a"', '"a,b"', '"', "\r", "\udcff", "\0", ","])
LINES = st.lists(st.lists(PLAIN | AWKWARD, max_size=5).map(",".join), max_size=6)
SOUND = st.lists(st.tuples(st.sampled_from(["1.5", "2"]), PLAIN, PLAIN, PLAIN).map(",".join))


@given(
    header=st.sampled_from([CONFIRMED_HEADER, OLD_HEADER, UNCONFIRMED_HEADER]),
    lines=LINES | SOUND,
    cut=st.sampled_from(["", "1.5,a"]),
)
def test_read_at_once_is_read_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, header: str, lines: list[str], cut: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "orders.csv"
    text = header + "".join(f"{line}\n" for line in lines) + cut
    path.write_bytes(text.encode(errors="surrogateescape"))
    read = read_unconfirmed if header == UNCONFIRMED_HEADER else read_confirmed
    found, damaged = read(path)
    with patch.object(orders_reader, "_as_table", return_value=None):
        slowly, damaged_slowly = read(path)
    assert found is not None
    assert slowly is not None
    assert (found.rows(), found.schema, damaged) == (slowly.rows(), slowly.schema, damaged_slowly)


def test_plain_orders_need_no_second_reading(tmp_path: Path) -> None:
    path = tmp_path / "confirmed.csv"
    path.write_text(f"{CONFIRMED_HEADER}1.500,ORD-1,\n2.000,ORD-2,head\n", "utf-8")
    with patch.object(orders_reader, "_records", side_effect=AssertionError):
        found, damaged = read_confirmed(path)
    assert damaged == 0
    assert found.rows() == [(1.5, "ORD-1", ""), (2.0, "ORD-2", "head")]
