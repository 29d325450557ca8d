import numpy as np
import pytest

from sweep.report.frame import trial_frame
from sweep.report.hypervolume import hypervolume
from sweep.report.progress import draw_progress, progress

from .made_up import make_record


def test_progress_agrees_with_brute_force():
    record = make_record(150, seed=7)
    found = progress(record, trial_frame(record))
    assert found.corner == {"accuracy": 0.97, "latency_ms": 0.6, "size_kb": 12.0}
    points = []
    for i, trial in enumerate(record.trials):
        if trial.evaluation.outcome == "feasible":
            result = trial.evaluation.result
            points.append(
                [(1 - result.accuracy) / 0.03, result.latency_ms / 0.6, result.size_kb / 12]
            )
        expected = hypervolume(np.array(points).reshape(-1, 3), np.ones(3))
        assert found.volume[i] == pytest.approx(expected)
        sizes = [12 * point[2] for point in points]
        assert found.best["size_kb"][i] == pytest.approx(min(sizes) if sizes else None)
        errors = [0.03 * point[0] for point in points]
        assert found.best["accuracy"][i] == pytest.approx(1 - min(errors) if errors else None)
    last = record.trials[-1].finished - record.trials[0].started
    assert found.minutes[-1] == pytest.approx(last.total_seconds() / 60, abs=1e-3)
    assert found.minutes == sorted(found.minutes)


@pytest.mark.parametrize("trials", [0, 1])
@pytest.mark.parametrize("over", ["trials", "minutes"])
def test_without_feasible_trials_there_is_nothing_to_draw_but_axes(trials, over):
    record = make_record(trials)
    found = progress(record, trial_frame(record))
    assert found.volume == [0.0] * trials
    assert set(found.best["size_kb"]) <= {None}
    assert len(draw_progress(found, over).data) == 4
