from dataclasses import dataclass

import pytest

from sweep.parameters import defaults, domains, parameter


@dataclass(frozen=True)
class Declared:
    width: float = parameter(1.0, low=0.25, high=4, log=True, meaning="multiplies all channels")
    blocks: int = parameter(2, low=0, meaning="blocks")
    norm: str = parameter("batch", choices=("batch", "none"), meaning="which norm")
    label: str = parameter("go", meaning="a word")
    residual: bool = parameter(True, meaning="whether blocks add their input")
    noise_db: float | None = parameter(None, low=-20, high=60, meaning="noise; null adds none")
    variants: tuple[str, ...] = parameter(("a",), choices=("a", "b"), meaning="what is made")


def build(
    shape: tuple[int, int],
    labels: int,
    width: float = parameter(1.0, low=0.25, high=4, log=True, meaning="multiplies all channels"),
    depth=3,
):
    """Stand for what builds a network."""


def test_a_field_says_default_domain_and_meaning_at_once():
    assert Declared().width == 1.0
    assert defaults(Declared) == vars(Declared())
    found = domains(Declared)
    assert list(found) == list(vars(Declared()))
    width = found["width"]
    assert (width.kind, width.low, width.high, width.log) == (float, 0.25, 4, True)
    assert width.meaning == "multiplies all channels"
    assert not width.optional and found["noise_db"].optional
    assert {name: domain.kind for name, domain in found.items()} == {
        "width": float,
        "blocks": int,
        "norm": str,
        "label": str,
        "residual": bool,
        "noise_db": float,
        "variants": str,
    }


def test_an_argument_of_a_function_is_declared_in_the_same_way():
    assert defaults(build) == {"width": 1.0, "depth": 3}
    found = domains(build)
    assert found["width"] == domains(Declared)["width"]
    assert (found["depth"].kind, found["depth"].low, found["depth"].meaning) == (int, None, "")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("width", "0.25 to 4"),
        ("blocks", "0 to inf, whole"),
        ("norm", "batch, none"),
        ("label", "a text"),
        ("residual", "true, false"),
        ("noise_db", "-20 to 60, or null"),
        ("variants", "a, b"),
    ],
)
def test_a_domain_says_in_words_what_a_parameter_may_be(name, values):
    assert domains(Declared)[name].values == values


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("width", 5, "5 is outside 0.25 to 4"),
        ("width", "1e-1", "'1e-1' is not a number; write 0.1"),
        ("blocks", -1, "-1 is outside 0 to inf"),
        ("blocks", 10**400, f"{10**400} is not a whole number"),
        ("norm", "layer", "'layer' is not one of batch, none"),
        ("norm", 1, "1 is not one of batch, none"),
        ("label", 1, "1 is not a text"),
        ("residual", 1, "1 is not true or false"),
        ("noise_db", "none", "'none' is not a number"),
    ],
)
def test_a_domain_says_what_is_wrong_with_a_value(name, value, problem):
    assert domains(Declared)[name].problem(value) == problem


@pytest.mark.parametrize(
    ("name", "value"),
    [("width", 4), ("blocks", 10**6), ("norm", "none"), ("label", ""), ("noise_db", None)],
)
def test_a_domain_accepts_its_values_and_both_ends(name, value):
    assert domains(Declared)[name].problem(value) is None


def test_a_default_outside_its_own_domain_is_refused():
    @dataclass(frozen=True)
    class Wrong:
        width: float = parameter(8.0, low=0.25, high=4, meaning="multiplies all channels")

    with pytest.raises(ValueError, match=r"Wrong.width: its default 8 is outside 0.25 to 4"):
        domains(Wrong)


def test_a_type_that_no_search_space_can_write_is_refused():
    def build(shape, labels, widths: list[int] = parameter((8, 16), meaning="channels")):
        """Stand for what builds a network."""

    with pytest.raises(TypeError, match=r"build.widths: a parameter is bool, int, float or str"):
        domains(build)
