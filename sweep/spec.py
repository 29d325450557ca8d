"""The search-space file as written: its keys and their types."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic

from sweep import registry, strict_yaml
from sweep.audio.dataset_spec import CLIP_LENGTHS_IN_S, DatasetSpec
from sweep.audio.layout import LabelFrom, check_label
from sweep.audio.open_set import SilenceSpec, StreamSpec, UnknownSpec, outputs
from sweep.audio.sources.lookup import source_of, source_owner
from sweep.audio.splits import SPLITS
from sweep.errors import DataError, PluginError, SpecError, nearest
from sweep.metrics import METRICS
from sweep.parameters import Domain, defaults, domains

BUILT_IN = Path(__file__).parent / "search_spaces"
"""The folder of the search spaces that come with the package."""

_FEWEST_KEYWORDS = 10

_TELLING = ("extra_forbidden", "missing", "value_error")

DEFAULT_SOURCE = "synthetic"

Scalar = bool | int | float | str | None


class _Section(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Range(_Section):
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


def _checked_length(value: Any) -> Any:
    low, high = CLIP_LENGTHS_IN_S
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value != "auto" and not (is_number and low <= value <= high):
        raise ValueError(f"{value!r} is not a number of seconds from {low:g} to {high:g}, nor auto")
    return value


ClipLength = Annotated[
    Annotated[float, pydantic.Field(ge=CLIP_LENGTHS_IN_S[0], le=CLIP_LENGTHS_IN_S[1])]
    | Literal["auto"],
    pydantic.BeforeValidator(_checked_length),
]


def _checked_label(label: str) -> str:
    try:
        return check_label(label)
    except DataError as error:
        raise ValueError(str(error)) from error


Words = Annotated[
    list[Annotated[str, pydantic.AfterValidator(_checked_label)]], pydantic.Field(min_length=1)
]
Share = Annotated[float, pydantic.Field(gt=0, le=10)]


def _rising(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"{bounds[0]:g} is above {bounds[1]:g}; the lower ratio comes first")
    return bounds


Rising = Annotated[tuple[float, float], pydantic.AfterValidator(_rising)]


class UnknownSection(_Section):
    """What the label ``_unknown_`` is made of: other words than the labels.

    ``held_out`` are words never trained on, or their number, or their share; on them rejection is
    measured. ``share`` is relative to the clips of the labels.
    """

    words: Literal["rest"] | Words = "rest"
    folder: str | None = None
    share: Share = 0.5
    held_out: (
        Annotated[int, pydantic.Field(ge=0, strict=True)]
        | Annotated[float, pydantic.Field(ge=0, lt=1, strict=True)]
        | Words
    ) = 0.25

    @pydantic.field_validator("folder")
    @classmethod
    def _absolute(cls, folder: str | None) -> str | None:
        # A study finds it again from wherever it is looked at.
        return None if folder is None else str(Path(folder).expanduser().absolute())

    def spec(self) -> UnknownSpec:
        """Return what ``audio`` opens."""
        held = tuple(self.held_out) if isinstance(self.held_out, list) else self.held_out
        return UnknownSpec(
            words=tuple(self.words) if isinstance(self.words, list) else self.words,
            folder=self.folder,
            share=self.share,
            held_out=held,
        )


class SilenceSection(_Section):
    """What the label ``_silence_`` is made of: background recordings at many levels.

    ``share`` is relative to the clips of the labels.
    """

    share: Share = 0.25


class StreamsSection(_Section):
    """What the streams hold on which detection is measured: false alarms, misses, delay.

    ``hours`` of sound, in which ``words_per_hour`` clips of the split are spoken in noise, at
    signal-to-noise ratios of ``snr_db``; ``keyword_share`` of them are keywords.
    """

    hours: Annotated[float, pydantic.Field(gt=0, le=24)] = 1.0
    words_per_hour: Annotated[float, pydantic.Field(gt=0, le=3600)] = 600.0
    keyword_share: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.4
    snr_db: Rising = (0.0, 30.0)
    seed: Annotated[int, pydantic.Field(ge=0)] = 0

    @pydantic.model_validator(mode="after")
    def _says_enough(self) -> "StreamsSection":
        expected = self.hours * self.words_per_hour * self.keyword_share
        if expected < _FEWEST_KEYWORDS:
            raise ValueError(
                f"{expected:.3g} keywords are too few to count misses; make hours longer"
            )
        return self


class DatasetSection(_Section):
    """Which clips to learn from, and how they are split; parameters of the source, too."""

    source: str = DEFAULT_SOURCE
    labels: Annotated[list[str], pydantic.Field(min_length=2)]
    split: Literal["speaker", "folders"] | dict[str, str] = "speaker"
    label_from: LabelFrom = "folder"
    clip_length_in_s: ClipLength = 1.0
    seed: Annotated[int, pydantic.Field(ge=0)] = 0
    unknown: UnknownSection | None = None
    silence: SilenceSection | None = None
    streams: StreamsSection | None = None

    @pydantic.field_validator("labels", mode="before")
    @classmethod
    def _quoted(cls, labels: Any) -> Any:
        if isinstance(labels, list) and any(isinstance(label, bool) for label in labels):
            raise ValueError("YAML reads yes, no, on and off as true and false; put them in quotes")
        return labels

    @pydantic.field_validator("labels")
    @classmethod
    def _distinct(cls, labels: list[str]) -> list[str]:
        labels = [_checked_label(label) for label in labels]
        if len(set(labels)) < len(labels):
            raise ValueError("a label stands twice")
        return labels

    @pydantic.field_validator("split")
    @classmethod
    def _complete(cls, split: str | dict[str, str]) -> str | dict[str, str]:
        needed = {"validation", "testing"}
        if isinstance(split, dict) and not needed <= set(split) <= set(SPLITS):
            raise ValueError("name lists for validation and testing, and for training or not")
        if isinstance(split, dict):
            # A study finds them again from wherever it is looked at.
            return {name: str(Path(path).expanduser().absolute()) for name, path in split.items()}
        return split

    @pydantic.field_validator("unknown")
    @classmethod
    def _are_others(
        cls, unknown: UnknownSection | None, info: pydantic.ValidationInfo
    ) -> UnknownSection | None:
        words = [] if unknown is None or isinstance(unknown.words, str) else unknown.words
        both = [word for word in words if word in info.data.get("labels", ())]
        if both:
            raise ValueError(f"words: {', '.join(both)}: a label is no other word")
        return unknown

    @pydantic.field_validator("silence")
    @classmethod
    def _has_a_length(
        cls, silence: SilenceSection | None, info: pydantic.ValidationInfo
    ) -> SilenceSection | None:
        if silence is not None and info.data.get("clip_length_in_s") == "auto":
            raise ValueError("needs clip_length_in_s in seconds, not auto")
        return silence

    @pydantic.field_validator("streams")
    @classmethod
    def _has_others(
        cls, streams: StreamsSection | None, info: pydantic.ValidationInfo
    ) -> StreamsSection | None:
        others = [info.data.get(key) for key in ("unknown", "silence")]
        if streams is not None and not any(others):
            raise ValueError("needs unknown or silence: something else than keywords to reject")
        return streams

    @pydantic.field_validator("source")
    @classmethod
    def _is_source(cls, source: str) -> str:
        try:
            taken = domains(source_owner(source)).keys() & DatasetSection.model_fields.keys()
        except PluginError as error:
            raise ValueError(str(error)) from error
        if taken:
            raise ValueError(f"its parameter {min(taken)} has the name of another key; rename it")
        return source

    @pydantic.model_validator(mode="after")
    def _go_together(self) -> Self:
        try:
            problem = next(source_of(self.source, self.parameters).problems(), None)
        except PluginError as error:
            raise ValueError(str(error)) from error
        if problem is not None:
            raise ValueError(": ".join(problem))
        return self

    def at(self, source: str) -> "DatasetSection":
        """Return the section with another source, which has its own parameters.

        Raises:
            SpecError: if there is no such source.
        """
        if source == self.source:
            return self
        common = {name: getattr(self, name) for name in DatasetSection.model_fields}
        content = common | {"source": source}
        try:
            return _kind_of(content).model_validate(content)
        except pydantic.ValidationError as error:
            raise SpecError(f"--data: {_first_problem(error, content)}") from error

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the source."""
        own = type(self).model_fields.keys() - DatasetSection.model_fields.keys()
        return {name: getattr(self, name) for name in sorted(own)}

    @property
    def outputs(self) -> list[str]:
        """The labels, then ``_unknown_`` and ``_silence_`` where they are asked for."""
        return [*outputs(self.labels, self.unknown, self.silence)]

    def spec(self) -> DatasetSpec:
        """Return what ``audio`` opens."""
        return DatasetSpec(
            source=self.source,
            labels=tuple(self.labels),
            split=self.split,
            label_from=self.label_from,
            clip_length_in_s=self.clip_length_in_s,
            parameters=self.parameters,
            seed=self.seed,
            unknown=None if self.unknown is None else self.unknown.spec(),
            silence=None if self.silence is None else SilenceSpec(self.silence.share),
            streams=None if self.streams is None else StreamSpec(**self.streams.model_dump()),
        )


