import contextlib
import json
import os
import shlex
import shutil
import sqlite3
import threading
from pathlib import Path

import optuna
import pytest

from sweep.errors import SpecError, StudyError
from sweep.study import compatibility, database
from sweep.study.database import readable_errors
from sweep.study.reader import StudyReader
from sweep.study.storage import StudyFolder, study_name
from sweep.study.trials import finish

from .fake_workers import ENDINGS, FEASIBLE
from .fake_workers import SPACE as SPACE_TEXT
from .fake_workers import make_space

SPACE = make_space()
ABOUT = {"fingerprint": "abc", "clips": {"training": 100}}


def create(folder: StudyFolder, space=SPACE, about=ABOUT) -> optuna.Study:
    return folder.create(space, optuna.samplers.RandomSampler(seed=0), about)


def one_line(refused: pytest.ExceptionInfo) -> str:
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_what_was_measured_comes_back_as_it_was(either_folder):
    with either_folder.owned():
        study = create(either_folder)
        candidates = []
        for evaluation in ENDINGS.values():
            assert evaluation.outcome in ENDINGS
            trial = study.ask(SPACE.distributions)
            candidates.append(SPACE.candidate(trial.params))
            finish(study, trial, evaluation)
        study.ask(SPACE.distributions)  # still running: not in the record
    record = either_folder.record()
    assert record.name == either_folder.name
    assert record.about == ABOUT
    assert record.space.comparable() == SPACE.comparable()
    assert [trial.evaluation for trial in record.trials] == list(ENDINGS.values())
    assert [trial.candidate for trial in record.trials] == candidates
    assert [trial.number for trial in record.trials] == list(range(len(ENDINGS)))
    assert all(trial.started <= trial.finished for trial in record.trials)


def test_a_study_goes_on_with_the_same_space(either_folder):
    with either_folder.owned():
        finish(create(either_folder), create(either_folder).ask(SPACE.distributions), FEASIBLE)
    with either_folder.owned():
        again = create(either_folder, make_space(trials=500, sampler="tpe"))
        assert len(again.get_trials()) == 1


def test_a_study_in_a_file_of_several_has_one_coordinator_among_all_folders(tmp_path):
    url = f"sqlite:///{tmp_path / 'all.db'}"
    here = StudyFolder(tmp_path / "here", "shared", url)
    there = StudyFolder(tmp_path / "there", "shared", url)
    another = StudyFolder(tmp_path / "there", "another", url)
    with here.owned():
        with pytest.raises(StudyError) as refused, there.owned():
            pass
        assert one_line(refused) == f"{there.path}: another sweep run is at work on this study"
        with another.owned():
            create(another)
    with there.owned():
        create(there)


def test_a_study_in_a_server_has_one_coordinator_among_all_folders(tmp_path, postgresql):
    here = StudyFolder(tmp_path / "here", "shared", postgresql)
    there = StudyFolder(tmp_path / "there", "shared", postgresql)
    with here.owned():
        with pytest.raises(StudyError, match="at work on this study, from another folder"):
            with there.owned():
                pytest.fail("two coordinators")
        with StudyFolder(tmp_path / "there", "another", postgresql).owned():
            pass
    with there.owned():
        pass


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("alpha: {low: 0.08", "alpha: {low: 0.1"), "parameters.alpha.low = 0.08, now it is 0.1"),
        (
            ("  noise_snr_db: [null, 5]\n", ""),
            "parameters.noise_snr_db = [None, 5], now it is None",
        ),
        (("< 25", "< 30"), "limits.size_kb = '< 25', now it is '< 30'"),
        (("seed: 3", "seed: 4"), "seed = 3, now it is 4"),
        (("search:", "require: [alpha > 0.1]\nsearch:"), "require = [], now it is ['alpha > 0.1']"),
    ],
)
def test_another_space_is_refused_and_what_differs_is_told(folder, change, place):
    with folder.owned():
        create(folder)
    before = folder.record()
    with pytest.raises(StudyError) as refused, folder.owned():
        create(folder, make_space(SPACE_TEXT.replace(*change)))
    assert one_line(refused) == (
        f"{folder.path}: the study was made with {place}; name another --study to start anew"
    )
    assert folder.record().space.comparable() == before.space.comparable()


