from dataclasses import replace

import numpy as np
import pytest

from sweep.errors import NothingFeasible
from sweep.study.records import StudyRecord
from sweep.study.select import expected_goals, select_contenders, select_finalists
from sweep.study.table import front, table

from ..report.fake_studies import SPACE, make_record, skill


@pytest.fixture
def record() -> StudyRecord:
    return make_record(150, seed=11)


def numbers(trials):
    return [trial.number for trial in trials]


def on_the_front(record):
    frame = table(record)
    return front(frame[frame["outcome"] == "feasible"], record.space.file.objectives)


class TestFinalists:
    @pytest.mark.parametrize("top", [1, 2, 3, 5])
    def test_are_spread_along_the_front_from_the_most_accurate(self, top):
        record = make_record(250, seed=12)
        best = on_the_front(record)
        chosen = select_finalists(record, top)
        accuracies = [trial.evaluation.result["accuracy"] for trial in chosen]
        assert len(best) > 5 and len(set(numbers(chosen))) == top
        assert set(numbers(chosen)) <= set(best["trial"])
        assert accuracies[0] == best["accuracy"].max()
        assert top == 1 or accuracies[-1] == best["accuracy"].min()
        assert accuracies == sorted(accuracies, reverse=True)

    def test_are_all_of_a_short_front_then_all_of_the_front_without_it(self, record):
        best = on_the_front(record)["trial"].tolist()
        rest = replace(record, trials=[t for t in record.trials if t.number not in best])
        second = on_the_front(rest)["trial"].tolist()
        chosen = numbers(select_finalists(record, len(best) + len(second)))
        assert sorted(chosen[: len(best)]) == sorted(best)
        assert sorted(chosen[len(best) :]) == sorted(second)

    def test_that_keep_the_limit_come_before_those_that_do_not(self, record):
        text = SPACE.replace("search:", "objectives: {accuracy: maximize}\nsearch:")
        space = make_record(1, seed=11, space=text).space
        feasible = select_finalists(record, 12)
        judged = {t.number: 0.985 - 0.001 * i for i, t in enumerate(feasible[:8])}
        judged |= {t.number: 0.95 for t in feasible[8:]}
        chosen = select_finalists(replace(record, space=space), 5, judged)
        assert numbers(chosen) == numbers(feasible[:5])

    def test_are_one_where_trials_measured_the_same(self, record):
        chosen = select_finalists(record, 1000)
        twins = [replace(trial, number=trial.number + 1000) for trial in record.trials]
        doubled = select_finalists(replace(record, trials=(*record.trials, *twins)), 1000)
        assert [trial.candidate for trial in doubled] == [trial.candidate for trial in chosen]

    def test_go_by_the_accuracies_they_are_judged_by(self, record):
        best = on_the_front(record)["trial"].tolist()
        judged = {best[0]: 0.95, best[1]: 0.99, best[2]: 0.93}
        assert numbers(select_finalists(record, 1, judged)) == [best[1]]
        assert set(numbers(select_finalists(record, 5, judged))) <= set(judged)

    def test_below_the_limit_only_fill_up(self, record):
        best = on_the_front(record).sort_values("size_kb")["trial"].tolist()
        judged = dict(zip(best[:4], (0.94, 0.96, 0.975, 0.98), strict=True))
        assert numbers(select_finalists(record, 2, judged)) == [best[3], best[2]]
        assert numbers(select_finalists(record, 3, judged)) == [best[3], best[2], best[1]]

    @pytest.mark.parametrize("costs", [["size_kb"], ["size_kb", "latency_ms"]])
    def test_are_accurate_though_accuracy_is_a_limit_only(self, costs):
        minimized = ", ".join(f"{cost}: minimize" for cost in costs)
        text = SPACE.replace("search:", f"objectives: {{{minimized}}}\nsearch:")
        record = make_record(150, seed=11, space=text)
        contenders = numbers(select_contenders(record, 12))
        assert len(contenders) == 12
        small = table(record).set_index("trial").loc[contenders].sort_values("size_kb").index
        judged = {int(n): 0.9 if i < 6 else 0.99 - 0.001 * i for i, n in enumerate(small)}
        chosen = numbers(select_finalists(record, 3, judged))
        assert judged[chosen[0]] == max(judged.values())
        assert chosen[0] == small[6]

    def test_are_none_where_nothing_is_feasible(self):
        with pytest.raises(NothingFeasible, match="no trial is feasible"):
            select_finalists(make_record(20, seed=11, offset=-0.5), 5)


class TestContenders:
    def test_go_on_behind_the_front(self, record):
        feasible = table(record)["outcome"].eq("feasible").sum()
        count = len(on_the_front(record)) + 5
        assert count < feasible
        chosen = numbers(select_contenders(record, count))
        assert len(chosen) == len(set(chosen)) == count

    def test_are_all_that_is_feasible_at_most(self, record):
        frame = table(record)
        chosen = numbers(select_contenders(record, 1000))
        assert sorted(chosen) == sorted(frame[frame["outcome"] == "feasible"]["trial"])

    def test_are_likelier_good_than_what_looked_best(self):
        gains = []
        for seed in range(8):
            record = make_record(250, seed=seed)
            looked = on_the_front(record).sort_values("accuracy", ascending=False)
            best = looked["trial"].tolist()[:5]
            expected = expected_goals(record)
            by_number = {trial.number: trial for trial in record.trials}
            likely = sorted(looked["trial"], key=lambda number: -expected[number])[:5]
            truth = [
                np.mean([skill(by_number[number].candidate) for number in some])
                for some in (likely, best)
            ]
            gains.append(truth[0] - truth[1])
        assert np.mean(gains) > 0


def test_what_is_expected_is_nearer_the_truth_than_what_was_heard():
    better = []
    for seed in range(5):
        record = make_record(250, seed=seed)
        expected = expected_goals(record)
        feasible = [trial for trial in record.trials if trial.evaluation.outcome == "feasible"]
        truth = np.array([skill(trial.candidate) for trial in feasible])
        heard = np.array([trial.evaluation.result["accuracy"] for trial in feasible])
        smooth = np.array([expected[trial.number] for trial in feasible])
        better.append(np.corrcoef(smooth, truth)[0, 1] - np.corrcoef(heard, truth)[0, 1])
    assert np.mean(better) > 0


def test_what_was_stopped_on_the_way_says_nothing_of_the_end(record):
    expected = expected_goals(record)
    halves = [
        replace(
            trial,
            number=trial.number + 1000,
            evaluation=replace(
                trial.evaluation,
                outcome="stopped",
                variants=tuple(
                    replace(v, metrics={"accuracy": 0.5}) for v in trial.evaluation.variants
                ),
            ),
        )
        for trial in record.trials
    ]
    assert expected_goals(replace(record, trials=(*record.trials, *halves))) == expected


def test_of_a_few_trials_nothing_is_expected():
    assert expected_goals(make_record(5, seed=1)) == {}
