"""What is wrong with a shop's orders in one way: how much of it, in words, and where it shows."""

from dataclasses import dataclass

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Wrong:
    """``n`` is what a rule limits; ``words`` say it, with the money in it where that is known."""

    n: int
    words: str
    ids: tuple[str, ...]

    def __str__(self) -> str:
        more = ", …" if len(self.ids) > EXAMPLES else ""
        return f"{self.words}: {', '.join(self.ids[:EXAMPLES])}{more}"
