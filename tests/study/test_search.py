import time
from collections import Counter
from dataclasses import replace

import optuna
import pytest
from optuna.trial import TrialState

from sweep.errors import ManyFailures, SweepError
from sweep.evaluation import Evaluation
from sweep.limits import violations
from sweep.space import Space
from sweep.study.progress import SearchProgress
from sweep.study.records import TrialRecord
from sweep.study.samplers import make_sampler
from sweep.study.search import Search
from sweep.study.storage import StudyFolder
from sweep.study.table import best_candidates

from .fake_workers import FINITE, SPACE, FakeWorkers, evaluate, make_space

ABOUT = {"fingerprint": "abc"}
SAMPLERS = ("ehvi", "tpe", "nsga2", "random", "greedy")


def search(
    folder: StudyFolder, space: Space, workers: FakeWorkers | None = None, **options
) -> tuple[FakeWorkers, SearchProgress]:
    """Run a study as far as its budget goes."""
    workers = workers or FakeWorkers(space)
    with folder.owned():
        sampler = make_sampler(space, space.file.search.sampler, space.file.search.seed)
        study = folder.create(space, sampler, ABOUT)
        found = Search(space, study, folder, workers, **options)
        found.run()
    return workers, found.progress


def keys(workers: FakeWorkers) -> list[str]:
    """Return the keys of what was evaluated, in order."""
    return [candidate.key() for candidate in workers.submitted.values()]


class Killed(BaseException):
    """The coordinator dies here."""


class Dying(FakeWorkers):
    """Workers whose coordinator dies when it waits for the n-th time."""

    def __init__(self, space: Space, after: int) -> None:
        super().__init__(space)
        self.left = after

    def wait(self, timeout: float):
        self.left -= 1
        if self.left < 0:
            raise Killed
        return super().wait(timeout)


def hasty(workers: FakeWorkers) -> FakeWorkers:
    """Let workers stop every training that they are given a rule for."""
    wait = workers.wait

    def stop(timeout: float):
        ended = wait(timeout)
        result = ended.evaluation.result
        if not workers.rules[ended.number] or result["accuracy"] is None:
            return ended
        known = {**result.metrics, "accuracy": result["accuracy"] / 2}
        early = replace(result, metrics=known, violations=violations(workers.limits, known))
        stopped = replace(ended.evaluation, outcome="stopped", reason="slow", variants=(early,))
        return replace(ended, evaluation=stopped, files={})

    workers.wait = stop
    return workers


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_spends_its_budget_and_evaluates_nothing_twice(folder, sampler):
    workers, progress = search(folder, make_space(sampler=sampler, trials=15))
    assert len(workers.submitted) == progress.done == 15
    assert len(set(keys(workers))) == 15
    funnel = folder.record().funnel()
    assert sum(funnel.values()) - funnel["invalid"] == 15
    assert {name: n for name, n in funnel.items() if n} == dict(progress.outcomes)


def test_what_is_not_allowed_costs_nothing_of_the_budget(folder):
    workers, progress = search(folder, make_space(trials=15))
    assert progress.outcomes["invalid"] > 0
    invalid = [t for t in folder.record().trials if t.evaluation.outcome == "invalid"]
    assert len(invalid) == progress.outcomes["invalid"]
    assert {trial.number for trial in invalid}.isdisjoint(workers.submitted)
    assert all("more than num_mel_bins" in trial.evaluation.reason for trial in invalid)


def test_no_more_is_submitted_than_the_workers_can_take(folder):
    workers, _ = search(folder, make_space(), FakeWorkers(make_space(), capacity=3))
    assert workers.most_busy == 3


def test_the_same_seed_evaluates_the_same(tmp_path):
    runs = [
        keys(
            search(
                StudyFolder(tmp_path, f"study{i}"),
                make_space(sampler="tpe", trials=14, seed=seed),
                FakeWorkers(make_space(), capacity=1),
            )[0]
        )
        for i, seed in enumerate((1, 1, 2))
    ]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@pytest.mark.parametrize("sampler", [*SAMPLERS, "grid"])
