"""Secrets by the place they stand in: the rarer places, and what only looks like one (case 83)."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.safety.redact import MASK, Redactor, hold_no_secret, redact
from buddy_core.safety.redaction import scan
from buddy_core.safety.redaction.encoded import decoded, find_encoded
from buddy_core.safety.redaction.shapes import ends_cut_off


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("https://x9Kq2LmZ8vTn4Rw7YbE1@host/x", f"https://{MASK}@host/x"),
        ("body=token%3D%22abc12345%22&x=1", f"body=token%3D%22{MASK}%22&x=1"),
        ("password=%27hunter2%27", f"password=%27{MASK}%27"),
        ("<password>hunter22</password>", f"<password>{MASK}</password>"),
        ('token = "sword-fish"', f'token = "{MASK}"'),
        ("token=12345678", f"token={MASK}"),
        ("pin=1234", f"pin={MASK}"),
        ("?password=swordfish", f"?password={MASK}"),
        ("DB_TOKEN=swordfish", f"DB_TOKEN={MASK}"),
        ("--password hunter2", f"--password {MASK}"),
        ("sent: Basic dXNlcjpwYXNzd29yZA== to", f"sent: Basic {MASK} to"),
        ("sent: Basic dXNlcjpwYXNzd29yZA to", f"sent: Basic {MASK} to"),
        ("basic%20YWRhOnB3", f"basic%20{MASK}"),
        ("Basic w786w7vDv8K-fn4_", f"Basic {MASK}"),
        ("Basic w786w7vDv8K+fn4/", f"Basic {MASK}"),
    ],
)
def test_a_secret_in_a_rare_place_is_masked(text: str, left: str) -> None:
    assert redact(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "https://someone@host/x",
        "https://abcdefghijklmnopqrst@host/x",
        "x=pass%3D%22hunter22%22",
        "password=%22%22",
        "password=%22null%22",
        '"password">hunter22 x',
        "a password>hunter22",
        "mysql --password /run/secret",
        "token=1234567",
        "auth=12345678",
        "pin=123",
        "pin=1234567890123",
        'token = "abc12"',
        'token = "sword-fish bowl"',
        'token = "swordfish"',
        "Basic bm8gcGFpciBoZXJl",
        "Basic YToAAQJiaW5hcnk=",
        "basic abcdef:",
    ],
)
def test_what_only_stands_in_such_a_place_stays(text: str) -> None:
    assert redact(text) == text


def test_what_a_mask_brings_to_light_is_looked_for_no_more_often_than_six_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Case 84: however a text is built, the time it takes has an end."""
    asked: list[str] = []

    def another(text: str) -> list[tuple[int, int]]:
        asked.append(text)
        return [(0, text.index("x") + 1)]

    monkeypatch.setattr(scan, "_spans", another)
    assert redact("x" * 20) == MASK + "x" * 14
    assert len(asked) == 6


def test_texts_that_hold_no_secret_are_told_at_once() -> None:
    assert hold_no_secret([])
    assert hold_no_secret(["nothing", "of interest"])
    assert hold_no_secret(["secret_key=ab", "cd"]), "one does not go on in the next"
    assert not hold_no_secret(["nothing", "password=hunter2!x"])
    assert not hold_no_secret(["a token that was cut: ghp_0123456789", "more"]), "it ends its own text"
    assert hold_no_secret(["what begins with ghp_ is a token", "more"]), "nothing is cut off here"


@pytest.mark.parametrize(
    "start",
    [
        *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-ant-", "sk-proj-", "sk_live_"),
        *("rk_live_", "xoxb-", "xoxp-", "AIza", "AKIA", "hvs.", "SG.", "eyJhbGciOi"),
    ],
)
def test_each_token_that_may_be_cut_off_is_looked_for_among_many_texts(start: str) -> None:
    assert ends_cut_off(f"it is {start}0123456…")
    assert not hold_no_secret(["nothing", f"it is {start}0123456…", "more"])


def test_a_name_says_what_a_value_is_also_to_whoever_knows_values() -> None:
    knowing = Redactor(["s3cr3t-value"])
    assert knowing.redact_value("hunter2", name="password") == MASK
    assert knowing.redact_value("hunter2", name="colour") == "hunter2"
    assert knowing.redact_value({"a": "the s3cr3t-value of all"}) == {"a": f"the {MASK} of all"}


@given(st.text(st.sampled_from([*map(chr, range(32, 127)), *"\n\r\t\x1b"]), min_size=9, max_size=40))
def test_all_text_in_base64_is_looked_into(text: str) -> None:
    """The quick look at its first letters passes over nothing that is text."""
    code = base64.b64encode(text.encode()).decode()
    looked: list[str] = []

    def look(plain: str) -> bool:
        looked.append(plain)
        return False

    list(find_encoded(f"say {code} again", look))
    assert looked == [text]
    assert decoded(code) == text
