import struct
import sys
from xml.etree import ElementTree

import pytest

from sweep.errors import SweepError
from sweep.report import pictures
from sweep.report.figures import figures
from sweep.report.pictures import write_pictures

from .fake_studies import make_record


@pytest.fixture
def only(monkeypatch):
    """Draw only one of the figures, each of which takes a second."""

    def choose(name):
        monkeypatch.setattr(pictures, "figures", lambda record: {name: figures(record)[name]})

    return choose


@pytest.mark.usefixtures("chromium")
class TestWritePictures:
    def test_png_of_twice_the_size(self, only, tmp_path):
        pytest.importorskip("kaleido")
        only("parallel-feasible")
        (path,) = write_pictures(make_record(30, seed=11), "png", tmp_path / "new")
        content = path.read_bytes()
        assert path.name == "parallel-feasible.png"
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        assert struct.unpack(">II", content[16:24]) == (3000, 960)

    def test_svg_with_the_words_in_it(self, only, tmp_path):
        pytest.importorskip("kaleido")
        only("front-size_kb")
        (path,) = write_pictures(make_record(30, seed=11), "svg", tmp_path)
        tree = ElementTree.parse(path).getroot()
        assert tree.tag == "{http://www.w3.org/2000/svg}svg"
        assert "on the front" in "".join(tree.itertext())


def test_without_a_browser_the_message_says_what_to_install(monkeypatch, tmp_path):
    pytest.importorskip("kaleido")
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SweepError, match="install chromium, or name one in BROWSER_PATH"):
        write_pictures(make_record(3), "png", tmp_path / "pictures")
    assert not (tmp_path / "pictures").exists()


def test_a_browser_that_is_not_there_is_named(monkeypatch, tmp_path):
    pytest.importorskip("kaleido")
    monkeypatch.setenv("BROWSER_PATH", "/no/browser")
    with pytest.raises(SweepError, match="BROWSER_PATH is /no/browser"):
        write_pictures(make_record(3), "png", tmp_path)


def test_without_kaleido_the_message_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(SweepError, match=r"pip install 'tinysweep\[pictures\]'"):
        write_pictures(make_record(3), "png", tmp_path)