def test_a_finite_space_is_evaluated_to_its_end(folder, sampler):
    space = make_space(FINITE, sampler=sampler)
    workers, progress = search(folder, space)
    assert progress.done == len(workers.submitted) == len(list(space.combinations())) == 9
    again, _ = search(folder, space)
    assert again.submitted == {}


def test_candidates_that_train_the_same_network_are_evaluated_once(folder):
    text = "dataset: {labels: [a, b]}\nparameters: {filters: [64, 128], alpha: [0.5, 1.0]}\n"
    workers, _ = search(folder, make_space(text + "search: {sampler: grid, trials: 9}"))
    assert sorted(c.network.width for c in workers.submitted.values()) == [32, 64, 128]


def test_a_larger_budget_goes_on_where_the_study_stands(folder):
    first, _ = search(folder, make_space(trials=6))
    second, progress = search(folder, make_space(trials=10))
    assert len(first.submitted) == 6
    assert len(second.submitted) == 4
    assert progress.done == 10
    assert set(keys(first)).isdisjoint(keys(second))


def test_a_budget_that_is_spent_asks_for_nothing(folder):
    search(folder, make_space(trials=6))
    workers, progress = search(folder, make_space(trials=6))
    assert workers.submitted == {}
    assert progress.done == 6
    assert progress.ended == "the budget of 6 was spent before; --trials raises it"


@pytest.mark.parametrize("after", [0, 1, 5])
def test_what_was_running_when_the_coordinator_died_is_run_again(folder, after):
    space = make_space(trials=8)
    dying = Dying(space, after)
    with pytest.raises(Killed):
        search(folder, space, dying)
    workers, progress = search(folder, space)
    unanswered = list(dying.submitted.values())[after:]
    assert len(unanswered) == 2
    assert list(workers.submitted.values())[:2] == unanswered
    assert progress.done == 8
    assert len(set(keys(dying)[:after] + keys(workers))) == 8
    assert len({trial.candidate.key() for trial in folder.record().trials} & set(keys(workers)))
    assert not [t for t in folder.load().get_trials() if t.state == TrialState.RUNNING]


def test_three_deaths_leave_the_budget_and_the_trials_right(folder):
    space = make_space(trials=10)
    for after in (3, 0, 2):
        with pytest.raises(Killed):
            search(folder, space, Dying(space, after))
    _, progress = search(folder, space)
    evaluated = [t for t in folder.record().trials if t.evaluation.outcome != "invalid"]
    assert progress.done == len(evaluated) == 10
    assert len({trial.candidate.key() for trial in evaluated}) == 10


def test_a_result_that_was_stored_but_not_told_is_told_and_not_measured_again(folder, monkeypatch):
    space = make_space(FINITE, trials=9)
    with monkeypatch.context() as patch:

        def die(*args, **options):
            raise Killed

        patch.setattr(optuna.storages.RDBStorage, "set_trial_state_values", die)
        with pytest.raises(Killed):
            # The first trial of the grid is allowed, so it is the first to be told.
            search(folder, make_space(FINITE, trials=9, sampler="grid"), FakeWorkers(space, 1))
    workers, progress = search(folder, space)
    (stored,) = [trial for trial in folder.record().trials if trial.number == 0]
    assert stored.candidate.key() not in keys(workers)
    assert progress.done == 9
    assert len(workers.submitted) == 8
    assert folder.record().funnel()["feasible"] == progress.outcomes["feasible"]


def test_a_trial_cut_short_while_it_was_asked_for_is_dropped(folder):
    space = make_space(trials=4)
    with folder.owned():
        study = folder.create(space, optuna.samplers.RandomSampler(seed=9), ABOUT)
        study.ask({"alpha": space.distributions["alpha"]})
    workers, progress = search(folder, space)
    assert 0 not in workers.submitted
    assert progress.done == 4
    assert folder.load().get_trials()[0].state == TrialState.FAIL


def test_enqueued_combinations_come_first_and_once(folder):
    enqueue = "enqueue: [{alpha: 0.25}, {alpha: 0.2, num_mel_bins: 30, num_coefficients: 8}]"
    space = make_space(SPACE.replace("trials: 12", f"trials: 5, {enqueue}"))
    with pytest.raises(Killed):
        search(folder, space, Dying(space, 1))
    workers, _ = search(folder, space)
    record = folder.record()
    assert record.trials[0].candidate.network.alpha == 0.25
    assert record.trials[1].candidate.frontend.num_mel_bins == 30
    assert [t.candidate.network.alpha for t in record.trials].count(0.25) == 1
    assert [t.candidate.network.alpha for t in record.trials].count(0.2) == 1


