import time

import pytest

from sweep.errors import SpecError
from sweep.strict_yaml import load, read_text


def refusal(text: str) -> str:
    begin = time.monotonic()
    with pytest.raises(SpecError) as refused:
        load(text, "file.yaml")
    assert time.monotonic() - begin < 10
    message = str(refused.value)
    assert "\n" not in message and len(message) < 300
    return message


def laughs(levels: int) -> str:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    for i in range(1, levels):
        lines.append(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]")
    return "\n".join(lines)


def test_aliases_that_stand_for_too_much_are_refused():
    assert refusal(laughs(9)) == "file.yaml:5: holds more than 20,000 values"


def test_aliases_that_stand_for_little_are_read():
    assert load("a: &a [1, 2]\nb: *a", "file.yaml") == {"a": [1, 2], "b": [1, 2]}
    assert load(laughs(3), "file.yaml")["a2"][8][8] == ["x"] * 9


def test_a_node_that_holds_itself_is_refused():
    assert refusal("a: &a [*a]") == "file.yaml: not YAML: nested too deeply"


def test_deep_nesting_is_refused():
    assert refusal("[" * 5000 + "]" * 5000) == "file.yaml: not YAML: nested too deeply"


def test_half_of_a_surrogate_pair_is_refused_and_a_whole_character_is_not():
    assert refusal('a: 1\nb: ["\\ud83d"]') == (
        "file.yaml:2: holds half of a surrogate pair, which is no text"
    )
    assert load('a: "\\U0001F600"', "file.yaml") == {"a": "\U0001f600"}


def test_a_key_that_comes_twice_is_refused():
    assert refusal("a:\n  b: 1\n  b: 2") == (
        "file.yaml:3: b: duplicate key; YAML would keep the last"
    )


@pytest.mark.parametrize(
    "text", ["a: !!python/object:os.system x", "a: 2026-99-99", "a: [", "\0", "!!set {a"]
)
def test_what_is_no_plain_yaml_is_refused(text):
    refusal(text)


def test_a_large_file_is_not_read_to_its_end(tmp_path):
    file = tmp_path / "large.yaml"
    with file.open("wb") as opened:
        opened.truncate(2**40)
    with pytest.raises(SpecError, match="large.yaml: larger than 200 KB$"):
        read_text(file)


def test_a_byte_order_mark_is_no_text(tmp_path):
    file = tmp_path / "mark.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1")
    assert load(read_text(file), "mark.yaml") == {"a": 1}
