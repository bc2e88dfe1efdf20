"""A place among the tokens of a rule, and the errors for what was expected there."""

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from stamgast.segments.language.errors import RuleBoundError, RuleSyntaxError
from stamgast.segments.language.lexer import Sort, Token, tokens_of
from stamgast.segments.language.mistakes import WORDS, hint_of, misread

DEEPEST = 40


class Cursor:
    """Steps through tokens; never past the last, which is the end."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens_of(text)
        self.place = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self._tokens[self.place]

    def is_at_end(self) -> bool:
        """Whether no token is left."""
        return self.token.sort is Sort.END

    def ahead(self, steps: int) -> Token:
        """A token further on; the end beyond the last."""
        return self._tokens[min(self.place + steps, len(self._tokens) - 1)]

    def take(self) -> Token:
        """The next token, and a step on."""
        token = self.token
        self.place = min(self.place + 1, len(self._tokens) - 1)
        return token

    def takes(self, *words: str) -> bool:
        """Steps over these keywords if they come next."""
        if any(self.ahead(step).word != word for step, word in enumerate(words)):
            return False
        self.place += len(words)
        return True

    def takes_sign(self, *signs: str) -> str | None:
        """Steps over one of these signs if it comes next, and says which."""
        if self.token.sort is Sort.SIGN and self.token.text in signs:
            return self.take().text
        return None

    def expect_sign(self, sign: str, why: str = "") -> None:
        """Steps over a sign that must come."""
        if not self.takes_sign(sign):
            raise self.unexpected(f"`{sign}`{why}")

    def expect_word(self, word: str) -> None:
        """Steps over a keyword that must come."""
        if not self.takes(word):
            raise self.unexpected(f"`{word}`", [word])

    def expect(self, sort: Sort, what: str) -> Token:
        """A token that must be of a sort."""
        if self.token.sort is not sort:
            raise self.unexpected(what)
        return self.take()

    def unexpected(
        self, expected: str, words: list[str] | None = None, hint: str | None = None
    ) -> RuleSyntaxError:
        """What is wrong with the next token; the hint is a word that is near, or the one given."""
        fault = misread(self._tokens, self.place)
        if fault is not None:
            return fault
        word = self.token.word
        near = get_close_matches(word, {*(words or [])} - {word}, 1) if word else []
        if near and word not in WORDS:
            hint = f"did you mean `{near[0]}`?"
        else:
            hint = hint_of(self._tokens, self.place) or hint
        return RuleSyntaxError(f"expected {expected}, found {self.token}", self.token.at, hint)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level of nesting, within bounds."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise RuleBoundError(f"nested more than {DEEPEST} deep", self.token.at)
        try:
            yield
        finally:
            self._depth -= 1
