"""What masking may cost, and how often it may be wrong (case 84).

The false-alarm rate is measured on the larger sample data beside the checkout, where it is there, and on the
source text of the standard library. BUDDY_TOP_REDOS_BYTES sets the length of the texts made to be slow.
"""

from __future__ import annotations

import ast
import json
import os
import string
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.samples import sample_data

from buddy_core.safety.redact import MASK, redact
from buddy_core.safety.redaction.shapes import SHAPES

REDOS_BYTES = int(os.environ.get("BUDDY_TOP_REDOS_BYTES", "20000"))


def _slow_units() -> Iterator[str]:
    for shape in SHAPES:
        for hint in shape.hints.split():
            yield hint
            yield hint + "a1" * 8
            yield hint + "A" * 15 + " "
    yield from ("eyJ", "eyJ-", "eyJaaaaaa.", " eyJabcdefg.", "12345678:AA-", "M" + "a" * 23 + ".", "MaM-")
    yield from ("-----BEGIN RSA PRIVATE KEY-----", "-----END PRIVATE KEY-----", "-----", "Private-Lines: 1")
    yield from ("://", "://a:", "://a:b@", "://a@", "://a:@@@@", "a://b:c/", "://" + "a" * 127, "@")
    yield from (
        "password=",
        "password: ",
        'password="',
        'password=\\"',
        '\\"password\\":',
        "password={",
        "sig=",
    )
    yield from (
        "authorization: ",
        "authorization: digest ",
        'a="b",',
        "cookie: ",
        "cookie: a=b",
        "bearer ",
        "basic ",
    )
    yield from (
        "login a password ",
        "password 'a",
        "mysql ",
        "mysql -p",
        "docker login ",
        "7z ",
        "-u a",
        "-passin pass:",
    )
    yield from (
        "%3D",
        "%41%42",
        "%",
        "token%3D",
        "aGVsbG8gd29ybGQ",
        "cGFzc3dvcmQ6",
        "=",
        "+/",
        "a.",
        "A1",
        " ",
        "\n",
    )
    yield from (
        MASK,
        "\x1b[31m",
        "\\n",
        "<password>",
        "| password | a",
        '["authorization",',
        'variable "password" {',
    )
    yield from ("key", "api key ", "secret", "İ", "\ud800", "a=b&", "\\", '"', "token.", "password is ")


@pytest.mark.parametrize("unit", tuple(_slow_units()), ids=repr)
def test_no_text_makes_it_slow(unit: str) -> None:
    """Case 84: a bound that only time growing with the square of the length breaks."""
    text = (unit * (REDOS_BYTES // len(unit) + 1))[:REDOS_BYTES]
    begun = time.perf_counter()
    redact(text)
    assert time.perf_counter() - begun < 2.0 * max(1.0, REDOS_BYTES / 100_000)


def test_a_text_of_nothing_but_names_of_secrets_is_masked_from_where_it_is_too_much() -> None:
    """Case 84: too many places to look at end in less shown, not in more time."""
    masked = redact("sid=" * 20_000)
    assert masked.endswith(MASK)
    assert len(masked) < 20_000
    assert redact(masked) == masked


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _sample_texts(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        text = path.read_text("utf-8", "replace")
        if path.suffix not in (".json", ".jsonl"):
            yield text
            continue
        for line in text.splitlines() if path.suffix == ".jsonl" else [text]:
            try:
                yield from _texts(json.loads(line))
            except ValueError:
                yield line


def test_no_text_of_the_sample_runs_is_masked_by_mistake() -> None:
    """There is no secret in the samples, so every mask in them would be a false alarm."""
    texts = list(_sample_texts(sample_data()))
    assert len(texts) > 10_000
    assert [text for text in texts if redact(text) != text] == []


def test_source_text_is_masked_by_mistake_at_most_once_in_five_thousand_lines() -> None:
    names = (
        "ast",
        "argparse",
        "getpass",
        "hashlib",
        "hmac",
        "imaplib",
        "netrc",
        "secrets",
        "smtplib",
        "ssl",
        "token",
    )
    more = (
        "tokenize",
        "pickle",
        "json/decoder",
        "http/cookies",
        "http/client",
        "email/header",
        "logging/config",
    )
    lines = masks = 0
    for name in (
        *names,
        *more,
        "inspect",
        "typing",
        "tarfile",
        "optparse",
        "doctest",
        "subprocess",
        "dataclasses",
    ):
        text = Path(ast.__file__).parent.joinpath(f"{name}.py").read_text("utf-8")
        lines += text.count("\n")
        masks += redact(text).count(MASK)
    assert lines > 20_000
    assert masks <= lines / 5_000 + 8  # the documentation of cookies and netrc shows examples of them


def test_random_letters_are_no_secret_by_themselves() -> None:
    alphabet = string.ascii_letters + string.digits
    text = " ".join(alphabet[at : at + 20] for at in range(40))
    assert redact(text) == text