def test_what_is_enqueued_in_part_is_completed_to_something_allowed(folder):
    some = ", ".join("{alpha: 0.%d, num_coefficients: 20}" % alpha for alpha in range(20, 32))
    space = make_space(SPACE.replace("trials: 12", f"trials: 12, enqueue: [{some}]"))
    workers, progress = search(folder, space)
    assert {candidate.frontend.num_coefficients for candidate in workers.submitted.values()} == {20}
    assert progress.outcomes["invalid"] == 0 and len(workers.submitted) == 12


def test_what_was_enqueued_and_failed_is_tried_again_by_the_next_run(folder):
    def fail(candidate, limits):
        if candidate.network.alpha == 0.25:
            return Evaluation("failed", "out of memory")
        return evaluate(candidate, limits)

    space = make_space(SPACE.replace("trials: 12", "trials: 3, enqueue: [{alpha: 0.25}]"))
    search(folder, space, FakeWorkers(space, work=fail))
    workers, _ = search(folder, space)
    assert [candidate.network.alpha for candidate in workers.submitted.values()] == [0.25]


def test_a_search_among_rare_combinations_does_not_claim_to_have_tried_them_all(folder):
    every = "{low: 8, high: 57}"
    text = f"""
dataset: {{labels: [stop, go]}}
parameters: {{num_mel_bins: {every}, num_coefficients: {every}, blocks: {{low: 1, high: 8}},
  batch_size: {every}}}
require: [num_coefficients == num_mel_bins, batch_size == num_mel_bins]
limits: {{size_kb: "< 25"}}
search: {{sampler: random, trials: 8, seed: 3}}
"""
    workers, progress = search(folder, make_space(text))
    assert len(workers.submitted) == 8 and progress.ended == ""


def test_a_goal_that_is_reached_ends_the_search(folder):
    space = make_space(trials=500, goal={"size_kb": 5.0})
    workers, progress = search(folder, space)
    assert progress.done < 500
    assert min(t.evaluation.result["size_kb"] for t in feasible(folder)) <= 5.0
    assert sum(t.evaluation.result["size_kb"] <= 5.0 for t in feasible(folder)) <= workers.capacity


def test_a_goal_in_two_metrics_is_for_one_trial_to_reach(folder):
    space = make_space(trials=60, goal={"size_kb": 5.0, "accuracy": 0.97})
    _, progress = search(folder, space)
    assert progress.done == 60
    assert progress.best["accuracy"] >= 0.97 and progress.best["size_kb"] <= 5.0


def test_patience_ends_a_search_whose_front_stays_as_it_is(folder):
    space = make_space(trials=500, patience=10)
    _, progress = search(folder, space)
    assert 10 <= progress.done < 500
    best = best_numbers(folder)
    last = [t.number in best for t in folder.record().trials if counted(t)][-10:]
    assert not any(last)


def test_patience_begins_with_a_front(folder):
    def wait_for_the_front(candidate, limits):
        seen.append(evaluate(candidate, limits))
        early = len(seen) <= 20 and seen[-1].outcome == "feasible"
        return replace(seen[-1], outcome="infeasible") if early else seen[-1]

    seen: list[Evaluation] = []
    space = make_space(trials=40, patience=10)
    search(folder, space, FakeWorkers(space, work=wait_for_the_front))
    assert feasible(folder)


def test_a_warm_start_tries_the_front_of_another_study_first(folder, tmp_path):
    search(folder, make_space(trials=40))
    known = best_candidates(folder.record())
    narrower = make_space(
        SPACE.replace("num_mel_bins: {low: 10, high: 30", "num_mel_bins: {low: 20, high: 30")
    )
    space = narrower.beginning_with(known)
    other = StudyFolder(tmp_path, "other")
    search(other, space)
    first = [trial.candidate for trial in other.record().trials][: len(known)]
    assert {c.network.alpha for c in first} <= {c.network.alpha for c in known}
    assert all(c.frontend.num_mel_bins >= 20 for c in first)


