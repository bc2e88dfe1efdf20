"""The errors of the language.

RuleError
├── RuleSyntaxError   the text is no rule
├── RuleNameError     a column, function, unit or segment that is not known
├── RuleTypeError     values that cannot stand together
├── RuleBoundError    too long, too deep, too large
└── RuleCycleError    a segment that rests on itself
"""


class RuleError(ValueError):
    """A fault in a rule: where (line and column from 1), what, and what might be meant."""

    def __init__(self, message: str, at: int = 0, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.suggestion = suggestion
        self.line, self.column = 1, at + 1

    def placed_in(self, text: str) -> "RuleError":
        """The same error with line and column of its place in the rule's text."""
        before = text[: self.at]
        self.line = before.count("\n") + 1
        self.column = len(before) - (before.rfind("\n") + 1) + 1
        return self

    def __str__(self) -> str:
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"line {self.line}, column {self.column}: {self.message}{hint}"


class RuleSyntaxError(RuleError):
    """The text is no rule."""


class RuleNameError(RuleError):
    """A name that is not known."""


class RuleTypeError(RuleError):
    """Values that cannot stand together."""


class RuleBoundError(RuleError):
    """Too long, too deep, or too large."""


class RuleCycleError(RuleError):
    """A segment that rests on itself; `cycle` names the segments, the first again at the end."""

    def __init__(self, cycle: list[str], at: int) -> None:
        super().__init__(f"the segment rests on itself: {' → '.join(cycle)}", at)
        self.cycle = cycle