def _kind_of(content: Any) -> type[DatasetSection]:
    """Return the section that content is of: with the parameters of its source, if it has one."""
    source = content.get("source", DEFAULT_SOURCE) if isinstance(content, dict) else None
    try:
        return _section_of(source_owner(source)) if isinstance(source, str) else DatasetSection
    except PluginError:  # It is told as the error of ``source``.
        return DatasetSection


@cache
def _section_of(owner: Any) -> type[DatasetSection]:
    begun = defaults(owner)
    fields: dict[str, Any] = {
        name: (
            Annotated[Any, pydantic.BeforeValidator(_checked_by(domain))],
            pydantic.Field(begun[name], validate_default=True),
        )
        for name, domain in domains(owner).items()
    }
    return pydantic.create_model("DatasetSection", __base__=DatasetSection, **fields)


def _checked_by(domain: Domain) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        problem = domain.problem(value)
        if problem is not None:
            raise ValueError(problem)
        if domain.kind is Path and value is not None:
            # A study finds it again from wherever it is looked at.
            return Path(value).expanduser().absolute()
        return value if value is None else domain.kind(value)

    return checked


def _section(content: Any) -> Any:
    return _kind_of(content).model_validate(content)


class SearchSection(_Section):
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


class SpaceFile(_Section):
    """One search-space file."""

    dataset: Annotated[pydantic.SerializeAsAny[DatasetSection], pydantic.BeforeValidator(_section)]
    parameters: dict[str, Range | list[Scalar] | Scalar] = {}
    require: list[str] = []
    metrics: list[str] = []
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
        raise SpecError(f"{origin}: {_first_problem(error, content)}") from error


