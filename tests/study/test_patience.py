from sweep.study.patience import Patience


def test_a_limit_that_is_given_stays():
    patience = Patience(90)
    for _ in range(5):
        patience.learn(1000)
    assert patience.limit_s == 90


def test_without_one_it_is_ten_times_the_longest_once_three_have_ended():
    patience = Patience()
    for seconds in (100, 300):
        patience.learn(seconds)
    assert patience.limit_s == 3 * 3600
    patience.learn(200)
    assert patience.limit_s == 3000
    patience.learn(400)
    assert patience.limit_s == 4000


def test_short_trials_leave_ten_minutes():
    patience = Patience()
    for _ in range(3):
        patience.learn(2)
    assert patience.limit_s == 600
