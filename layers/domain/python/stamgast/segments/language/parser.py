"""From the text of a rule to its syntax, by recursive descent; the grammar is in the docs.

`parse` is bounded in length, size and depth, and raises nothing but a RuleError.
"""

from collections.abc import Callable

from stamgast.segments.language.cursor import Cursor
from stamgast.segments.language.errors import RuleError, RuleSyntaxError
from stamgast.segments.language.events import EventPart
from stamgast.segments.language.lexer import Sort
from stamgast.segments.language.mistakes import A_WINDOW
from stamgast.segments.language.syntax import AGGREGATES, WORDS, Shape, Syntax

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
TIMES = ("date", "moment", "timestamp")
MOST_LINKS = 100
RESERVED = WORDS - {"date", "moment", "now", "today", "last", "segment", "lifetime", "ago"}
_Production = Callable[[], Syntax]
TAILS = ["is", "in", "between", "like", "ilike", "contains", "not", "and", "or"]


def parse(text: str) -> Syntax:
    """The syntax of a rule, or of a filter over events; raises RuleError with its place."""
    try:
        parser = _Parser(Cursor(text))
        return parser.whole()
    except RuleError as error:
        raise error.placed_in(text) from None


def parse_window(text: str) -> Syntax:
    """The syntax of a window by itself, such as `last 30 days`; raises RuleError with its place."""
    try:
        parser = _Parser(Cursor(text))
        window = parser.events.window()
        if window is None or not parser.cursor.is_at_end():
            raise RuleSyntaxError("this is no window", parser.cursor.token.at, A_WINDOW)
    except RuleError as error:
        raise error.placed_in(text) from None
    return window