def feasible(folder: StudyFolder) -> list[TrialRecord]:
    return [t for t in folder.record().trials if t.evaluation.outcome == "feasible"]


def counted(trial: TrialRecord) -> bool:
    return trial.evaluation.outcome != "invalid"


def best_numbers(folder: StudyFolder) -> set[int]:
    best = {candidate.key() for candidate in best_candidates(folder.record())}
    return {t.number for t in folder.record().trials if t.candidate.key() in best}


def test_models_of_feasible_trials_are_kept_and_of_no_others(folder):
    _, progress = search(folder, make_space(trials=12))
    assert progress.outcomes["feasible"] > 0
    for trial in folder.record().trials:
        if trial.evaluation.outcome == "feasible":
            content = b"model of %d" % trial.number
            assert folder.read_file(trial.number, "model.tflite") == content
    kept = [f for f in (folder.path / "artifacts").iterdir() if f.is_file()]
    assert len(kept) == progress.outcomes["feasible"]


def test_a_failed_trial_counts_and_the_search_goes_on(folder):
    def fail_sometimes(candidate, limits):
        if candidate.frontend.frame_length_in_s == 0.016:
            return Evaluation("failed", "killed its worker 2 times")
        return evaluate(candidate, limits)

    space = make_space(trials=12)
    workers, progress = search(folder, space, FakeWorkers(space, work=fail_sometimes))
    assert progress.done == len(workers.submitted) == 12
    assert 0 < progress.outcomes["failed"] < 12
    failed = [t for t in folder.record().trials if t.evaluation.outcome == "failed"]
    assert {t.evaluation.reason for t in failed} == {"killed its worker 2 times"}


def test_what_failed_is_tried_again_by_the_next_run(folder):
    def fail_sometimes(candidate, limits):
        if candidate.frontend.num_mel_bins == 10:
            return Evaluation("failed", "out of memory")
        return evaluate(candidate, limits)

    space = make_space(FINITE)
    first, progress = search(folder, space, FakeWorkers(space, work=fail_sometimes))
    assert len(first.submitted) == 9
    failed = {c.key() for c in first.submitted.values() if c.frontend.num_mel_bins == 10}
    assert progress.outcomes["failed"] == len(failed) > 0
    again, progress = search(folder, space)
    assert set(keys(again)) == failed
    assert progress.outcomes["failed"] == 0
    assert progress.done == 9


def test_where_everything_fails_the_budget_is_not_wasted(folder):
    def fail(candidate, limits):
        return Evaluation("failed", "out of memory")

    space = make_space(trials=40)
    workers = FakeWorkers(space, work=fail)
    with pytest.raises(ManyFailures, match="the first 8 trials failed: out of memory"):
        search(folder, space, workers)
    assert len(workers.submitted) < 12
    workers, progress = search(folder, space)
    assert progress.done == 40


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        (FINITE, {}, "every combination has been tried"),
        (SPACE, {"timeout_s": 0.0}, "time is up"),
        (SPACE.replace("trials: 12", "trials: 50, goal: {size_kb: 24}"), {}, "the goal is reached"),
        (
            SPACE.replace("trials: 12", "trials: 500, patience: 5"),
            {},
            "the front has not changed for 5 trials",
        ),
        (SPACE, {}, ""),
    ],
)
def test_a_search_says_why_it_ended_early(folder, text, options, reason):
    told = []
    space = make_space(text)
    _, progress = search(folder, space, listen=lambda now: told.append(now.ended), **options)
    assert progress.ended == reason
    assert told[-1] == reason and not any(told[:-1])


def test_an_error_the_user_must_mend_ends_the_search_and_loses_nothing(folder):
    def fill_the_disk(candidate, limits):
        raise SweepError("cache: No space left on device")

    space = make_space(trials=6)
    with pytest.raises(SweepError, match="No space left on device"):
        search(folder, space, FakeWorkers(space, work=fill_the_disk))
    _, progress = search(folder, space)
    assert progress.done == 6


