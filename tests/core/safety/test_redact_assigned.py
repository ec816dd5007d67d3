"""The value beside a name that promises a secret: where it begins, where it ends, and when it is none."""

from __future__ import annotations

import pytest

from buddy_core.safety.redact import MASK
from buddy_core.safety.redaction import assignments
from buddy_core.safety.redaction.scan import lower, put_mask


def masked(text: str) -> str:
    """`text` with what this finder finds replaced by `#`."""
    return put_mask(text, list(assignments.find_assignments(text, lower(text)))).replace(MASK, "#")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("password=a1", "password=#"),
        ("password=a-1", "password=#"),
        ("password=1234", "password=#"),
        ("password=123X", "password=#"),
        ("password=config.v2", "password=#"),
        ("password = config2", "password = #"),
        ("password: config.v2", "password: #"),
        ("password: fish", "password: #"),
        ("password: sWordfish", "password: #"),
        ("password=swordfish;x", "password=#;x"),
        ("?password=Swordfish", "?password=#"),
        ("a&password=Swordfish&b", "a&password=#&b"),
        ("a;password=Swordfish;b", "a;password=#;b"),
        ("password a1b2c3d4", "password #"),
        ("password=" + "a" * 96 + "(x)", "password=#(x)"),
        ("éDB_TOKEN=swordfish", "éDB_TOKEN=#"),
        ("DB_TOKEN=ab-cd1", "DB_TOKEN=#"),
        ("token=abc-def-ghij", "token=#"),
        ("pin=123456789012", "pin=#"),
        ("a\\rtoken=a1b2c3d4", "a\\rtoken=#"),
        ("a\\ttoken=a1b2c3d4", "a\\ttoken=#"),
        ("x_" * 15 + "password" + "_x" * 29 + "=hunter2!", "x_" * 15 + "password" + "_x" * 29 + "=#"),
        ("secret_token=a1b2c3d4 keyboard=1 password=hunter2!", "secret_token=# keyboard=1 password=#"),
        ("-" + "x" * 63 + "password hunter2", "-" + "x" * 63 + "password #"),
        ("password: |\n  line one\n  line two\nnext: 1", "password: |#\nnext: 1"),
        ("first\npassword='hunter2 not closed\nnext", "first\npassword='#\nnext"),
    ],
)
def test_a_bare_value_is_masked_to_its_end(text: str, left: str) -> None:
    assert masked(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "password=123.",
        "password=123:",
        "password: fis",
        "password: Swordfish",
        "password: swordfish, x",
        "password: swordfish) x",
        "password: swordfish] x",
        "password: swordfish} x",
        "password: swordfish; x",
        "password: access_token",
        "password: some.word",
        "password = swordfish",
        "password =\tswordfish",
        "password = config.v2_key",
        "password=read_it(x)",
        "password=argv[1]",
        "password=make{x}",
        "the password swordfish",
        "$PWD=/home/a1b2c3",
        "Xtoken=a1b2c3d4e5f6",
        "api author: a1b2c3d4",
        "password a1b2c3d",
        "token: swordfish",
        "token=ab-cd1",
        "token=/etc/some/tok-en",
        "DB_TOKEN=ab-c1",
        "auth=abc-def-ghi-jkl",
        "MY_AUTH=ab-cd1",
        "-" + "x" * 64 + "password hunter22",
        "token=" + "a" * 96 + "1-b",
        "|X password | hunter22x",
        "| password and more",
        "| password | swordfish |",
        "|" + " " * 16 + "password | hunter2x |",
    ],
)
def test_a_bare_value_that_may_be_anything_else_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('password="Xyz and more"', 'password="#"'),
        ('token = "abcdefghijklmnopqrst"', 'token = "#"'),
        ('token = "abc-de"', 'token = "#"'),
        ('token = "' + "sword-fish" * 30 + ' x"', 'token = "#"'),
        ('"name": "ApiKey", "value": "secret"', '"name": "ApiKey", "value": "#"'),
        ("'--password', 'hunter2!'", "'--password', '#'"),
        ('"--password", "swordfish"', '"--password", "#"'),
        ("| password | a1b2c3d4 | x |", "| password | # | x |"),
        ("|" + " " * 15 + "password | hunter2x |", "|" + " " * 15 + "password | # |"),
        ("| *password | hunter2x |", "| *password | # |"),
    ],
)
def test_a_quoted_value_an_item_and_a_cell_are_masked_whole(text: str, left: str) -> None:
    assert masked(text) == left


