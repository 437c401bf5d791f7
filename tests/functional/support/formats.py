"""The formats that the API promises, written down a second time, independently of the server."""

import datetime
import re
import zlib

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
KEY_ID = re.compile(r"key_[0-7][0-9a-hjkmnp-tv-z]{25}")
ACCOUNT_ID = re.compile(r"acct_[0-7][0-9a-hjkmnp-tv-z]{25}")

# The fields of a key object, in their order. A create or rotate answer has "key" after "name" and
# the fields of the enforcement after the last.
KEY_FIELDS = [
    "id", "name", "prefix", "created_at", "last_used_at", "status", "mode", "scopes", "owner",
    "metadata", "allowed_cidrs", "created_by", "expires_at", "revoked_at", "revoke_reason",
    "rotated_from",
]
CREATED_FIELDS = KEY_FIELDS[:2] + ["key"] + KEY_FIELDS[2:]


def checksum(text):
    """K3: CRC-32 (zlib) of `text` in base62, padded with 0 to 6."""
    value, digits = zlib.crc32(text.encode()), ""
    while value:
        value, digit = divmod(value, 62)
        digits = BASE62[digit] + digits
    return digits.rjust(6, "0")


def is_raw_key(text, brand="p402", mode="live"):
    """K1 and K3."""
    match = re.fullmatch(rf"{brand}_{mode}_([0-9A-Za-z]{{32}})([0-9A-Za-z]{{6}})", text)
    return bool(match) and checksum(text[:-6]) == match.group(2)


def fake_raw_key(random_part="0123456789abcdefghijABCDEFGHIJ01", brand="p402", mode="live"):
    """A well-formed key that no server has issued."""
    text = f"{brand}_{mode}_{random_part}"
    return text + checksum(text)


def typeid_time_ms(text):
    """The time inside of a TypeID's UUIDv7; fails unless it is one."""
    value = 0
    for character in text.split("_")[1]:
        value = value * 32 + CROCKFORD.index(character)
    assert (value >> 76) & 0xF == 7, "not a UUID of version 7"
    assert (value >> 62) & 0x3 == 2, "not a UUID of variant 10"
    return value >> 80


def parse_time(text):
    """A time as the API writes it (A6)."""
    assert TIME.fullmatch(text), text
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.UTC)


def format_time(time):
    return time.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now():
    return datetime.datetime.now(datetime.UTC)


def in_future(**delta):
    """The time in so long, as the API writes it."""
    return format_time(now() + datetime.timedelta(**delta))
