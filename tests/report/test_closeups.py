from dataclasses import replace

from sweep.report.closeups import closeups
from sweep.report.tradeoff import feasible_front
from sweep.study.confirmation import Finalist
from sweep.study.table import table

from .made_up import again, make_record


def test_each_trial_on_the_front_is_looked_at_closely():
    record = make_record(300, seed=13)
    frame = table(record)
    looks = closeups(record, frame)
    assert set(looks) == set(feasible_front(record, frame)["trial"])
    for number, look in looks.items():
        evaluation = record.trials[number].evaluation
        assert look.variants[look.chosen][0] == evaluation.result.quantization
        assert len(look.accuracies) == 30
        assert sum(map(sum, look.confusion)) == evaluation.clips
        assert list(evaluation.mistakes[: len(look.mistakes)]) == look.mistakes
        assert len(look.mistakes) <= 12


def test_a_finalist_off_the_front_is_looked_at_closely_too():
    record = make_record(300, seed=13)
    frame = table(record)
    feasible = {t.number for t in record.trials if t.evaluation.outcome == "feasible"}
    beaten = min(feasible - set(feasible_front(record, frame)["trial"]))
    retrained = again(1, 0.98)
    one = Finalist(beaten, {"accuracy": 0.98}, (retrained,), 200, {"accuracy": 200})
    assert beaten in closeups(replace(record, finalists=(one,)), frame)


def test_nothing_feasible_gives_nothing_to_look_at():
    record = make_record(40, offset=-0.2)
    assert closeups(record, table(record)) == {}