@pytest.mark.parametrize(
    "text",
    [
        'password = "current_password"',
        'token = "abcdefghijklmnopqrs"',
        'token = "ab-de"',
        '--token "mere words"',
        '"password", "swordfish"',
        '"password", "no-such words"',
    ],
)
def test_a_quoted_word_that_may_be_anything_else_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("auth: Digest abc", "auth: Digest #"),
        ("Authorization: Bearer Xab", "Authorization: Bearer #"),
        ("Authorization: Bearer abc def\nnext", "Authorization: Bearer #\nnext"),
        ('Authorization: Bearer abc" x', 'Authorization: Bearer #" x'),
        ("-H 'Authorization: Bearer abc\"def ghi' x", "-H 'Authorization: Bearer #' x"),
        ("-H \"Authorization: Bearer abc'def ghi\" x", '-H "Authorization: Bearer #" x'),
        ("-H `Authorization: Bearer abc'def ghi` x", "-H `Authorization: Bearer #` x"),
        ("'Authorization: Bearer abc\"def\nnext' x", "'Authorization: Bearer #\nnext' x"),
        ("'Authorization': Bearer abc\"def' x", "'Authorization': Bearer #\"def' x"),
        ('"Authorization": "Bearer abc\'def" x', '"Authorization": "Bearer #" x'),
        ("Authorization=%22Bearer a2b%22", "Authorization=%22Bearer #"),
        (
            'Authorization: Digest username="ada", response="abc" and more',
            "Authorization: Digest # and more",
        ),
        (r"""\"Authorization: Bearer abc'def\" x""", r"""\"Authorization: Bearer #\" x"""),
        (r"""-H \"Authorization: Bearer abc'\\\"def\" x""", r"""-H \"Authorization: Bearer #\" x"""),
        ("\\" * 9 + '"Authorization: Bearer a' + "\\" * 9 + '" x', "\\" * 9 + '"Authorization: Bearer #'),
        ("\\" * 8 + '"Authorization: Bearer a-b' + "\\" * 8 + '" x', "\\" * 8 + '"Authorization: Bearer #' + "\\" * 8 + '" x'),
        ("Cookie: sid=abc; b=c", "Cookie: #"),
    ],
)  # fmt: skip
def test_credentials_end_with_the_string_they_stand_in_or_with_their_line(text: str, left: str) -> None:
    assert masked(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer ab",
        "Authorization: Bearer ${TOKEN}",
        'Cookie: " a=b; c=d"',
        "Cookie: the header",
    ],
)
def test_what_only_stands_where_credentials_do_stays(text: str) -> None:
    assert masked(text) == text


def test_names_are_looked_for_wherever_they_are() -> None:
    assert assignments._hints("key key key") == [(0, 3), (4, 7), (8, 11)]
    assert assignments._hints("sig= sig= sig=") == [(0, 3), (5, 8), (10, 13)]


def test_of_a_text_made_of_names_all_the_rest_is_masked() -> None:
    """Case 84: two thousand names, and one more for sixteen characters."""
    text = "key " * 5_000
    assert list(assignments.find_assignments(text, text)) == [(2_667 * 4, len(text))]


def test_a_line_ends_at_its_break_or_after_so_many_characters() -> None:
    """Case 84."""
    for text, at, end in (("a\nb\nc", 2, 3), ("a\nb\nc", 0, 1), ("\nabc", 0, 0), ("abc", 1, 3)):
        assert assignments._line_end(text, at) == end
    for text in ("x" * 70_000, "x" * 70_000 + "\n"):
        assert assignments._line_end(text, 10) == 10 + 65_536


@pytest.mark.parametrize(
    ("text", "at", "end"),
    [
        ('"', 0, 0),
        ('a" b" c', 0, 1),
        ('a\\" b" c', 0, 5),
        ('a\\\\" b" c', 0, 3),
        ('a\\\\\\" b" c', 0, 7),
        ('a\\"" c', 0, 3),
        ('\\"', 1, 1),
        ('\\\\"', 1, 3),
        ("x" + "\\" * 65 + '"', 0, 66),
        ("x" * 70_000 + '"', 0, 65_536),
        ("not closed\nnext", 0, 10),
    ],
)
def test_a_string_ends_at_its_quote_unless_that_is_escaped(text: str, at: int, end: int) -> None:
    assert assignments._closing(text, at, '"') == end
