import pytest

from sweep.errors import StudyError
from sweep.study.reader import Studies
from sweep.study.samplers import make_sampler
from sweep.study.search import Search
from sweep.study.storage import StudyFolder

from .fake_workers import FakeWorkers, make_space


def search(folder: StudyFolder, trials: int, during=lambda progress: None) -> None:
    """Have a made-up search go on until it has that many trials."""
    space = make_space(trials=trials)
    with folder.owned():
        study = folder.create(space, make_sampler(space, "random", 3), {"fingerprint": "none"})
        Search(space, study, folder, FakeWorkers(space), listen=during).run()


def files_in(folder: StudyFolder) -> set[str]:
    return {path.name for path in folder.path.iterdir()}


def test_a_study_is_read_anew_only_when_a_trial_has_ended(folder):
    search(folder, 4)
    reader = Studies(folder.path.parent).study("study")
    first = reader.record()
    assert reader.record() is first
    search(folder, 7)
    assert reader.record().trials == folder.record().trials
    assert len(reader.record().trials) > len(first.trials)


def test_a_look_makes_no_file_and_is_up_to_date_while_the_search_writes(folder):
    search(folder, 3)
    at_rest = files_in(folder)
    reader = Studies(folder.path.parent).study("study")
    reader.record()
    assert files_in(folder) == at_rest
    seen = []

    def look(progress):
        before = files_in(folder)
        seen.append((len(reader.record().trials), progress.outcomes.total()))
        assert files_in(folder) == before

    search(folder, 8, look)
    assert seen[-1][0] >= 8 and all(read == told for read, told in seen)
    assert files_in(folder) == at_rest


def test_a_study_that_is_gone_is_named_and_one_made_anew_is_read(folder):
    search(folder, 4)
    reader = Studies(folder.path.parent).study("study")
    old = reader.record()
    for path in folder.path.glob("study.db*"):
        path.unlink()
    with pytest.raises(StudyError, match="no study at"):
        reader.record()
    anew = StudyFolder(folder.path.parent, "study")
    search(anew, 2)
    assert reader.record().trials == anew.record().trials != old.trials


def test_a_name_is_looked_up_and_never_made_a_path(folder, tmp_path):
    search(folder, 2)
    studies = Studies(folder.path.parent)
    assert studies.names() == ["study"]
    for name in ("../results/study", "..", "", "/etc", "study/../study"):
        with pytest.raises(StudyError, match="there is no study"):
            studies.study(name)
    assert Studies.find(str(folder.path), tmp_path / "elsewhere").names() == ["study"]
    with pytest.raises(StudyError, match="no study at"):
        Studies.find("none", folder.path.parent)


def test_studies_in_a_server_are_listed_and_read(tmp_path, postgresql):
    folder = StudyFolder(tmp_path, "served", postgresql)
    search(folder, 3)
    studies = Studies(tmp_path, postgresql)
    assert "served" in studies.names()
    assert studies.study("served").record().trials == folder.record().trials
    assert Studies(tmp_path, postgresql, only="served").names() == ["served"]
