import pytest

from sweep import registry
from sweep.errors import PluginError
from sweep.frontends.base import Frontend
from sweep.frontends.lookup import frontend_owner
from sweep.frontends.mfcc import MFCC

from .loudness import Loudness


class Shapeless(Frontend):
    """Says neither shape nor features."""


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    known = {"loudness": Loudness, "shapeless": Shapeless, "number": 3}
    found = {("frontend", name): target for name, target in known.items()}
    monkeypatch.setattr(registry, "_registered", found)


def test_a_name_means_a_front_end():
    assert frontend_owner("mfcc") is MFCC
    assert frontend_owner("loudness") is Loudness


def test_what_is_no_front_end_is_told():
    with pytest.raises(PluginError, match="number: is not a sweep.Frontend"):
        frontend_owner("number")


def test_what_it_does_not_define_is_told_with_its_line():
    with pytest.raises(PluginError, match=r"test_lookup.py:\d+: .*does not define features, shape"):
        frontend_owner("shapeless")
