"""CRC-32C, the checksum that Cloud Storage gives every object (the Castagnoli polynomial of RFC 3720).

Plain Python on purpose: a C extension for it is not among the project's dependencies. Bytes one at a time would take a
minute for a large job's results, so long data is folded first: the checksum is linear over bits, therefore the first
half of some words may be moved onto the second half, when each of its words is advanced by as many words as it moves.
"""

from __future__ import annotations

from functools import cache

_POLYNOMIAL = 0x82F63B78
"""With the bits reversed, as the checksum takes them."""
_WORD = 4
_ALL_ONES = 0xFFFFFFFF
_FEW = 1024
"""Words up to which folding costs more than it saves."""


def crc32c(data: bytes, before: int = 0) -> int:
    """The checksum of some bytes that follow bytes whose checksum is `before`."""
    crc = before ^ _ALL_ONES
    whole = len(data) - len(data) % _WORD
    if whole > _FEW * _WORD:
        start = int.from_bytes(data[:_WORD], "little") ^ crc
        crc = 0
        data = _folded(start.to_bytes(_WORD, "little") + data[_WORD:whole]) + data[whole:]
    table = _byte_table()
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ _ALL_ONES


def _folded(data: bytes) -> bytes:
    """A few words that leave a register that began with zero as these words would."""
    # One string for all first bytes of the words, one for all second ones, …: so one call moves them all.
    planes = [data[place::_WORD] for place in range(_WORD)]
    while (count := len(planes[0])) > _FEW:
        power = (count - 1).bit_length() - 1
        kept = 1 << power
        moved = [plane[: count - kept] for plane in planes]
        tables = _move_tables(power)
        planes = [
            _xor(planes[to][count - kept :], [moved[at].translate(tables[at][to]) for at in range(_WORD)])
            for to in range(_WORD)
        ]
    words = bytearray(len(planes[0]) * _WORD)
    for place, plane in enumerate(planes):
        words[place::_WORD] = plane
    return bytes(words)


def _xor(longest: bytes, others: list[bytes]) -> bytes:
    """All of them over each other, aligned at their ends."""
    total = int.from_bytes(longest, "big")
    for other in others:
        total ^= int.from_bytes(other, "big")
    return total.to_bytes(len(longest), "big")


@cache
def _byte_table() -> list[int]:
    """What each value of the lowest byte becomes when it is shifted out."""
    table = list(range(256))
    for _ in range(8):
        table = [(crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0) for crc in table]
    return table


@cache
def _move(power: int) -> list[int]:
    """What each single bit of a word becomes when the word is advanced by 2**power words."""
    if power > 0:
        half = _move(power - 1)
        return [_moved(half, image) for image in half]
    table, images = _byte_table(), [1 << bit for bit in range(8 * _WORD)]
    for _ in range(_WORD):
        images = [table[crc & 0xFF] ^ (crc >> 8) for crc in images]
    return images


@cache
def _move_tables(power: int) -> list[list[bytes]]:
    """The same for bytes: what a value of the word's byte `at` adds to its byte `to`, in `[at][to]`."""
    images = _move(power)
    tables = []
    for at in range(_WORD):
        whole = [_moved(images[8 * at : 8 * at + 8], value) for value in range(256)]
        tables.append([bytes(word >> 8 * to & 0xFF for word in whole) for to in range(_WORD)])
    return tables


def _moved(images: list[int], word: int) -> int:
    moved = 0
    for bit, image in enumerate(images):
        if word >> bit & 1:
            moved ^= image
    return moved
