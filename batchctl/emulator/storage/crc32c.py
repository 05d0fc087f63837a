"""CRC-32C, the checksum that Cloud Storage gives every object (the Castagnoli polynomial of RFC 3720).

Plain Python on purpose: a C extension for it is not a dependency of the project. One byte at a time would take a minute
for a large job's results, so long data is folded first. The checksum is linear over bits: the first half of some words
can be moved onto the second half, if each word is advanced by the number of words that it moves.
"""

from __future__ import annotations

from functools import cache

_POLYNOMIAL = 0x82F63B78
"""With reversed bits, as the algorithm uses them."""
_WORD = 4
_ALL_ONES = 0xFFFFFFFF
_FEW = 1024
"""The number of words up to which folding costs more than it saves."""


def crc32c(data: bytes, before: int = 0) -> int:
    """The checksum of bytes that follow bytes with the checksum `before`."""
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
    """A few words with the same effect as `data` on a register that is zero at first."""
    # One string for all first bytes of the words, one for all second bytes, and so on: one call moves them all.
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
    """The XOR of all strings, aligned at their ends."""
    total = int.from_bytes(longest, "big")
    for other in others:
        total ^= int.from_bytes(other, "big")
    return total.to_bytes(len(longest), "big")


@cache
def _byte_table() -> list[int]:
    """For each value of the lowest byte, the effect of shifting it out."""
    table = list(range(256))
    for _ in range(8):
        table = [(crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0) for crc in table]
    return table


@cache
def _move(power: int) -> list[int]:
    """For each single bit of a word, the result of advancing the word by 2**power words."""
    if power > 0:
        half = _move(power - 1)
        return [_moved(half, image) for image in half]
    table, images = _byte_table(), [1 << bit for bit in range(8 * _WORD)]
    for _ in range(_WORD):
        images = [table[crc & 0xFF] ^ (crc >> 8) for crc in images]
    return images


@cache
def _move_tables(power: int) -> list[list[bytes]]:
    """The same by bytes: `[at][to]` maps a value of byte `at` to its contribution to byte `to`."""
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
