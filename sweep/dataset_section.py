"""The key ``dataset:`` of a search-space file: which clips, and how they are split."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic

from sweep.audio.dataset_spec import CLIP_LENGTHS_IN_S, DatasetSpec
from sweep.audio.layout import LabelFrom, check_label
from sweep.audio.open_set import FEWEST_KEYWORDS, SilenceSpec, StreamSpec, UnknownSpec, outputs
from sweep.audio.sources.lookup import source_of, source_owner
from sweep.audio.splits import SPLITS
from sweep.errors import DataError, PluginError, SpecError
from sweep.parameters import Domain, defaults, domains
from sweep.spec_problems import first_problem

DEFAULT_SOURCE = "synthetic"


class Section(pydantic.BaseModel):
    """Some keys of a search-space file, none but these."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


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


def _absolute(folder: str | None) -> str | None:
    # A study finds it again from wherever it is looked at.
    return None if folder is None else str(Path(folder).expanduser().absolute())


Folder = Annotated[str | None, pydantic.AfterValidator(_absolute)]


class UnknownSection(Section):
    """What the label ``_unknown_`` is made of: other words than the labels.

    ``held_out`` are words never trained on, or their number, or their share; on them rejection is
    measured. ``share`` is relative to the clips of the labels.
    """

    words: Literal["rest"] | Words = "rest"
    folder: Folder = None
    share: Share = 0.5
    held_out: (
        Annotated[int, pydantic.Field(ge=0, strict=True)]
        | Annotated[float, pydantic.Field(ge=0, lt=1, strict=True)]
        | Words
    ) = 0.25

    def spec(self) -> UnknownSpec:
        """Return what ``audio`` opens."""
        held = tuple(self.held_out) if isinstance(self.held_out, list) else self.held_out
        return UnknownSpec(
            words=tuple(self.words) if isinstance(self.words, list) else self.words,
            folder=self.folder,
            share=self.share,
            held_out=held,
        )


class SilenceSection(Section):
    """What the label ``_silence_`` is made of: background recordings at many levels.

    ``share`` is relative to the clips of the labels.
    """

    share: Share = 0.25


class StreamsSection(Section):
    """What the streams hold on which detection is measured: false alarms, misses, delay.

    ``hours`` of sound, in which ``words_per_hour`` clips of the split are spoken in noise, at
    signal-to-noise ratios of ``snr_db``; ``keyword_share`` of them are keywords.  Then the long
    recordings of a folder for each split, ``recordings``, with times of what is said beside them.
    """

    hours: Annotated[float, pydantic.Field(ge=0, le=24)] = 1.0
    words_per_hour: Annotated[float, pydantic.Field(gt=0, le=3600)] = 600.0
    keyword_share: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.4
    snr_db: Rising = (0.0, 30.0)
    seed: Annotated[int, pydantic.Field(ge=0)] = 0
    recordings: Folder = None

    @pydantic.model_validator(mode="after")
    def _says_enough(self) -> "StreamsSection":
        if self.recordings is not None and self.hours == 0:
            return self
        expected = self.hours * self.words_per_hour * self.keyword_share
        if expected < FEWEST_KEYWORDS:
            raise ValueError(
                f"{expected:.3g} keywords are too few to count misses; make hours longer"
            )
        return self


class DatasetSection(Section):
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
            problem = first_problem(error, content, partial(dataset_keys, content))
            raise SpecError(f"--data: {problem}") from error

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


def dataset_section(content: Any) -> Any:
    """Return the section that content makes.

    Raises:
        pydantic.ValidationError: if anything is wrong with it.
    """
    return _kind_of(content).model_validate(content)


def dataset_keys(content: Any, place: Sequence[str]) -> Iterable[str]:
    """Return the keys that a data set may have at a place, given its content."""
    below: dict[str, type[Section]] = {
        "unknown": UnknownSection,
        "silence": SilenceSection,
        "streams": StreamsSection,
    }
    section = below[place[0]] if place and place[0] in below else _kind_of(content)
    return section.model_fields
