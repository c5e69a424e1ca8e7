"""Text that acts where it is shown, and what no output may hold."""

import unicodedata

from hypothesis import strategies as st

ATTACKS = {
    "workflow command": "::error title=owned::by a body",
    "command on a later line": "quiet\n::add-mask::x\r\n  ::stop-commands::token",
    "azure command": "##vso[task.setvariable]x ##[error]y",
    "escape sequences": "\x1b[2J\x1b]0;title\x07\x9b31m\x08\x08",
    "bidi override": "\u202egnp.exe\u2066 \u200b\ufeff",
    "raw html": "<script>alert(1)</script><img src=x onerror=y> &lt;b&gt; <!-- -->",
    "table": "a | b |\n|---|---|\n| x | y |",
    "markdown": "[link](http://evil.example) ![i](x) `code` ```\n# head\n- item\n1. one\n> quote",
    "link": "https://evil.example www.evil.example <http://evil.example> user:secret",
    "rich markup": "[bold red]loud[/] [/] [link=http://evil.example]x[/link] :100: :smile:",
    "xml": "]]></failure><testcase name='x'/>&amp;\x00\ufffe\x0b",
    "csv": '1,2\n3,other-service,up,1\n"quoted, ""text',
    "formula": "=HYPERLINK(1)",
    "mention": "@everyone, @org/team: see a@b",
    "percent": "%0A::error::x %25",
    "separators": "a\u2028b\u2029c\x85d\x1ce\vf\fg",
    "huge": "x" * 100_000,
    "not a character": "\U0010ffff\ue000\ud800",
}
any_text = st.one_of(
    st.text(max_size=80), st.lists(st.sampled_from(list(ATTACKS.values())), max_size=2).map("".join)
)


def acts(text: str) -> list[str]:
    """Characters other than line breaks that would do something on a screen."""
    return [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]


def commands(text: str) -> list[str]:
    """Lines that a CI job's runner would obey."""
    lines = [line for line in text.splitlines() if line.lstrip().startswith("::") or "##[" in line]
    return [line for line in lines if line.lstrip().count("::") > 1 or "##[" in line]