@pytest.mark.parametrize(
    "change",
    [
        ('">= 0.95"', '">=0.950"'),
        ("[0.016, 0.032]", "[0.032, 0.016]"),
        ("[null, 5]", "[5, null]"),
        ("[stop, go]", "[go, stop]"),
        ("final_sparsity: {low: 0.0, high: 0.8}", "final_sparsity: {high: 0.80, low: 0}"),
        (
            "search:",
            "objectives: {size_kb: minimize, latency_ms: minimize, accuracy: maximize}\nsearch:",
        ),
        ("  alpha:", "  epochs: 10\n  filters: [128]\n  alpha:"),
    ],
)
def test_another_spelling_of_the_space_goes_on_in_the_spelling_of_the_study(folder, change):
    assert change[0] in SPACE_TEXT
    with folder.owned():
        create(folder)
    wanted = make_space(SPACE_TEXT.replace(*change), trials=77)
    found = folder.spelled(wanted)
    assert found.file.search.trials == 77
    for part in ("parameters", "objectives", "limits", "dataset"):
        assert str(getattr(found.file, part)) == str(getattr(SPACE.file, part))
    with folder.owned():
        finish(study := create(folder, found), study.ask(found.distributions), FEASIBLE)


def test_a_requirement_may_be_spaced_otherwise(folder):
    text = SPACE_TEXT.replace("search:", "require: [alpha > 0.1]\nsearch:")
    with folder.owned():
        create(folder, make_space(text))
    folder.spelled(make_space(text.replace("alpha > 0.1", "alpha>0.1")))
    with pytest.raises(StudyError, match="require"):
        folder.spelled(make_space(text.replace("alpha > 0.1", "alpha > 0.2")))


def test_a_study_that_is_new_takes_the_spelling_it_is_given(either_folder):
    wanted = make_space(SPACE_TEXT.replace("[stop, go]", "[go, stop]"))
    assert either_folder.spelled(wanted) is wanted
    assert not either_folder.path.exists()


def test_other_labels_are_told(folder):
    with folder.owned():
        create(folder)
    with pytest.raises(StudyError, match=r"labels = \['go', 'stop'\], now it is \['go', 'up'\]"):
        folder.spelled(make_space(SPACE_TEXT.replace("[stop, go]", "[up, go]")))


@pytest.mark.parametrize(
    "name",
    [
        "with space",
        "hash#1",
        "100%",
        "a%2Fb",
        "b%20c",
        "works?",
        "a?b=c&d",
        "{x}",
        "a:b@c",
        "caf\udce9",
    ],
)
def test_a_path_is_a_path_whatever_characters_it_has(tmp_path, name, monkeypatch):
    results = tmp_path / name
    folder = StudyFolder(results, "study")
    with folder.owned():
        study = create(folder)
        finish(study, study.ask(SPACE.distributions), FEASIBLE)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (results / "study/study.db").stat().st_size > 0
    assert len(StudyFolder.find("study", results).record().trials) == 1
    assert len(StudyReader(folder).record().trials) == 1
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)
    assert len(StudyFolder.find("study", results).record().trials) == 1


def test_a_lock_of_some_seconds_is_waited_for(folder):
    with folder.owned():
        study = create(folder)
        held = sqlite3.connect(folder.database, isolation_level=None, check_same_thread=False)
        held.execute("BEGIN IMMEDIATE")
        given_back = threading.Timer(7, held.rollback)  # above the 5 s of SQLite's driver
        given_back.start()
        finish(study, study.ask(SPACE.distributions), FEASIBLE)
        given_back.join()
        held.close()
    assert len(folder.record().trials) == 1


def test_a_lock_that_stays_is_told_with_what_to_do(folder, monkeypatch):
    monkeypatch.setattr(database, "_LOCK_PATIENCE_IN_S", 0.1)
    with folder.owned():
        create(folder)
        held = sqlite3.connect(folder.database, isolation_level=None)
        held.execute("BEGIN IMMEDIATE")
        with pytest.raises(StudyError) as refused:
            folder.keep_finalists([])
        held.close()
    assert one_line(refused).endswith(
        "is locked by another program for 0.1 s; run the same command again"
    )


