"""What keeps a model from being made; its message is the reason that the report shows.

LearnError
├── AbstainedError    too little data, or a model that is no better than none
└── BadHistoryError   numbers of a customer that contradict each other
"""


class LearnError(Exception):
    """Nothing was learnt."""


class AbstainedError(LearnError):
    """There is not enough data to say anything, or what was learnt says nothing."""


class BadHistoryError(LearnError):
    """A purchase history that no customer can have."""
