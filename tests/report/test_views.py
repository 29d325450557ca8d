import json
import threading

import pytest

from sweep.errors import StudyError
from sweep.report import views
from sweep.report.views import ViewCache
from sweep.study.reader import Studies

from .fake_studies import make_record
from .study_fixtures import RunningSweep


@pytest.fixture
def sweep(tmp_path):
    running = RunningSweep(tmp_path, make_record(12, seed=11, name="running"))
    running.end(5)
    yield running
    running.stop()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(views, "_REST", 0.0)
    return ViewCache(Studies(tmp_path))


def trials_in(view):
    return json.loads(view.content)["trials"]["trial"]


def test_a_view_is_computed_once_and_anew_when_a_trial_has_ended(sweep, cache):
    first = cache.view("running")
    assert trials_in(first) == list(range(5))
    assert cache.view("running") is first
    sweep.end()
    second = cache.view("running")
    assert trials_in(second) == list(range(6)) and second.tag != first.tag


def test_a_study_is_left_alone_for_a_while_after_it_was_computed(sweep, cache, monkeypatch):
    monkeypatch.setattr(views, "_REST", 1e6)
    first = cache.view("running")
    sweep.end()
    assert cache.view("running") is first


def test_who_asks_while_it_is_computed_gets_the_view_before(sweep, cache, monkeypatch):
    first = cache.view("running")
    sweep.end()
    begun, go_on = threading.Event(), threading.Event()
    real = views.study_data

    def slow(*arguments):
        begun.set()
        assert go_on.wait(60)
        return real(*arguments)

    monkeypatch.setattr(views, "study_data", slow)
    other = threading.Thread(target=cache.view, args=("running",))
    other.start()
    assert begun.wait(60)
    assert cache.view("running") is first
    go_on.set()
    other.join()
    assert trials_in(cache.view("running")) == list(range(6))


def test_a_study_that_is_not_there_is_named(cache):
    with pytest.raises(StudyError, match="there is no study 'none'"):
        cache.view("none")
