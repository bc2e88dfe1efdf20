"""What a function's process settles once, before its first request."""

import gc

YOUNG_OBJECTS = 100_000


def settle() -> None:
    """Spares the garbage collector what it would walk in vain.

    What is loaded by now lives as long as the process, and what a request makes holds no cycles
    worth the walk: reference counts free it. Collections still come, every 100,000 objects.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
