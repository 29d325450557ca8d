import io

import pytest

from sweep.errors import DataError, visible
from sweep.terminal import console


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("clip\x1b[2J.wav", r"clip\x1b[2J.wav"),
        ("a\rb\x07\x9b", r"a\rb\x07\x9b"),
        ("evil\u202egnp.wav", r"evil\u202egnp.wav"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("Größe 你好 \U0001f600", "Größe 你好 \U0001f600"),
    ],
)
def test_control_characters_are_shown_and_all_others_stay(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert str(DataError(text)) == shown


def test_nothing_in_a_name_reaches_the_terminal_as_a_command() -> None:
    out = console()
    out.file = io.StringIO()
    out.print("name\x1b]0;title\x07")
    assert out.file.getvalue() == "name\\x1b]0;title\\x07\n"
