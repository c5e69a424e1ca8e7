"""recording/matchers.py: what PromQL's label matchers mean, on a page that we read ourselves."""

import pytest

from recording.matchers import parse_matchers

CHECKOUT = {"job": "checkout", "pod": "checkout-1"}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("", True),
        ('job="checkout"', True),
        ('job="check"', False),
        ('job!="cart"', True),
        ('pod=~"checkout-.+"', True),
        ('pod=~"checkout"', False),
        ('pod!~"cart-.+"', True),
        ('container=""', True),
        ('container!=""', False),
        ('job="checkout",pod=~"cart-.+"', False),
        (' job = "checkout" , pod = "checkout-1" ', True),
        ('job="checkout",', True),
    ],
)
def test_a_series_is_meant_or_not(text: str, fits: bool) -> None:
    """A regular expression is of the whole value, and a label that is not there is empty."""
    assert all(each.fits(CHECKOUT) for each in parse_matchers(text)) is fits


@pytest.mark.parametrize(
    "text", ["job", "job=checkout", 'job=="a"', 'job="a" pod="b"', '="a"', 'a="b"}', 'job=~"("']
)
def test_what_is_no_matcher_is_refused(text: str) -> None:
    """With what may be written, or why it is no regular expression."""
    with pytest.raises(ValueError, match=r"label=|regular expression"):
        parse_matchers(text)


@pytest.mark.parametrize("value", ["a", 'say "a"', "a\\b", "a\nb", "ü"])
def test_it_is_written_as_it_was_read(value: str) -> None:
    """Quotes and backslashes come through, so that nothing in a value ends the selector."""
    (made,) = parse_matchers(f'job="{value}"'.replace("\\", "\\\\").replace("\n", "\\n")
                             if '"' not in value else 'job="say \\"a\\""')  # fmt: skip
    assert made.value == value
    assert parse_matchers(str(made)) == (made,)