def test_other_clips_are_refused(folder):
    with folder.owned():
        create(folder)
        with pytest.raises(StudyError) as refused:
            create(folder, about=ABOUT | {"fingerprint": "xyz"})
    assert one_line(refused) == (
        f"{folder.path}: the study was made with other clips; name another --study to start anew"
    )


@pytest.mark.parametrize("name", ["../x", "..", ".", "", "a/b", ".hidden", "-x", "a b", "x" * 101])
def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(SpecError) as refused:
        StudyFolder(tmp_path, name)
    assert one_line(refused) == (
        f"{name!r} cannot name a study; use letters, digits, '.', '_' and '-'"
    )


@pytest.mark.parametrize(
    ("file", "name"), [("my words.yaml", "my_words"), ("_x.yaml", "x"), ("üö.yaml", "words")]
)
def test_a_file_that_cannot_name_a_study_is_told_with_a_name_that_can(file, name):
    with pytest.raises(SpecError, match=f"cannot name a study; add --study {name}$"):
        study_name(Path(file))
    assert study_name(Path(f"spaces/{name}.yaml")) == name


@pytest.mark.parametrize("name", ["go_stop", "2026-11-23", "v1.0", "x"])
def test_a_plain_name_names_a_folder(tmp_path, name):
    assert StudyFolder(tmp_path, name).path == tmp_path / name


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    folder = StudyFolder(tmp_path / "file", "study")
    with pytest.raises(StudyError) as refused, folder.owned():
        pass
    assert one_line(refused) == f"{folder.path}: cannot be written: Not a directory"


def test_one_coordinator_at_a_time(folder):
    other = StudyFolder(folder.path.parent, folder.name)
    with folder.owned():
        with pytest.raises(StudyError) as refused, other.owned():
            pass
        assert one_line(refused) == f"{folder.path}: another sweep run is at work on this study"
    with other.owned():
        pass


def test_a_study_can_be_read_while_it_is_written(folder):
    with folder.owned():
        study = create(folder)
        finish(study, study.ask(SPACE.distributions), FEASIBLE)
        assert len(StudyFolder(folder.path.parent, folder.name).record().trials) == 1


def test_a_damaged_database_is_told_and_left_alone(folder):
    with folder.owned():
        create(folder)
    damage = b"this is no database" * 100
    for file in folder.path.glob("study.db*"):
        file.unlink()
    folder.database.write_bytes(damage)
    with pytest.raises(StudyError) as refused:
        StudyFolder.find(folder.name, folder.path.parent).record()
    assert one_line(refused) == f"{folder.path}: the study's storage fails: file is not a database"
    with pytest.raises(StudyError, match="the study's storage fails: file is not a database"):
        create(folder)
    assert folder.database.read_bytes() == damage


@pytest.mark.parametrize(
    "damage",
    [
        "update alembic_version set version_num = 'v9.0.0.a'",
        "update study_user_attributes set value_json = '{' where key = 'space'",
        "update study_user_attributes set value_json = '5' where key = 'about'",
        "update trial_user_attributes set value_json = '{}'",
        "update trial_user_attributes set value_json = '[1]'",
        "update trial_params set distribution_json = '{}'",
        "update trials set state = 'BROKEN'",
    ],
)
def test_a_database_that_is_damaged_or_of_another_version_is_told_in_a_line(folder, damage):
    with folder.owned():
        study = create(folder)
        finish(study, study.ask(SPACE.distributions), FEASIBLE)
    with contextlib.closing(sqlite3.connect(folder.database)) as connection, connection:
        connection.execute(damage)
    connection.close()
    there = StudyFolder(folder.path.parent, folder.name)
    with pytest.raises(StudyError) as refused:
        there.record()
    assert one_line(refused).startswith(f"{folder.path}: ") and len(str(refused.value)) < 300
    with contextlib.suppress(StudyError):  # what does not look at trials may go well
        there.spelled(SPACE)