def search_section(values: dict[str, Any]) -> SearchSection:
    """Return a search section with values from the options of a command.

    Raises:
        SpecError: naming the option.
    """
    try:
        return SearchSection.model_validate(values)
    except pydantic.ValidationError as error:
        raise SpecError(f"--{_first_problem(error, values)}") from error


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


def _first_problem(error: pydantic.ValidationError, content: dict[Any, Any]) -> str:
    """Return place and message of the first problem, or of the most telling one of a union."""
    problems = error.errors()
    # A misspelt key is told before what is missing because of it.
    first = min(problems, key=lambda problem: problem["type"] != "extra_forbidden")
    alternatives = [p for p in problems if p["loc"][:2] == first["loc"][:2]]
    told = [p for kind in _TELLING for p in alternatives if p["type"] == kind]
    problem = (told or alternatives)[0]
    loc = _place(problem["loc"], content)
    if problem["type"] == "missing":
        loc.append(str(problem["loc"][-1]))
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = f"unknown key{nearest(loc[-1], _keys(loc[:-1], content))}"
    elif problem["type"] == "missing":
        message = "is missing"
    elif loc[0] == "parameters" and loc[1:] and not told:
        loc, message = loc[:2], "expected a value, a list of values, or low and high"
    elif problem["type"] == "list_type":
        message = f"{problem['input']!r} is no list; write [{problem['input']}]"
    elif problem["type"] == "string_type":
        message = _no_text(loc, problem["input"])
    if message[:2].istitle():
        message = message[0].lower() + message[1:]
    return f"{'.'.join(loc)}: {message}"


def _place(loc: tuple[int | str, ...], content: Any) -> list[str]:
    """Return the keys that lead to a place, without the members of unions that pydantic names."""
    place = []
    for part in loc:
        held = dict(enumerate(content)) if isinstance(content, list) else content
        if isinstance(held, dict) and part in held:
            place.append(str(part))
            content = held[part]
    return place


def _no_text(loc: list[str], given: Any) -> str:
    if loc[0] == "limits":
        metric = METRICS.get(loc[-1])
        operator = ">=" if metric is not None and metric.better == "higher" else "<="
        return f'{given!r} is not a limit; write "{operator} {given}"'
    if loc[-1] in ("timeout", "trial_timeout"):
        return f"{given!r} has no unit; write for example 90s, 30m or 1h30m"
    return f"{given!r} is no text; put it in quotes"


def _keys(place: list[str], content: dict[Any, Any]) -> list[str]:
    """Return the keys allowed at a place of the file."""
    sections: dict[str, type[_Section]] = {
        "dataset.unknown": UnknownSection,
        "dataset.silence": SilenceSection,
        "dataset.streams": StreamsSection,
        "dataset": _kind_of(content.get("dataset")),
        "search": SearchSection,
        "parameters": Range,
    }
    section = sections.get(".".join(place)) or sections[place[0]] if place else SpaceFile
    return list(section.model_fields)
