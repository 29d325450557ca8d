"""Times of what is said in a recording, from files."""

from pathlib import Path

import pytest

from sweep.audio.spoken import Spoken, read_times
from sweep.errors import DataError

KEYWORDS = ("go", "stop")


@pytest.mark.parametrize(
    "text",
    [
        "3.5\t4.1\tgo\n1\t1.5\tup\n",
        "start_in_s,end_in_s,label\n1.0,1.5,up\n3.5,4.1,go\n",
        '\ufeff1,1.5, up\r\n\r\n3.5,4.1,"go"\r\n',
        "1.0\t1.5\tup\n\\\t200.0\t3000.0\n3.5\t4.1\tgo\n",
    ],
    ids=["labels of Audacity", "CSV with a header", "as spreadsheets write it", "with frequencies"],
)
def test_words_are_read_in_the_order_of_their_starts(tmp_path: Path, text: str) -> None:
    file = tmp_path / "kitchen.txt"
    file.write_text(text, encoding="utf-8")
    assert read_times(file, KEYWORDS) == (
        Spoken("_unknown_", "up/kitchen", 1.0, 1.5, None),
        Spoken("go", "go/kitchen", 3.5, 4.1, None),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1\t2\tgo\n1;2;go\n", "line 2: not start and end in seconds, then a label"),
        ("1,2\n", "line 1: not start and end"),
        ("label,start\n3,x,go\n", "line 2: not start and end"),
        ("2,1,go\n", "line 1: needs 0 <= start <= end, and a label"),
        ("-1,1,go\n", "line 1: needs 0"),
        ("1,inf,go\n", "line 1: needs 0"),
        ("nan,1,go\n", "line 1: needs 0"),
        ("1,2, \n", "line 1: needs 0"),
    ],
)
def test_a_line_that_is_none_is_told(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "times.csv"
    file.write_text(text)
    if text.startswith("nan"):
        file.write_text("\n" + text)
        told = told.replace("line 1", "line 2")
    with pytest.raises(DataError, match=f"times.csv: {told}"):
        read_times(file, KEYWORDS)


def test_a_file_that_is_no_text_or_too_large_or_gone_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "times.txt"
    with pytest.raises(DataError, match="cannot be read"):
        read_times(file, KEYWORDS)
    file.write_bytes(b"\xff\xfe1\t2\tgo")
    with pytest.raises(DataError, match="not text in UTF-8"):
        read_times(file, KEYWORDS)
    monkeypatch.setattr("sweep.audio.spoken._MOST_BYTES", 2**20)
    file.write_bytes(b"1,2,go\n" * 2**18)
    with pytest.raises(DataError, match="more than 1 MB"):
        read_times(file, KEYWORDS)