def test_after_the_timeout_nothing_more_is_begun(folder):
    workers, progress = search(folder, make_space(), timeout_s=0.0)
    assert workers.submitted == {}
    assert progress.done == 0
    unhurried, _ = search(folder, make_space(), timeout_s=3600.0)
    assert len(unhurried.submitted) == 12


class Endless(FakeWorkers):
    """Workers that never answer."""

    def wait(self, timeout: float):
        time.sleep(0.01)


@pytest.mark.parametrize("trials", [2, 12])
def test_the_timeout_ends_what_runs_and_the_next_run_takes_it_up(folder, trials):
    space = make_space(trials=trials)
    cut, progress = search(folder, space, Endless(space), timeout_s=0.1)
    assert progress.ended == f"time is up; interrupted trials: {cut.busy}" and progress.done == 0
    again, progress = search(folder, space)
    assert progress.done == trials
    assert keys(again)[: cut.busy] == keys(cut)


def test_progress_is_told_as_it_happens(folder):
    seen = []
    space = make_space(trials=8)

    def listen(progress: SearchProgress) -> None:
        seen.append((progress.done, progress.running, progress.finished_now, dict(progress.best)))

    _, progress = search(folder, space, listen=listen)
    assert [done for done, *_ in seen] == [finished for _, _, finished, _ in seen]
    assert [done for done, *_ in seen] == sorted(done for done, *_ in seen)
    assert seen[-1][:2] == (8, 0)
    feasible = [t.evaluation.result for t in folder.record().trials if not t.evaluation.reason]
    assert progress.best["size_kb"] == min(result["size_kb"] for result in feasible)
    assert progress.best["accuracy"] == max(result["accuracy"] for result in feasible)


class TestBeforeNothingIsFeasible:
    """The stopped trials that came nearest are trained to the end."""

    text = FINITE.replace("[0.25, 0.5, 1.0]", "[0.15, 0.2, 0.25]")
    space = make_space(text)

    @pytest.mark.parametrize("sampler", ["random", "grid", "ehvi"])
    def test_the_nearest_are_trained_to_their_ends(self, folder, sampler):
        space = make_space(self.text, sampler=sampler)
        workers, progress = search(folder, space, hasty(FakeWorkers(space)))
        stopped = [t for t in folder.record().trials if t.evaluation.outcome == "stopped"]
        assert len(stopped) > 3
        stopped.sort(key=lambda trial: (-trial.evaluation.result["accuracy"], trial.number))
        assert keys(workers)[9:] == [trial.candidate.key() for trial in stopped[:3]]
        assert progress.outcomes["feasible"] == 3
        assert progress.ended == (
            "every combination has been tried; nothing was feasible, so of the stopped trials the"
            " nearest 3 were trained to the end: 3 feasible"
        )

    def test_they_are_not_of_the_budget(self, folder):
        seen = []

        def listen(progress: SearchProgress) -> None:
            seen.append((progress.done, progress.repeats, progress.repeating))

        space = make_space(self.text, trials=5)
        workers, progress = search(folder, space, hasty(FakeWorkers(space)), listen=listen)
        assert len(workers.submitted) == 8 and progress.outcomes["stopped"] == 5
        assert seen[-1] == (5, 3, 3) and (5, 0, 0) in seen
        again, progress = search(folder, make_space(self.text, trials=7))
        assert len(again.submitted) == 2 and progress.done == 7

    def test_their_models_are_kept(self, folder):
        search(folder, self.space, hasty(FakeWorkers(self.space)))
        for trial in feasible(folder):
            assert folder.read_file(trial.number, "model.tflite") == b"model of %d" % trial.number

    def test_none_is_where_anything_is_feasible(self, folder):
        lucky = FakeWorkers(self.space)
        submit = lucky.submit
        lucky.submit = lambda number, candidate, rules: submit(
            number, candidate, rules if number else ()
        )
        workers, progress = search(folder, self.space, hasty(lucky))
        assert progress.outcomes["stopped"] and progress.outcomes["feasible"] == 1
        assert len(workers.submitted) == 9

    def test_none_is_where_nothing_was_stopped(self, folder):
        def fall_short(candidate, limits):
            return replace(evaluate(candidate, limits), outcome="infeasible")

        workers, progress = search(folder, self.space, FakeWorkers(self.space, work=fall_short))
        assert len(workers.submitted) == 9 and progress.repeating == 0

    def test_none_is_trained_twice_by_another_run(self, folder):
        def fall_short(candidate, limits):
            return replace(evaluate(candidate, limits), outcome="infeasible")

        _, progress = search(folder, self.space, hasty(FakeWorkers(self.space, work=fall_short)))
        assert progress.outcomes["infeasible"] == 3 and progress.outcomes["feasible"] == 0
        again, _ = search(folder, self.space, hasty(FakeWorkers(self.space, work=fall_short)))
        assert again.submitted == {}

    @pytest.mark.parametrize("after", [9, 10, 11])
    def test_what_a_dying_coordinator_had_begun_is_trained_once(self, folder, after):
        dying = Dying(self.space, after)
        with pytest.raises(Killed):
            search(folder, self.space, hasty(dying))
        workers, progress = search(folder, self.space, hasty(FakeWorkers(self.space)))
        assert keys(workers) == keys(dying)[after:]
        assert progress.outcomes["feasible"] == progress.repeats == 3
        assert progress.done == 9
        assert not [t for t in folder.load().get_trials() if t.state == TrialState.RUNNING]

    def test_one_that_failed_is_tried_again_by_another_run_only(self, folder):
        workers = FakeWorkers(self.space)
        workers.work = lambda candidate, limits: (
            evaluate(candidate, limits)
            if len(workers.submitted) <= 9
            else Evaluation("failed", "out of memory")
        )
        _, progress = search(folder, self.space, hasty(workers))
        assert progress.outcomes["failed"] == 3 and len(workers.submitted) == 12
        again, progress = search(folder, self.space, hasty(FakeWorkers(self.space)))
        assert keys(again) == keys(workers)[9:]
        assert progress.outcomes["feasible"] == 3


