"""What each finder of secrets takes for one, to the character: addresses, blocks of keys, base64, links, shapes."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable

import pytest

from buddy_core.safety.redact import MASK, redact
from buddy_core.safety.redaction import scan
from buddy_core.safety.redaction.addresses import find_addresses
from buddy_core.safety.redaction.credentials import find_credentials
from buddy_core.safety.redaction.encoded import decoded, find_encoded
from buddy_core.safety.redaction.keyblocks import find_key_blocks
from buddy_core.safety.redaction.links import find_in_links
from buddy_core.safety.redaction.scan import put_mask
from buddy_core.safety.redaction.shapes import (
    _begins_here,
    ends_cut_off,
    find_shapes,
    long_runs,
    may_end_cut_off,
    without_escapes,
)

BEGIN, END = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
Find = Callable[[str], Iterable[tuple[int, int]]]


class Asked(list[str]):
    """A finder that finds nothing, and notes where it was asked to."""

    def __call__(self, text: str, *_: object) -> Iterable[tuple[int, int]]:
        self.append(text)
        return ()


def masked(find: Find, text: str) -> str:
    """`text` with what `find` finds replaced by `#`: by this finder alone, once."""
    return put_mask(text, list(find(text))).replace(MASK, "#")


class TestAddresses:
    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("a://u:hunter2@host", "a://u:#@host"),
            ("a://u:p@host", "a://u:#@host"),
            ("a://u:p@ss@host/x", "a://u:#@host/x"),
            ("a://u:pass@host/x@y", "a://u:#@host/x@y"),
            ("a://u:pass@host?x@y", "a://u:#@host?x@y"),
            ("a://u:pa/ss@host/x", "a://u:#@host/x"),
            ("a://h:80,a://u:hunter2@i,a://j", "a://h:80,a://u:#@i,a://j"),
            ("a://u:@host", "a://u:@host"),
            ("a://u:8080/x@y", "a://u:8080/x@y"),
            ("a://u:${PASSWORD}@host", "a://u:${PASSWORD}@host"),
        ],
    )
    def test_a_password_ends_at_the_last_at_sign_before_the_path(self, text: str, left: str) -> None:
        assert masked(find_addresses, text) == left

    def test_a_name_alone_is_a_token_from_sixteen_characters_on(self) -> None:
        assert masked(find_addresses, "a://a1b2c3d4e5f6g7h8@host") == "a://#@host"
        assert masked(find_addresses, "a://a1b2c3d4e5f6g7h@host") == "a://a1b2c3d4e5f6g7h@host"

    def test_it_is_looked_for_in_seven_hundred_characters(self) -> None:
        """Case 84."""
        for rest in ("", ",a://j"):
            password = "s" * 699
            assert masked(find_addresses, f"a://u:{password}@h{rest}") == f"a://u:#@h{rest}"
            text = f"a://u:{password}s@h{rest}"
            assert masked(find_addresses, text) == text


class TestKeyBlocks:
    @pytest.mark.parametrize(
        ("text", "left"),
        [
            (f"a{BEGIN}kéy (x){END}b", f"a{BEGIN}#{END}b"),
            (f"{BEGIN}AA{END} between {BEGIN}BB{END} after", f"{BEGIN}#{END} between {BEGIN}#{END} after"),
            (f"{BEGIN}\nAA\n{BEGIN}\nBB", f"{BEGIN}#{BEGIN}#"),
            (f"{BEGIN}AA é {BEGIN}BB", f"{BEGIN}#é {BEGIN}#"),
            (f"{BEGIN}AA (and more)", f"{BEGIN}#(and more)"),
            (f"cut (\nQUJD\n{END}", f"cut (#{END}"),
            (f"Q{END}", f"#{END}"),
            (f"{BEGIN}AA{END}{END}", f"{BEGIN}#{END}{END}"),
        ],
    )
    def test_a_key_is_what_stands_between_its_two_lines_or_looks_like_it(self, text: str, left: str) -> None:
        assert masked(find_key_blocks, text) == left

    @pytest.mark.parametrize("before", ["", "é" * 30_000])
    def test_its_end_is_looked_for_in_forty_thousand_characters(self, before: str) -> None:
        """Case 84."""
        inside = "é" * 40_000
        assert masked(find_key_blocks, f"{before}{BEGIN}{inside}{END}") == f"{before}{BEGIN}#{END}"
        text = f"{before}{BEGIN}{inside}é{END}"
        assert masked(find_key_blocks, text) == text

    def test_of_other_programs_begin_behind_the_number_of_their_lines(self) -> None:
        first, second = "Private-Lines: 1\nAA==\n(x) ", "Private-Lines: 2\nBB\nCC==\n(y)"
        assert masked(find_key_blocks, first + second) == "Private-Lines: 1#(x) Private-Lines: 2#(y)"
        assert masked(find_key_blocks, "a" + first) == "aPrivate-Lines: 1#(x) "
        assert list(find_key_blocks("Private-Lines: 1\nAA Private-Lines: 1\nBB")) == [(16, 39)]
        assert list(find_key_blocks("Private-Lines: 1" + "A" * 50_000)) == [(16, 40_016)]


class TestCredentials:
    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("Bearer a1b2c3d4", "Bearer #"),
            ("Bearer abcdefghijklmnopqrst", "Bearer #"),
            ("Bearer abcdefghijklmnopqrs", "Bearer abcdefghijklmnopqrs"),
            ("Basic dXNlcjpwYXNzd29yZA==", "Basic #"),
            ("Basic dXNlcjpwYXNzd29yZA", "Basic #"),
            ("login ada password swordfish", "login ada password #"),
            ("login ada\n  password swordfish", "login ada\n  password #"),
            ("login ada password ${PASSWORD}", "login ada password ${PASSWORD}"),
        ],
    )
    def test_without_a_name_are_told_by_the_word_before_them(self, text: str, left: str) -> None:
        assert masked(lambda text: find_credentials(text, scan.lower(text)), text) == left


class TestBase64:
    def test_it_is_read_in_either_alphabet_with_signs_at_its_end_or_without(self) -> None:
        for plain in ("plain text", "plain tex", "plain te", "???>>>~~~"):
            for encode in (b64encode, urlsafe_b64encode):
                code = encode(plain.encode()).decode()
                assert decoded(code) == decoded(code.rstrip("=")) == plain

    @pytest.mark.parametrize(
        "code", ["A", "AAAAA", b64encode(b"a\0b").decode(), b64encode(b"\xff\xfe\xfd").decode()]
    )
    def test_what_is_no_printable_text_is_none(self, code: str) -> None:
        assert decoded(code) is None

    def test_a_picture_hides_nothing_that_comes_after_it(self) -> None:
        picture, secret = (
            b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").decode(),
            b64encode(b"ada:hunter2!").decode(),
        )
        assert (
            masked(lambda text: find_encoded(text, lambda _plain: False), f"{picture} {secret}")
            == f"{picture} #"
        )

    def test_the_beginning_of_credentials_however_long_tells_what_they_are(self) -> None:
        """Case 84."""
        code = b64encode(b"ada:" + b"\xc3\xa9" * 4_000).decode()
        assert redact(f"x Basic {code}") == f"x Basic {MASK}"

    def test_an_empty_block_in_it_is_no_secret(self) -> None:
        code = b64encode(BEGIN.encode()).decode()
        assert redact(f"x {code} y") == f"x {code} y"


class TestLinks:
    def test_what_is_found_in_the_words_as_they_are_read_is_masked_where_they_are_written(self) -> None:
        def find(read: str) -> Iterable[tuple[int, int]]:
            at = read.find("secret")
            return [(at, at + 6)] if at >= 0 else []

        text = "100% a%20b%3Dsecret%5B%7B%40c and x%3Dsecret"
        assert masked(lambda text: find_in_links(text, find), text) == "100% a%20b%3D#%5B%7B%40c and x%3D#"

    def test_a_code_is_read_like_the_letter_it_stands_for(self) -> None:
        read = Asked()
        list(find_in_links("a%20b %3d%3D %%%41 none %zz", read))
        assert read == ["a b", "==", "%%A"]

    @pytest.mark.parametrize(
        ("look", "codes", "links"),
        [
            (lambda text: list(scan._spans_of_link(text)), 0, 0),
            (scan._holds_secret, 0, 1),
            (lambda text: list(scan._spans(text)), 1, 1),
        ],
    )
    def test_codes_within_codes_are_not_looked_into(
        self, monkeypatch: pytest.MonkeyPatch, look: Callable[[str], object], codes: int, links: int
    ) -> None:
        """Case 84."""
        in_codes, in_links = Asked(), Asked()
        monkeypatch.setattr(scan, "find_encoded", in_codes)
        monkeypatch.setattr(scan, "find_in_links", in_links)
        assert not look("a-long-run-of-letters-and-signs")
        assert (len(in_codes), len(in_links)) == (codes, links)


class TestShapes:
    def test_each_of_several_tokens_is_found_at_the_first_look(self) -> None:
        text = " ".join("ghp_" + letter * 36 for letter in "abc")
        found = find_shapes(text, "\n".join(long_runs(text)))
        assert put_mask(text, list(found)) == " ".join([f"ghp_{MASK}"] * 3)

    def test_a_text_may_be_nothing_but_the_beginning_of_a_token(self) -> None:
        assert ends_cut_off("ghp_abcd")
        assert not ends_cut_off("ghp_abc")
        assert ends_cut_off("github_pat_" + "a" * 60 + "...")

    def test_texts_without_the_beginning_of_a_token_are_passed_over(self) -> None:
        assert not may_end_cut_off("nothing of the kind\nghp-0123456789")
        for beginning in ("ghp_", "ghr_", "glpat-", "rk_live_", "xoxp-", "hvs.", "eyJhbGciOi"):
            assert may_end_cut_off(f"nothing\n{beginning}0123") and ends_cut_off(f"{beginning}0123")

    @pytest.mark.parametrize(("text", "start", "begins"), [
        ("sk-", 0, True), ("-sk-", 1, True), ("ask-", 1, False), ("1sk-", 1, False), ("ésk-", 1, True), ("aésk-", 2, True),
    ])  # fmt: skip
    def test_a_prefix_inside_a_word_of_ascii_is_left_alone(self, text: str, start: int, begins: bool) -> None:
        assert _begins_here(text, start) is begins

    @pytest.mark.parametrize("escape", ["\x1b[31m", "\u241b[1;31m", "\\x1b[0m", "\\n", "\\u2028", "\\x1f"])
    def test_an_escape_is_blank_and_keeps_its_place(self, escape: str) -> None:
        assert without_escapes(f"a{escape}b") == "a" + " " * len(escape) + "b"


class TestTogether:
    def test_the_shortest_secret_there_is(self) -> None:
        assert redact("otp=a1b") == f"otp={MASK}"

    def test_spans_may_lie_within_each_other_and_come_in_any_order(self) -> None:
        assert put_mask("abcdefgh", [(6, 7), (1, 2), (0, 4), (3, 3)]) == f"{MASK}ef{MASK}h"

    def test_a_text_may_hold_every_hint(self) -> None:
        words = " ".join(sorted(scan._hints()))
        assert redact(f"{words} password=hunter2!").endswith(f" password={MASK}")

    def test_small_letters_keep_their_places(self) -> None:
        """One capital letter of Unicode becomes two characters."""
        assert scan.lower("\u0130A\u0130\u00c9") == "iai\u00e9"
        assert scan.lower("ABC") == "abc"
        assert redact("\u0130\u0130 PASSWORD=Hunter2!") == f"\u0130\u0130 PASSWORD={MASK}"
