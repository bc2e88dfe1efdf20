"""The part of the grammar that speaks of events: aggregates, windows, funnels, durations."""

from collections.abc import Callable

from stamgast.segments.language.cursor import Cursor
from stamgast.segments.language.errors import RuleBoundError, RuleError, RuleSyntaxError
from stamgast.segments.language.lexer import Sort, Token
from stamgast.segments.language.syntax import UNITS, Shape, Syntax

LARGEST_NUMBER = 1e15
LARGEST_AMOUNT = 100_000
MOST_STEPS = 8
STEP_ENDS = ("", "and", "or", "sinc", "sine", "ever", "then")
Production = Callable[[], Syntax]


class EventPart:
    """Productions that the parser of rules hands over to."""

    def __init__(self, cursor: Cursor, disjunction: Production, total: Production) -> None:
        self.cursor = cursor
        self._disjunction, self._total = disjunction, total

    def aggregate(self, name: Token) -> Syntax:
        """After `count(`: expressions and windows up to the closing parenthesis."""
        args: list[Syntax] = []
        if self.cursor.takes_sign("*"):
            self.cursor.takes_sign(",")
        while not self.cursor.takes_sign(")"):
            args.append(self.window() or self._disjunction())
            if not self.cursor.takes_sign(","):
                self.cursor.expect_sign(")", " or `,`")
                break
        return Syntax(Shape.AGGREGATE, name.at, name.word, tuple(args))

    def window(self) -> Syntax | None:
        """A window if one begins here."""
        at, following = self.cursor.token.at, self.cursor.ahead(1)
        if self.cursor.token.word == "last" and following.sort is Sort.NUMBER:
            self.cursor.take()
            return Syntax(Shape.LAST, at, self._amount())
        self._is_counted_forwards()
        if self.cursor.token.word == "between" and following.sort is Sort.NUMBER:
            return self._ago(at)
        if self.cursor.takes("since"):
            return self._since(at)
        if self.cursor.token.word == "lifetime" and following.text != ".":
            self.cursor.take()
            return Syntax(Shape.LIFETIME, at)
        return None

    def _is_counted_forwards(self) -> None:
        """Raises for `last -3 days`."""
        sign, number, unit = (self.cursor.ahead(step) for step in (1, 2, 3))
        if self.cursor.token.word == "last" and sign.text == "-" and unit.word in UNITS:
            hint = f"write `last {number.text} {unit.text}`"
            raise RuleSyntaxError("a window is counted from today backwards", sign.at, hint)

    def _since(self, at: int) -> Syntax:
        if self.cursor.is_at_end() or self.cursor.token.text in (")", "and", "or"):
            hint = "`since date '2026-01-01'`; that B did not follow is `did 'A' and not 'B' since`"
            raise RuleSyntaxError("a window `since` has a date", at, hint)
        return Syntax(Shape.SINCE, at, None, (self._total(),))

    def _ago(self, at: int) -> Syntax:
        self.cursor.take()
        newest = self._whole()
        self.cursor.expect_word("and")
        oldest, unit = self._amount()
        self.cursor.expect_word("ago")
        return Syntax(Shape.AGO, at, (newest, oldest, unit))

    def _amount(self) -> tuple[int, str]:
        number = self._whole()
        return number, self._unit()

    def _whole(self) -> int:
        token = self.cursor.expect(Sort.NUMBER, "a whole number")
        number = _number(token)
        if number != int(number) or number > LARGEST_AMOUNT:
            raise RuleBoundError(f"a whole number up to {LARGEST_AMOUNT:,} is wanted", token.at)
        return int(number)

    def _unit(self) -> str:
        if self.cursor.token.word not in UNITS:
            raise self.cursor.unexpected("a unit of time, such as `days`", list(UNITS))
        return UNITS[self.cursor.take().word]

    def number_or_duration(self) -> Syntax:
        """`14`, or `14 days`."""
        token = self.cursor.token
        if self.cursor.ahead(1).word in UNITS:
            return Syntax(Shape.DURATION, token.at, self._amount())
        return Syntax(Shape.LITERAL, token.at, _number(self.cursor.take()))

    def is_funnel(self) -> bool:
        """Whether `did` comes, which nothing else begins with."""
        return self.cursor.token.word == "did"

    def funnel(self) -> Syntax:
        """`did A [then B …] [within …]`, or `did A and not B since`."""
        at = self.cursor.take().at
        steps = [self._step()]
        while self.cursor.takes("then"):
            steps.append(self._step())
        if len(steps) > MOST_STEPS:
            raise RuleBoundError(f"more than {MOST_STEPS} steps", at)
        within = self._amount() if self.cursor.takes("within") else None
        window = self.window() or Syntax(Shape.LIFETIME, at)
        lacking = self._lacking() if len(steps) == 1 and within is None else None
        if lacking is not None:
            return Syntax(Shape.DID_NOT_SINCE, at, None, (steps[0], lacking, window))
        return Syntax(Shape.DID, at, within, (*steps, window))

    def _step(self) -> Syntax:
        token = self.cursor.token
        if token.sort is Sort.TEXT:
            name = Syntax(Shape.LITERAL, token.at, self.cursor.take().text)
            field = Syntax(Shape.PATH, token.at, ("event",))
            return Syntax(Shape.COMPARE, token.at, "=", (field, name))
        self.cursor.expect_sign("(", " or an event's name as a text")
        found = self._disjunction()
        self.cursor.expect_sign(")")
        return found

    def _lacking(self) -> Syntax | None:
        """The step of `and not B since`; None, and no step taken, for any other `and not`."""
        place, is_named = self.cursor.place, False
        try:
            if self.cursor.takes("and", "not"):
                is_named = self.cursor.token.sort is Sort.TEXT
                step = self._step()
                if self.cursor.takes("since"):
                    return step
        except RuleError:
            is_named = False
        if is_named and self._is_behind_a_step():
            hint = "`… and not 'B' since`: not later than A; `… and not did 'B'`: never"
            raise RuleSyntaxError("it is not said since when", self.cursor.token.at, hint)
        self.cursor.place = place
        return None

    def _is_behind_a_step(self) -> bool:
        """Whether nothing follows that a text could be compared with."""
        token = self.cursor.token
        is_word = token.sort in (Sort.END, Sort.WORD) and token.word in STEP_ENDS
        return is_word or token.text == ")"


def _number(token: Token) -> float:
    number = float(token.text)
    if number > LARGEST_NUMBER:
        raise RuleBoundError("a number beyond 10^15", token.at)
    return number