@pytest.mark.parametrize("sampler", ["random", "ehvi"])
def test_with_promotion_nothing_is_trained_long_that_was_not_trained_short(folder, sampler):
    text = FINITE.replace("alpha:", "epochs: [5, 15, 45], alpha:")
    space = make_space(text, sampler=sampler, trials=30, promotion=True)
    workers, _ = search(folder, space)
    trained: dict[str, list[int]] = {}
    for candidate in workers.submitted.values():
        epochs = candidate.training.epochs
        same = replace(candidate, training=replace(candidate.training, epochs=1)).key()
        trained.setdefault(same, []).append(epochs)
    assert any(len(epochs) > 1 for epochs in trained.values())
    assert all(epochs == [5, 15, 45][: len(epochs)] for epochs in trained.values())


@pytest.mark.parametrize("capacity", [1, 2, 4])
def test_with_promotion_the_last_answers_may_earn_promotions_too(folder, capacity):
    text = FINITE.replace("[10, 13]", "[10]").replace("alpha:", "epochs: [5, 15, 45], alpha:")
    text = text.replace("[10, 20]", "[10, 20, 30]").replace(', size_kb: "< 25"', "")
    space = make_space(text, trials=100, promotion=True)
    workers, progress = search(folder, space, FakeWorkers(space, capacity=capacity))
    epochs = Counter(candidate.training.epochs for candidate in workers.submitted.values())
    assert epochs == {5: 9, 15: 3, 45: 1}
    assert progress.ended == "every combination has been tried"


@pytest.mark.parametrize("sampler", ["random", "tpe", "nsga2", "ehvi"])
def test_no_step_of_a_range_is_trained_twice(folder, sampler):
    text = FINITE.replace(
        "alpha: [0.25, 0.5, 1.0]", "final_sparsity: {low: 0.0, high: 0.7, step: 0.05}"
    )
    space = make_space(text, sampler=sampler, trials=40)
    workers, _ = search(folder, space)
    steps = {round(c.compression.final_sparsity / 0.05, 9) for c in workers.submitted.values()}
    assert len(set(keys(workers))) == len(keys(workers))
    assert all(step == int(step) for step in steps)
    assert all(
        c.compression.final_sparsity == round(c.compression.final_sparsity, 12)
        for c in workers.submitted.values()
    )
