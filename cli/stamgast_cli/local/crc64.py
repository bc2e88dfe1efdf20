"""CRC-64/NVME, S3's default checksum, over stretches of a body side by side.

A cyclic redundancy check without its constants is linear: that of a body is that of its first part,
moved on by as many zero bytes as the rest is long, exclusive-or that of the rest. So the stretches
are read at once, a byte of each at a time, and put together two by two.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

POLYNOMIAL, ONES = 0x9A6C9329AC4BC9B5, 0xFFFFFFFFFFFFFFFF  # reflected; before and after
WORD_BYTES = 8
LONGEST = 12
"""The longest stretch as a power of two; by then each step has thousands of stretches."""


def crc64nvme(body: bytes) -> int:
    """The check value of a body of eight bytes or more."""
    power = min(LONGEST, len(body).bit_length() // 2)
    count = -(-len(body) >> power)
    padded = bytearray((count << power) - len(body)) + body  # zeros before it change nothing
    start = len(padded) - len(body)
    for place in range(start, start + WORD_BYTES):  # all ones before it invert its first word
        padded[place] ^= 0xFF
    stretches = np.frombuffer(padded, np.uint8).reshape(count, 1 << power)
    return _together(_each(stretches), power) ^ ONES


def _each(stretches: NDArray[np.uint8]) -> Words:
    table, found = _tables(0)[0], np.zeros(len(stretches), np.uint64)
    for column in np.ascontiguousarray(stretches.T):
        found = table[found.astype(np.uint8) ^ column] ^ (found >> np.uint64(8))
    return found


def _together(found: Words, power: int) -> int:
    while len(found) > 1:
        if len(found) % 2:
            found = np.concatenate([np.zeros(1, np.uint64), found])
        found, power = _moved(found[0::2], power) ^ found[1::2], power + 1
    return int(found[0])


def _moved(found: Words, power: int) -> Words:
    """The values with two to this power zero bytes after them."""
    tables, moved = _tables(power), np.zeros_like(found)
    for place in range(WORD_BYTES):
        moved ^= tables[place][(found >> np.uint64(8 * place)).astype(np.uint8)]
    return moved


@cache
def _tables(power: int) -> Words:
    """What each byte of a value becomes when two to this power zero bytes follow, by its place."""
    if power:
        before = _tables(power - 1)
        return np.stack([_moved(row, power - 1) for row in before])
    places = np.arange(0, 64, 8, dtype=np.uint64)
    words = np.arange(256, dtype=np.uint64) << places[:, None]
    for _ in range(8):
        words = (words >> np.uint64(1)) ^ ((words & np.uint64(1)) * np.uint64(POLYNOMIAL))
    return words
