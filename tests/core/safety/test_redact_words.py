"""What a name promises, what a value looks like, and in how many spellings a known one is found."""

from __future__ import annotations

import base64

import pytest

from buddy_core.safety.redaction.known import KnownValues
from buddy_core.safety.redaction.looks import MASK, is_field_word, is_placeholder, looks_random, words
from buddy_core.safety.redaction.names import Promise, promise


@pytest.mark.parametrize(
    ("names", "promised"),
    [
        (
            "password api_keys accessKeys connect.sid connectSid connString sharedAccessSignature session-token",
            Promise.STRONG,
        ),
        ("token my_token db_pwd user_pass", Promise.FAIR),
        ("pass pwd auth my_auth sig x_signature verification_code mfaCode login", Promise.WEAK),
        ("code status_code zip_code tokens total_tokens next_token first_pass key keys PWD", Promise.NONE),
    ],
)
def test_a_name_promises_as_much_as_its_words(names: str, promised: Promise) -> None:
    assert {name: promise(name) for name in names.split()} == dict.fromkeys(names.split(), promised)


def test_a_list_of_words_is_written_as_one_text() -> None:
    assert words(" a b\n a ") == {"a", "b"}


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "null",
        "None",
        MASK,
        f" {MASK}{MASK}",
        "${KEY}",
        "<your key>",
        "your key",
        "****",
        "*" * 80 + "a",
    ],
)
def test_something_that_stands_in_the_place_of_a_secret(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize("value", ["hunter2", f"a{MASK}", f"{MASK} b", "nullify", "*" * 79 + "a"])
def test_something_that_does_not(value: str) -> None:
    assert not is_placeholder(value)


def test_the_name_of_a_field_is_made_of_words_for_fields_alone() -> None:
    assert all(map(is_field_word, ["access_token", "newPassword", "API_KEY", "x"]))
    assert not any(
        map(is_field_word, ["", "123", "swordfish", "token1", "token_swordfish", "token_" * 10 + "token"])
    )


def test_what_looks_random_mixes_letters_and_digits_as_no_name_does() -> None:
    assert all(map(looks_random, ["a1b2c3d4", "a1a1b2c2", "3f9a8b7c6d", "x" * 40 + "a1b2c"]))
    names = ["swordfish12", "version-2", "abcdefgh", "12345678", "sword_fish.123"]
    assert not any(map(looks_random, ["", "a1b2c3d", "a1a1b2b2", "abcdefg+" * 8 + "1", *names]))


class TestKnownValues:
    def test_without_any_nothing_is_masked(self) -> None:
        for none in ([], ["short", ""], [MASK]):
            assert KnownValues(none).masked("a short text") == "a short text"

    def test_one_of_six_characters_is_long_enough_also_in_base64(self) -> None:
        known = KnownValues(["abc12!"])
        assert known.masked("<abc12!>") == f"<{MASK}>"
        assert known.masked(base64.b64encode(b"abc12!").decode()) == MASK

    def test_a_line_of_twelve_characters_is_known_by_itself(self) -> None:
        known = KnownValues(["  exactly12chr\neleven-char\n"])
        assert known.masked("a exactly12chr b eleven-char c") == f"a {MASK} b eleven-char c"
        assert known.masked("exactly12chr\neleven-char") == MASK

    def test_it_is_found_as_programs_show_it(self) -> None:
        value = "it's\a\"\\ a bell"
        assert KnownValues([value]).masked(f"<{repr(value)[1:-1]}>") == f"<{MASK}>"
        assert KnownValues([value]).masked(f"<{value.encode().hex().upper()}>") == f"<{MASK}>"

    def test_half_a_character_in_it_is_no_obstacle(self) -> None:
        assert KnownValues(["secret\ud800value"]).masked("<secret\ud800value>") == f"<{MASK}>"

    @pytest.mark.parametrize("before", [0, 1, 2])
    @pytest.mark.parametrize("secret", [b"canary-of-known-value", b"???>>>~~~???>>>~~~+/"])
    def test_in_base64_the_characters_that_are_its_own_are_masked(self, secret: bytes, before: int) -> None:
        whole = b"x" * before + secret + b"yyy"
        begin, end = -(-before * 8 // 6), (before + len(secret)) // 3 * 4
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            code = encode(whole).decode()
            assert KnownValues([secret.decode()]).masked(code) == code[:begin] + MASK + code[end:]

    def test_of_two_that_begin_alike_the_longer_one_is_masked_whole(self) -> None:
        known = KnownValues(["secret-one", "secret-one-and-two", "secret-other"])
        text = "secret-one, secret-one-and-two, secret-other, secret-o"
        assert known.masked(text) == f"{MASK}, {MASK}, {MASK}, secret-o"

    def test_a_value_may_be_long(self) -> None:
        """Case 84: the key of a certificate."""
        value = "a1B2" * 5_000
        assert KnownValues([value]).masked(f"<{value}>") == f"<{MASK}>"
