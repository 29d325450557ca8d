"""The search-space file as written: its keys and their types."""

import re
import shlex
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from sweep import registry, strict_yaml
from sweep.c.cores import CoreName
from sweep.dataset_section import DatasetSection, Section, dataset_keys, dataset_section
from sweep.errors import SpecError, nearest
from sweep.latency import FILE
from sweep.spec_problems import first_problem

BUILT_IN = Path(__file__).parent / "search_spaces"
"""The folder of the search spaces that come with the package."""

Scalar = bool | int | float | str | None


class Range(Section):
    """An interval, both ends included; of whole numbers where the parameter is one."""

    low: int | float
    high: int | float
    step: int | float | None = None
    log: bool = False

    @pydantic.model_validator(mode="after")
    def _makes_sense(self) -> "Range":
        if self.low > self.high:
            raise ValueError(f"low ({self.low:g}) is above high ({self.high:g})")
        if self.step is not None and self.step <= 0:
            raise ValueError(f"step ({self.step:g}) must be above 0")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("log needs low above 0 and no step")
        return self


class SearchSection(Section):
    """How to search, and for how long.

    ``enqueue`` are combinations to begin with; a feasible trial that reaches every value of
    ``goal`` ends the search, and so do ``patience`` trials in a row that leave the front, once
    there is one, as it is.
    With ``promotion`` every combination begins with the fewest ``epochs`` of the space, and the
    best third is trained again with the next more.
    With ``folds`` accuracies are cross-validated: counted over so many folds of the speakers of
    training and validation, each answered by a network trained without it.
    ``timeout`` ends the search and the trials that run then. ``trial_timeout`` ends a trial; by
    default ten times the longest trial so far.
    """

    sampler: str = "ehvi"
    trials: Annotated[int, pydantic.Field(ge=1)] = 100
    timeout: str | None = None
    trial_timeout: str | None = None
    seed: Annotated[int, pydantic.Field(ge=0, lt=2**31)] = 42
    enqueue: list[dict[str, Scalar]] = []
    goal: dict[str, float] = {}
    patience: Annotated[int, pydantic.Field(ge=1)] | None = None
    promotion: bool = False
    folds: Annotated[int, pydantic.Field(ge=0)] = 0

    @pydantic.field_validator("folds")
    @classmethod
    def _leaves_somebody(cls, folds: int) -> int:
        if folds == 1:
            raise ValueError("1 leaves nobody to train on; write 2 or more, or 0 for none")
        return folds

    @pydantic.field_validator("sampler")
    @classmethod
    def _is_sampler(cls, sampler: str) -> str:
        known = registry.names("sampler")
        if sampler not in known and ":" not in sampler:
            raise ValueError(f"{sampler!r} is no sampler, nor module:Name{nearest(sampler, known)}")
        return sampler

    @pydantic.field_validator("timeout", "trial_timeout")
    @classmethod
    def _is_duration(cls, timeout: str | None) -> str | None:
        if timeout is not None:
            duration_in_s(timeout)
        return timeout


class LatencySection(Section):
    """A command that takes latencies on a device, instead of this machine.

    ``{model}`` in it is the path of a ``.tflite``, of the front end or of the network; its last
    line is the median of milliseconds, and their spread if it knows one.
    """

    command: Annotated[str, pydantic.Field(json_schema_extra={"pattern": re.escape(FILE)})]
    timeout: str = "1m"

    @pydantic.field_validator("command")
    @classmethod
    def _names_the_file(cls, command: str) -> str:
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise ValueError(f"{command!r} cannot be split into words: {error}") from error
        if not any(FILE in word for word in words):
            raise ValueError(f"{command!r} has no {FILE}, the path of the file that it runs")
        return command

    @pydantic.field_validator("timeout")
    @classmethod
    def _is_duration(cls, timeout: str) -> str:
        duration_in_s(timeout)
        return timeout


class SpaceFile(Section):
    """One search-space file."""

    dataset: Annotated[
        pydantic.SerializeAsAny[DatasetSection], pydantic.BeforeValidator(dataset_section)
    ]
    parameters: dict[str, Range | list[Scalar] | Scalar] = {}
    require: list[str] = []
    metrics: list[str] = []
    target: CoreName | None = None
    clock_mhz: Annotated[float, pydantic.Field(gt=0, le=5000)] | None = None
    latency: LatencySection | None = None
    limits: dict[str, str] = {"accuracy": ">= 0.97", "latency_ms": "<= 8", "size_kb": "< 25"}
    objectives: Annotated[
        dict[str, Literal["maximize", "minimize"]], pydantic.Field(min_length=1)
    ] = {"accuracy": "maximize", "latency_ms": "minimize", "size_kb": "minimize"}
    search: SearchSection = SearchSection()


def find(name: Path | str) -> Path:
    """Return the search-space file of that path, or the built-in one of that name.

    Raises:
        SpecError: if there is neither.
    """
    path, built_in = Path(name), {file.stem: file for file in BUILT_IN.glob("*.yaml")}
    if path.is_file() or path.suffix or len(path.parts) > 1:
        return path
    if path.name not in built_in:
        hint = nearest(path.name, sorted(built_in))
        raise SpecError(f"{name}: neither a file nor a built-in search space{hint}")
    return built_in[path.name]


def read(path: Path) -> SpaceFile:
    """Read a search-space file.

    Raises:
        SpecError: if it cannot be read or its keys and types are wrong.
    """
    return parse(strict_yaml.read_text(path), str(path))


def parse(text: str, origin: str) -> SpaceFile:
    """Read the text of a search-space file; ``origin`` is its name in messages.

    Raises:
        SpecError: naming origin and key.
    """
    content = strict_yaml.load(text, origin)
    if not isinstance(content, dict):
        raise SpecError(f"{origin}: expected the keys {', '.join(SpaceFile.model_fields)}")
    try:
        return SpaceFile.model_validate(content)
    except pydantic.ValidationError as error:
        raise SpecError(
            f"{origin}: {first_problem(error, content, partial(_keys, content))}"
        ) from error


def search_section(values: dict[str, Any]) -> SearchSection:
    """Return a search section with values from the options of a command.

    Raises:
        SpecError: naming the option.
    """
    try:
        return SearchSection.model_validate(values)
    except pydantic.ValidationError as error:
        raise SpecError(
            f"--{first_problem(error, values, lambda _: SearchSection.model_fields)}"
        ) from error


def duration_in_s(text: str) -> float:
    """Return the seconds of ``90s``, ``30m``, ``2h`` or ``1h30m``.

    Raises:
        ValueError: if the text is anything else.
    """
    match = re.fullmatch(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", text.strip())
    if not match or not any(match.groups()):
        raise ValueError(f"{text!r} is no duration; write for example 90s, 30m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return 3600.0 * hours + 60 * minutes + seconds


def _keys(content: dict[Any, Any], place: Sequence[str]) -> Iterable[str]:
    """Return the keys allowed at a place of a file, given its content."""
    if not place:
        return SpaceFile.model_fields
    if place[0] == "dataset":
        return dataset_keys(content.get("dataset"), place[1:])
    sections: dict[str, type[Section]] = {
        "search": SearchSection,
        "parameters": Range,
        "latency": LatencySection,
    }
    return sections[place[0]].model_fields