def test_a_study_in_another_format_is_told_and_left_alone(folder):
    with folder.owned():
        study = create(folder)
        finish(study, study.ask(SPACE.distributions), FEASIBLE)
        study.set_user_attr("format", compatibility.FORMAT + 1)
    for use in (folder.record, lambda: folder.spelled(SPACE), lambda: create(folder)):
        with pytest.raises(StudyError, match="a study in format .* use the version that made it"):
            use()
    study.set_user_attr("format", compatibility.FORMAT)
    assert len(folder.record().trials) == 1


def test_a_database_of_something_else_is_told(folder):
    folder.path.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(folder.database)) as connection, connection:
        connection.execute("create table other (x int)")
    connection.close()
    with pytest.raises(StudyError, match="the storage holds no study 'study'"):
        folder.load()


def test_a_study_that_was_never_begun_is_told(folder):
    folder.path.mkdir(parents=True)
    optuna.create_study(study_name="study", storage=f"sqlite:///{folder.database}")
    with pytest.raises(StudyError, match="the study was never begun; run it again"):
        folder.record()


def test_a_server_out_of_reach_is_told(tmp_path):
    folder = StudyFolder(tmp_path, "study", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(StudyError) as refused:
        folder.load()
    assert one_line(refused).startswith(f"{folder.path}: the study's storage fails: connection")


def test_a_failure_without_words_is_told_by_its_name():
    with pytest.raises(StudyError, match="^x: the study's storage fails: TimeoutError$"):
        with readable_errors(Path("x")):
            raise TimeoutError


@pytest.mark.parametrize("url", ["nonsense", "mongodb://x/y", "postgresql+nodriver://x/y"])
def test_a_storage_that_is_none_is_told(tmp_path, url):
    with pytest.raises(StudyError, match="the study's storage fails: ") as refused:
        StudyFolder(tmp_path, "study", url).load()
    one_line(refused)


def test_a_study_is_found_by_name_or_by_path(folder, monkeypatch):
    with folder.owned():
        create(folder)
    results = folder.path.parent
    assert StudyFolder.find("study", results).path == folder.path
    assert StudyFolder.find(str(folder.path), Path("elsewhere")).path == folder.path
    monkeypatch.chdir(results)
    assert StudyFolder.find("./study", Path("elsewhere")).path == folder.path
    assert len(StudyFolder.find("study/", results).record().trials) == 0


def test_a_study_that_is_not_there_is_told_with_those_that_are(folder):
    results = folder.path.parent
    with pytest.raises(StudyError) as refused:
        StudyFolder.find("none", results)
    assert one_line(refused) == f"no study at {results / 'none'}; sweep run makes one"
    with folder.owned():
        create(folder)
    with pytest.raises(StudyError) as refused:
        StudyFolder.find("none", results)
    assert one_line(refused) == (
        f"no study at {results / 'none'}; {results} holds study; sweep run makes one"
    )


def test_files_of_a_trial_come_back_as_they_were(either_folder):
    with either_folder.owned():
        study = create(either_folder)
        trial = study.ask(SPACE.distributions)
        either_folder.keep_files(trial, {"model.tflite": b"\0model", "frontend.tflite": b"front"})
        finish(study, trial, FEASIBLE)
    assert either_folder.read_file(0, "model.tflite") == b"\0model"
    assert either_folder.read_file(0, "frontend.tflite") == b"front"


def test_the_files_of_a_trial_that_was_never_evaluated_go_with_the_next_run(folder):
    with folder.owned():
        study = create(folder)
        for evaluated in (True, False):
            trial = study.ask(SPACE.distributions)
            folder.keep_files(trial, {"model.tflite": b"model"})
            if evaluated:
                finish(study, trial, FEASIBLE)
        (folder.path / "artifacts/of no trial").touch()
    with folder.owned():
        create(folder)
    assert folder.read_file(0, "model.tflite") == b"model"
    assert len(list((folder.path / "artifacts").iterdir())) == 1


def test_a_renamed_or_copied_folder_is_read_and_goes_on(folder):
    with folder.owned():
        finish(create(folder), create(folder).ask(SPACE.distributions), FEASIBLE)
    copy = StudyFolder(folder.path.parent, "another")
    shutil.copytree(folder.path, copy.path)
    assert copy.record().name == "another"
    assert copy.record().trials == folder.record().trials == StudyReader(copy).record().trials
    with copy.owned():
        assert len(create(copy).get_trials()) == 1


def test_a_folder_that_may_only_be_read_is_read(folder, monkeypatch):
    with folder.owned():
        finish(create(folder), create(folder).ask(SPACE.distributions), FEASIBLE)
    known, held = folder.record().trials, sorted(folder.path.iterdir())
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)
    there = StudyFolder(folder.path.parent, folder.name)
    study = there.load()
    assert len(study.get_trials()) == 1 and sorted(folder.path.iterdir()) == held
    with pytest.raises(optuna.exceptions.StorageInternalError):
        study.set_user_attr("who", "writes")
    there.close()
    assert there.record().trials == known


