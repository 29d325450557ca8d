from sweep.study.health import Health


def test_a_worker_is_sick_that_fails_two_candidates_of_others():
    health = Health()
    assert [health.is_sick(worker) for worker in ("a", "b", "a")] == [False, False, True]


def test_a_worker_is_told_as_sick_once():
    health = Health()
    assert [health.is_sick("a") for _ in range(4)] == [False, True, False, False]


def test_a_nanny_may_replace_its_worker_once():
    health = Health()
    assert health.may_be_cured("nanny")
    assert not health.may_be_cured("nanny")
    assert health.may_be_cured("another")
