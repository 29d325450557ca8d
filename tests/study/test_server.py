"""A study in a server whose connections drop."""

from contextlib import ExitStack

import pytest
import sqlalchemy
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from sweep.errors import StudyError
from sweep.study import server
from sweep.study.lock import ServerLock
from sweep.study.server import ServerStorage
from sweep.study.storage import StudyFolder
from sweep.study.trials import ask, finish

from .fake_workers import FEASIBLE, make_space

ABOUT = {"fingerprint": "same", "source": "synthetic"}


@pytest.fixture
def study(tmp_path, postgresql):
    """The folder of a study in PostgreSQL."""
    folder = StudyFolder(tmp_path / "results", tmp_path.name, postgresql)
    yield folder
    folder.close()


def drop_connections(url: str) -> None:
    """End every other session of a server."""
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        connection.execute(
            sqlalchemy.text(f"{ended} WHERE pid <> pg_backend_pid() AND usename IS NOT NULL")
        )
    engine.dispose()


def create(folder):
    return folder.create(make_space(), RandomSampler(), ABOUT)


def test_connections_that_drop_between_any_two_writes_cost_nothing(study, postgresql):
    space = make_space()
    with study.owned():
        made = create(study)
        for _ in range(2):
            drop_connections(postgresql)
            trial = ask(made, space)
            drop_connections(postgresql)
            study.keep_files(trial, {"model.tflite": b"model"})
            drop_connections(postgresql)
            finish(made, trial, FEASIBLE)
        drop_connections(postgresql)
        states = [trial.state for trial in made.get_trials()]
    assert states == [TrialState.COMPLETE] * 2
    assert [study.read_file(number, "model.tflite") for number in (0, 1)] == [b"model"] * 2


def test_a_lost_lock_is_taken_again_before_the_next_write(study, postgresql, tmp_path):
    elsewhere = StudyFolder(tmp_path / "elsewhere", study.name, postgresql)
    with study.owned():
        made = create(study)
        drop_connections(postgresql)
        made.set_user_attr("written", 1)
        with pytest.raises(StudyError, match="another sweep run is at work"):
            with elsewhere.owned():
                pytest.fail("two coordinators")


def test_where_another_has_taken_the_lost_lock_nothing_more_is_written(study, postgresql, tmp_path):
    elsewhere = StudyFolder(tmp_path / "elsewhere", study.name, postgresql)
    with study.owned():
        made = create(study)
        drop_connections(postgresql)
        with elsewhere.owned():
            with pytest.raises(StudyError, match="another sweep run has taken it; nothing more"):
                made.set_user_attr("written", 1)
            assert "written" not in made.user_attrs
        elsewhere.close()


def test_a_session_that_the_server_takes_for_alive_is_ended(study, postgresql):
    lock = ServerLock(postgresql, study.name)
    with ExitStack() as lost:
        assert lock.take()
        # The connection goes on, and its owner has lost sight of it.
        lost.callback(lock._connection.close)
        lock._connection = None
        lock.check()
        assert not ServerLock(postgresql, study.name).take()
        lock.release()


def test_a_write_that_was_done_when_its_connection_dropped_is_not_done_twice(
    study, monkeypatch, postgresql
):
    done = []

    def cut_off(storage, *args, **kwargs):
        RDBStorage.set_trial_state_values(storage, *args, **kwargs)
        done.append(args)
        if len(done) == 1:
            raise sqlalchemy.exc.OperationalError("UPDATE", {}, Exception("connection lost"))

    monkeypatch.setattr(server, "_PAUSE_IN_S", 0)
    with study.owned():
        made = create(study)
        trial = ask(made, make_space())
        storage = study._connect()
        assert isinstance(storage, ServerStorage)
        assert storage._patiently(
            "set_trial_state_values",
            lambda: cut_off(storage, trial._trial_id, TrialState.FAIL),
        )
    assert not done[1:]


def test_a_server_that_stays_away_is_told(study, monkeypatch):
    monkeypatch.setattr(server, "_PATIENCE_IN_S", 0)
    monkeypatch.setattr(server, "_PAUSE_IN_S", 0)

    def refuse(*args, **kwargs):
        raise sqlalchemy.exc.OperationalError("SELECT", {}, Exception("connection refused"))

    with study.owned():
        create(study)
        storage = study._connect()
        with pytest.raises(sqlalchemy.exc.OperationalError, match="connection refused"):
            storage._patiently("get_all_trials", refuse)


def test_a_lock_file_that_is_deleted_lets_nobody_in(tmp_path):
    here, there = (StudyFolder(tmp_path, "study") for _ in range(2))
    with here.owned():
        (tmp_path / "study/.lock").unlink()
        with pytest.raises(StudyError, match="another sweep run is at work"):
            with there.owned():
                pytest.fail("two coordinators")
    with there.owned():
        pass
