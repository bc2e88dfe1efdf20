"""Waiting before another try: writers that collided must not collide again."""

from random import random
from time import sleep


def full_jitter(seconds: float) -> None:
    """Waits for a random part of so many seconds (full jitter: the AWS Architecture Blog, 2015)."""
    sleep(random() * seconds)  # noqa: S311  (jitter, no secret)