class _Parser:
    """One method for each production."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.events = EventPart(cursor, self.disjunction, self.total)

    def whole(self) -> Syntax:
        if self.cursor.is_at_end():
            raise RuleSyntaxError("the rule is empty", 0, "for everybody write `true`")
        found = self.disjunction()
        if not self.cursor.is_at_end():
            raise self._at_end()
        return found

    def _at_end(self) -> RuleSyntaxError:
        token = self.cursor.token
        if token.sort is Sort.SIGN and token.text in COMPARISONS:
            return RuleSyntaxError("only one comparison at a time", token.at, "join two by `and`")
        return self.cursor.unexpected("`and`, `or` or the end of the rule", TAILS)

    def disjunction(self) -> Syntax:
        with self.cursor.deeper():
            return self._joined(Shape.OR, "or", self._conjunction)

    def _conjunction(self) -> Syntax:
        return self._joined(Shape.AND, "and", self._negation)

    def _joined(self, shape: Shape, word: str, part: _Production) -> Syntax:
        at, parts = self.cursor.token.at, [part()]
        while self.cursor.takes(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Syntax(shape, at, None, tuple(parts))

    def _negation(self) -> Syntax:
        at = self.cursor.token.at
        if not self.cursor.takes("not"):
            return self._predicate()
        with self.cursor.deeper():
            return Syntax(Shape.NOT, at, None, (self._negation(),))

    def _predicate(self) -> Syntax:
        at = self.cursor.token.at
        if self.events.is_funnel():
            return self.events.funnel()
        if self.cursor.token.word == "in" and self.cursor.ahead(1).word == "segment":
            return self._segment(at)
        left = self.total()
        sign = self.cursor.takes_sign(*COMPARISONS)
        if sign:
            return Syntax(Shape.COMPARE, at, sign, (left, self.total()))
        if self.cursor.takes("is"):
            return self._is(left, at)
        return self._maybe_not(left, at)

    def _segment(self, at: int) -> Syntax:
        self.cursor.takes("in", "segment")
        self.cursor.expect_sign("(", " and a segment's name")
        name = self.cursor.expect(Sort.TEXT, "the name of a segment as a text")
        self.cursor.expect_sign(")")
        return Syntax(Shape.SEGMENT, at, (name.text, name.at))

    def _is(self, left: Syntax, at: int) -> Syntax:
        is_not = self.cursor.takes("not")
        for word, what in (("null", None), ("true", True), ("false", False), ("unknown", None)):
            if self.cursor.takes(word):
                found = Syntax(Shape.IS, at, what, (left,))
                return Syntax(Shape.NOT, at, None, (found,)) if is_not else found
        words = ["null", "true", "false"]
        hint = f"other values are compared by `{'!=' if is_not else '='}`"
        raise self.cursor.unexpected("`null`, `true` or `false`", words, hint)

    def _maybe_not(self, left: Syntax, at: int) -> Syntax:
        is_not = self.cursor.takes("not")
        found = self._tail(left, at)
        if found is None:
            if is_not:
                told = "`in`, `between`, `like` or `contains`"
                raise self.cursor.unexpected(told, TAILS, "what is not equal is told by `!=`")
            return left
        return Syntax(Shape.NOT, at, None, (found,)) if is_not else found

    def _tail(self, left: Syntax, at: int) -> Syntax | None:
        if self.cursor.takes("between"):
            low = self.total()
            self.cursor.expect_word("and")
            return Syntax(Shape.BETWEEN, at, None, (left, low, self.total()))
        for word in ("like", "ilike"):
            if self.cursor.takes(word):
                pattern = self.cursor.expect(Sort.TEXT, "a pattern as a text")
                return Syntax(Shape.LIKE, at, (pattern.text, word == "ilike"), (left,))
        if self.cursor.takes("contains"):
            return Syntax(Shape.CONTAINS, at, None, (self.total(), left))
        if self.cursor.takes("in"):
            return self._in(left, at)
        return None

    def _in(self, left: Syntax, at: int) -> Syntax:
        if not self.cursor.takes_sign("("):
            return Syntax(Shape.CONTAINS, at, None, (left, self.total()))
        options = [self.total()]
        while self.cursor.takes_sign(","):
            options.append(self.total())
        self.cursor.expect_sign(")", " or `,`")
        return Syntax(Shape.IN, at, None, (left, *options))

    def total(self) -> Syntax:
        """Sums and differences."""
        return self._chain(("+", "-"), lambda: self._chain(("*", "/"), self._signed))

    def _chain(self, signs: tuple[str, ...], part: _Production) -> Syntax:
        at, left = self.cursor.token.at, part()
        links = 0
        while sign := self.cursor.takes_sign(*signs):
            links += 1
            if links > MOST_LINKS:
                raise RuleSyntaxError(f"more than {MOST_LINKS} terms in one sum", at)
            left = Syntax(Shape.ARITHMETIC, at, sign, (left, part()))
        return left

    def _signed(self) -> Syntax:
        at = self.cursor.token.at
        if not self.cursor.takes_sign("-"):
            return self._primary()
        with self.cursor.deeper():
            return Syntax(Shape.NEGATIVE, at, None, (self._signed(),))

    def _primary(self) -> Syntax:
        token = self.cursor.token
        match token.sort:
            case Sort.NUMBER:
                return self.events.number_or_duration()
            case Sort.TEXT:
                return Syntax(Shape.LITERAL, token.at, self.cursor.take().text)
            case Sort.WORD | Sort.QUOTED:
                return self._named()
        if self.cursor.takes_sign("("):
            found = self.disjunction()
            self.cursor.expect_sign(")")
            return found
        is_sign = token.sort is Sort.SIGN and token.text in COMPARISONS
        hint = f"comparisons are {', '.join(COMPARISONS)}" if is_sign else None
        raise self.cursor.unexpected("a value", hint=hint)

    def _named(self) -> Syntax:
        token, following = self.cursor.token, self.cursor.ahead(1)
        for word, value in (("true", True), ("false", False), ("null", None)):
            if self.cursor.takes(word):
                return Syntax(Shape.LITERAL, token.at, value)
        if token.word in TIMES and following.sort is Sort.TEXT:
            self.cursor.take()
            shape = Shape.DATE if token.word == "date" else Shape.MOMENT
            return Syntax(shape, token.at, self.cursor.take().text)
        if token.word in TIMES and following.sort is Sort.NUMBER:
            hint = "as in date '2026-11-22'"
            raise RuleSyntaxError(f"a {token.word} stands between '", following.at, hint)
        if token.word in RESERVED:
            raise self.cursor.unexpected("a value")
        if token.sort is Sort.WORD and following.sort is Sort.SIGN and following.text == "(":
            return self._call()
        return self._path()

    def _path(self) -> Syntax:
        at, steps = self.cursor.token.at, [self.cursor.take().text]
        while self.cursor.takes_sign("."):
            if self.cursor.token.sort not in (Sort.WORD, Sort.QUOTED):
                raise self.cursor.unexpected("a name after the point")
            steps.append(self.cursor.take().text)
        return Syntax(Shape.PATH, at, tuple(steps))

    def _call(self) -> Syntax:
        name = self.cursor.take()
        self.cursor.expect_sign("(")
        with self.cursor.deeper():
            if name.word in AGGREGATES:
                return self.events.aggregate(name)
            args: list[Syntax] = []
            if not self.cursor.takes_sign(")"):
                args.append(self._argument())
                while self.cursor.takes_sign(","):
                    args.append(self._argument())
                self.cursor.expect_sign(")", " or `,`")
        return Syntax(Shape.CALL, name.at, name.word, tuple(args))

    def _argument(self) -> Syntax:
        """A window, too, which no function takes: what is wrong may well be the function's name."""
        return self.events.window() or self.disjunction()
