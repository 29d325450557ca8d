"""The folder of a data set's recordings: found, downloaded, synthesized or linked together."""

from collections.abc import Iterable
from pathlib import Path

from sweep import cache
from sweep.audio import layout, silence
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.sources.archives import Downloaded, downloaded
from sweep.audio.sources.base import Progress, Source, Wanted
from sweep.audio.sources.lookup import is_folder, source_of
from sweep.audio.splits import SplitRule
from sweep.candidate import digest
from sweep.errors import DataError
from sweep.registry import BUILT_IN


def locate(spec: DatasetSpec, progress: Progress | None = None) -> Path:
    """Return the folder of the recordings, made or downloaded first if they are not there yet.

    With silence, or other words from elsewhere, it is a folder of links to them, beside the slices
    of silence.

    Raises:
        DataError: if the source is neither a known name nor a folder, or cannot be had.
    """
    source = _folder(spec, progress)
    elsewhere = Path(spec.unknown.folder) if spec.unknown and spec.unknown.folder else None
    if spec.silence is None and elsewhere is None:
        return source
    links = _links(spec, source, elsewhere)
    noises = layout.noise_names(source)
    parts = [silence.VERSION, {name: str(path) for name, path in links.items()}, str(source)]
    if spec.silence:
        parts += [spec.clip_length_in_s, spec.seed, stamp(source, noises)]

    def build(folder: Path) -> None:
        for name, path in links.items():
            (folder / name).symlink_to(path)
        if spec.silence:
            assert spec.clip_length_in_s != "auto"
            silence.cut(source, noises, folder, spec.clip_length_in_s, spec.seed)
        elif noises:
            (folder / layout.NOISE_FOLDER).symlink_to(source / layout.NOISE_FOLDER)

    return cache.entry("joined", digest(parts), build)


def linked(spec: DatasetSpec) -> tuple[Path, ...]:
    """Return the folders to which links in that of ``locate`` lead; none where it is no links."""
    folder = _folder(spec)
    found = _source(spec).linked(folder)
    if spec.silence is not None or (spec.unknown and spec.unknown.folder):
        found.add(folder)
    if spec.unknown and spec.unknown.folder:
        found.add(Path(spec.unknown.folder))
    return tuple(sorted(found))


def _links(spec: DatasetSpec, source: Path, elsewhere: Path | None) -> dict[str, Path]:
    """Return what the folders of a data set hold, by name.

    Raises:
        DataError: if there are no other words elsewhere, or their folder does not fit the source.
    """
    links = {path.name: path for path in source.iterdir() if path.name[0] not in "._"}
    if elsewhere is None:
        return links
    if spec.label_from != "folder" or spec.split == "folders":
        rule = "split: folders" if spec.split == "folders" else "label_from: name"
        raise DataError(f"dataset.unknown.folder: not with {rule}; put the words into the source")
    if not elsewhere.is_dir():
        raise DataError(f"dataset.unknown.folder: {elsewhere}: no such folder")
    words = [path for path in elsewhere.iterdir() if path.is_dir() and path.name[0] not in "._"]
    links = {n: p for n, p in links.items() if layout.normal(n) in spec.labels or p.is_file()}
    return links | {p.name: p for p in words if layout.normal(p.name) not in spec.labels}


def _source(spec: DatasetSpec) -> Source:
    return source_of(spec.source, spec.parameters)


def _folder(spec: DatasetSpec, progress: Progress | None = None) -> Path:
    """Return the folder of the recordings that a source stands for."""
    source, words = _source(spec), spec.labels
    if spec.unknown and not spec.unknown.folder and spec.unknown.words != "rest":
        words = (*words, *spec.unknown.words)
    elif spec.unknown and not spec.unknown.folder and source.is_made_to_order:
        raise DataError("dataset.unknown.words: name the words to synthesize")
    length = 1.0 if spec.clip_length_in_s == "auto" else spec.clip_length_in_s
    return source.folder(Wanted(words, length, spec.seed), progress)


def split_rule(spec: DatasetSpec, folder: Path) -> SplitRule:
    """Return how the clips of a source are split: by the lists that come with it, if there are."""
    official = _source(spec).lists(folder) if spec.split == "speaker" else {}
    return official or spec.split


def prepare_source(
    name: str, url: str | None, labels: tuple[str, ...], progress: Progress | None = None
) -> Path:
    """Return the folder of a named source, downloaded or made now.

    Args:
        name: of the source.
        url: a mirror to download from.
        labels: the words to synthesize; others have their own.
        progress: as for ``open_dataset``.

    Raises:
        DataError: if there is no such source, or it cannot be had.
    """
    if is_folder(name):
        raise DataError(f"{name}: no such source; there are: {', '.join(BUILT_IN['source'])}")
    source = source_of(name, {})
    if source.is_made_to_order and url:
        raise DataError(f"{name}: made on this machine; leave out --url")
    if source.is_made_to_order and not labels:
        raise DataError(f"{name}: name the words to speak, for example --label yes --label no")
    if labels and not source.is_made_to_order:
        raise DataError(f"{name}: all its words are downloaded; leave out --label")
    if isinstance(source, Downloaded):
        return downloaded(name, url, progress=progress)
    return source.folder(Wanted(labels), progress)


def stamp(folder: Path, names: Iterable[str]) -> str:
    """Return a digest of sizes and times of files, which tells whether they were replaced."""
    stats = ((name, (folder / name)) for name in names)
    return digest([(n, p.stat().st_size, p.stat().st_mtime_ns) for n, p in stats if p.exists()])