def test_a_folder_that_may_only_be_read_is_up_to_date_while_it_is_written(folder, monkeypatch):
    with folder.owned():
        study = create(folder)
        finish(study, study.ask(SPACE.distributions), FEASIBLE)
        with monkeypatch.context() as patch:
            patch.setattr("os.access", lambda path, mode: mode != os.W_OK)
            assert len(StudyFolder(folder.path.parent, folder.name).record().trials) == 1


def test_where_the_clips_lie_is_known_of_a_study_that_is_there(either_folder):
    assert either_folder.about() == {} and not either_folder.database.exists()
    with either_folder.owned():
        create(either_folder, about=ABOUT | {"source": "/recordings"})
    assert either_folder.about()["source"] == "/recordings"


def test_models_that_lie_elsewhere_are_told(folder, tmp_path):
    with folder.owned():
        study = create(folder)
        trial = study.ask(SPACE.distributions)
        folder.keep_files(trial, {"model.tflite": b"model"})
        finish(study, trial, FEASIBLE)
    away = StudyFolder(tmp_path / "away", folder.name, f"sqlite:///{folder.database}")
    with pytest.raises(
        StudyError, match="not found; the models are on the machine that ran the sweep"
    ):
        away.read_file(0, "model.tflite")
    assert not away.path.exists()


def test_files_that_are_not_there_are_told(folder):
    with folder.owned():
        study = create(folder)
        trial = study.ask(SPACE.distributions)
        folder.keep_files(trial, {"model.tflite": b"model"})
        finish(study, trial, FEASIBLE)
        finish(study, study.ask(SPACE.distributions), ENDINGS["gated"])
    for number in (1, 99):
        with pytest.raises(StudyError, match=f"trial {number} kept no model; only feasible trials"):
            folder.read_file(number, "model.tflite")
    for file in (folder.path / "artifacts").iterdir():
        file.unlink()
    with pytest.raises(StudyError, match="model.tflite of trial 0 is gone"):
        folder.read_file(0, "model.tflite")
    (kept,) = folder.load().get_trials()[0].user_attrs["files"].values()
    (folder.path / "artifacts" / kept).mkdir()
    with pytest.raises(StudyError, match="model.tflite of trial 0 cannot be read: Is a directory"):
        folder.read_file(0, "model.tflite")


def test_the_database_is_sound_and_keeps_a_write_ahead_log(folder):
    with folder.owned():
        study = create(folder)
        finish(study, study.ask(SPACE.distributions), FEASIBLE)
    connection = sqlite3.connect(folder.database)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    assert json.dumps(folder.record().about)


def test_commands_call_a_study_by_name_in_results_and_by_folder_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for results, argument in (
        (Path("results"), "words"),
        (Path("my studies"), "'my studies/words'"),
        (Path("."), "./words"),
    ):
        folder = StudyFolder(results, "words")
        with folder.owned():
            create(folder)
        assert folder.record().argument == argument
        named = shlex.split(argument)[0]
        assert StudyFolder.find(named, Path("results")).path.absolute() == folder.path.absolute()


def test_commands_name_a_storage_that_is_not_in_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = StudyFolder(Path("results"), "words", "sqlite:///all.db")
    with folder.owned():
        create(folder)
    assert folder.record().argument == "words --storage sqlite:///all.db"


def test_a_study_that_cannot_be_looked_for_is_told(tmp_path):
    with pytest.raises(StudyError, match="cannot be read: File name too long"):
        StudyFolder.find("words", tmp_path / ("x" * 300))
