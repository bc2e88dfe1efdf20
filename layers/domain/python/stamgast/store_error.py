"""The one error by which a store says that it did not answer."""


class StoreError(Exception):
    """The store did not answer: nothing is known of what was asked."""
