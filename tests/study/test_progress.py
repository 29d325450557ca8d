from sweep.study.progress import SearchProgress


def test_time_left_follows_from_the_pace_of_this_run():
    progress = SearchProgress(budget=10, objectives={})
    assert progress.seconds_left is None
    progress.outcomes.update({"gated": 4, "invalid": 3})
    progress.finished_now, progress.seconds = 2, 8.0
    assert progress.done == 4
    assert progress.seconds_left == 24.0


def test_time_is_up_when_the_budget_or_the_timeout_is_spent():
    progress = SearchProgress(budget=10, objectives={}, timeout_s=20.0)
    assert progress.seconds_left == 20.0
    progress.outcomes.update({"gated": 4})
    progress.finished_now, progress.seconds = 2, 8.0
    assert progress.seconds_left == 12.0
    progress.seconds = 30.0
    assert progress.seconds_left == 0.0
