from dataclasses import dataclass

import pytest

from sweep import strict_json


@dataclass(frozen=True)
class Point:
    name: str
    values: tuple[float, ...] = ()


@pytest.mark.parametrize("record", [{"name": "a"}, {"name": "a", "values": [1, 2.5]}])
def test_what_fits_is_let_pass(record):
    strict_json.check(Point, record)


@pytest.mark.parametrize(
    "record",
    [{}, None, [], {"name": 1}, {"name": "a", "values": ["1"]}, {"name": "a", "values": [None]}],
)
def test_what_is_of_another_type_is_refused_and_not_converted(record):
    with pytest.raises(ValueError):
        strict_json.check(Point, record)


def test_the_values_of_what_fits_make_one():
    point = Point(**strict_json.values(Point, {"name": "a", "values": [1, 2.5]}))
    assert point == Point("a", (1, 2.5)) and hash(point)
    with pytest.raises(ValueError):
        strict_json.values(Point, {"name": 1})
