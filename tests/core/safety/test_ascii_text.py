"""Case 71: what a terminal without UTF-8 is given, and how it is known to be one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.safety.ascii import _TABLE, _drawn, _stand_in, speaks_utf8, to_ascii
from buddy_core.safety.columns import cells
from buddy_core.safety.text import plain


@pytest.mark.parametrize(
    ("drawn", "stand_in"),
    [
        ("╭─┬─╮│├┼┤╰┴╯", "+-+-+|+++++++"[:12]),
        ("▁▂▃▄▅▆▇█", ".:-=+*%#"),
        ("⠀⠁⠃⣿", " .:#"),
        ("● ✓ ✗ ■ ◐ ◌", "* + x # ~ o"),
        ("naïve café", "naive cafe"),
        ("日本", "????"),
        ("… – ≈ ⏎ ␛ ⟨9b⟩", "~ - ~ / ? <9b>"),
        ("e\u0301", "e"),
    ],
)
def test_signs_have_likenesses(drawn: str, stand_in: str) -> None:
    assert to_ascii(drawn) == stand_in


@given(st.text(max_size=60))
def test_everything_becomes_ascii_of_the_same_width(text: str) -> None:
    safe = plain(text)
    drawn = to_ascii(safe)
    assert drawn.isascii()
    assert drawn.isprintable()
    assert cells(drawn) == cells(safe)


@pytest.mark.parametrize(
    ("env", "utf8"),
    [
        ({}, True),
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "POSIX"}, False),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, False),
        ({"LC_CTYPE": "en_US.UTF-8", "LANG": "C"}, True),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, False),
        ({"LC_CTYPE": "C.utf8", "LANG": "C"}, False),
        ({"LC_CTYPE": "UTF-8", "LANG": "POSIX"}, False),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, True),
        ({"LC_CTYPE": "C.UTF-8"}, True),
        ({"LC_ALL": "C.UTF-8"}, True),
        ({"LANG": "en_US.ISO-8859-1"}, False),
        ({"LANG": "en_US.UTF-8", "PYTHONIOENCODING": "ascii"}, False),
        ({"LANG": "en_US.UTF-8", "PYTHONIOENCODING": "utf-8:replace"}, True),
    ],
    ids=str,
)
def test_the_environment_says_whether_the_terminal_speaks_utf8(env: dict[str, str], utf8: bool) -> None:
    assert speaks_utf8(env) is utf8


def test_the_table_begins_with_all_that_the_interface_draws() -> None:
    drawn = _drawn()
    assert {point: _TABLE[point] for point in drawn} == drawn
    assert len(drawn) > 256 + 128
    assert "".join(drawn[0x2800 + dots] for dots in (0, 1, 3, 7, 15, 31, 63, 127, 255)) == " .:-=+*%#"
    assert (drawn[0x2500], drawn[0x253C], drawn[0x257F], drawn[0x2581], drawn[0x2588]) == (
        "-",
        "+",
        "+",
        ".",
        "#",
    )
    assert set(map(len, drawn.values())) == {1}


@pytest.mark.parametrize(
    ("char", "likeness"),
    [
        ("a", "a"),
        ("é", "e"),
        ("\u0301", ""),
        ("ｆ", "f "),
        ("日", "??"),
        ("☃", "?"),
        ("\u3000", "  "),
        ("\xa0", " "),
    ],
)
def test_a_character_met_for_the_first_time_has_a_likeness_of_its_width(char: str, likeness: str) -> None:
    assert _stand_in(char) == likeness
