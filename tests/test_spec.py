from pathlib import Path

import pytest

from sweep.audio.open_set import StreamSpec
from sweep.errors import SpecError
from sweep.spec import SpaceFile, duration_in_s, find, parse, read, search_section

SEARCH_SPACES = Path(__file__).parent.parent / "search_spaces"
BASE = "dataset: {labels: [stop, go]}\n"


def complaint(text: str) -> str:
    """Return what is said about a file, which must be one line."""
    with pytest.raises(SpecError) as refused:
        parse(text, "x.yaml")
    message = str(refused.value)
    assert "\n" not in message
    assert refused.value.exit_code == 2
    return message


def test_a_file_needs_nothing_but_labels():
    file = parse(BASE, "x.yaml")
    assert file.dataset.labels == ["stop", "go"]
    assert file.parameters == {}
    assert file.limits == {"accuracy": ">= 0.97", "latency_ms": "<= 8", "size_kb": "< 25"}
    assert (file.search.sampler, file.search.trials, file.search.seed) == ("ehvi", 100, 42)


@pytest.mark.parametrize(("text", "length"), [("0.25", 0.25), ("4", 4.0), ("auto", "auto")])
def test_clips_may_have_another_length(text, length):
    file = parse(f"dataset: {{labels: [stop, go], clip_length_in_s: {text}}}", "x.yaml")
    assert file.dataset.clip_length_in_s == file.dataset.spec().clip_length_in_s == length
    assert parse(BASE, "x.yaml").dataset.clip_length_in_s == 1.0


@pytest.mark.parametrize("text", ["0.2", "4.1", "long", "1 s", "true", "null", ".nan", "[1]"])
def test_but_not_any(text):
    told = complaint(f"dataset: {{labels: [stop, go], clip_length_in_s: {text}}}")
    assert told.startswith("x.yaml: dataset.clip_length_in_s: ")
    assert told.endswith(" is not a number of seconds from 0.25 to 4, nor auto")


def test_values_keep_the_type_they_are_written_in():
    text = BASE + "parameters: {epochs: 10, alpha: [1, 0.5], noise_snr_db: [null, 5]}"
    parameters = parse(text, "x.yaml").parameters
    assert repr(parameters["epochs"]) == "10"
    assert repr(parameters["alpha"]) == "[1, 0.5]"
    assert repr(parameters["noise_snr_db"]) == "[None, 5]"


def test_what_is_none_of_the_labels_comes_last():
    text = "dataset: {labels: [stop, go], unknown: {words: [up, down], held_out: 1}, silence: {}}"
    dataset = parse(text, "x.yaml").dataset
    assert dataset.outputs == ["stop", "go", "_unknown_", "_silence_"]
    assert dataset.spec().outputs == tuple(dataset.outputs)
    assert parse(BASE, "x.yaml").dataset.outputs == ["stop", "go"]


def test_streams_have_an_hour_of_everything_unless_said_otherwise():
    text = "dataset: {labels: [stop, go], silence: {}, streams: {keyword_share: 0.2}}"
    streams = parse(text, "x.yaml").dataset.spec().streams
    assert streams == StreamSpec(hours=1.0, words_per_hour=600.0, keyword_share=0.2)
    assert parse(BASE, "x.yaml").dataset.spec().streams is None


UNKNOWN = "dataset: {labels: [stop, go], unknown: "
STREAMS = "dataset: {labels: [stop, go], silence: {}, streams: "
MISTAKES = [
    (
        UNKNOWN + "{word: rest}}",
        "x.yaml: dataset.unknown.word: unknown key; did you mean words?",
    ),
    (UNKNOWN + "{words: [go]}}", "x.yaml: dataset.unknown: words: go: a label is no other word"),
    (
        "dataset: {labels: [stop, _unknown_]}",
        "x.yaml: dataset.labels: label '_unknown_' cannot name a folder; it comes with unknown: {}",
    ),
    (
        "dataset: {labels: [stop, go], clip_length_in_s: auto, silence: {}}",
        "x.yaml: dataset.silence: needs clip_length_in_s in seconds, not auto",
    ),
    (
        "dataset: {labels: [stop, go], streams: {}}",
        "x.yaml: dataset.streams: needs unknown or silence: something else than keywords to reject",
    ),
    (
        STREAMS + "{hour: 1}}",
        "x.yaml: dataset.streams.hour: unknown key; did you mean hours?",
    ),
    (
        STREAMS + "{hours: 0.01}}",
        "x.yaml: dataset.streams: 2.4 keywords are too few to count misses; make hours longer",
    ),
    (
        STREAMS + "{snr_db: [10, 0]}}",
        "x.yaml: dataset.streams.snr_db: 10 is above 0; the lower ratio comes first",
    ),
    ("datset: {}", "x.yaml: datset: unknown key; did you mean dataset?"),
    (
        "dataset: {lables: [stop, go]}",
        "x.yaml: dataset.lables: unknown key; did you mean labels?",
    ),
    (
        BASE + "latency: {comand: 'run {model}'}",
        "x.yaml: latency.comand: unknown key; did you mean command?",
    ),
    (BASE + "latency: {timeout: 5s}", "x.yaml: latency.command: is missing"),
    (
        BASE + "latency: {command: ssh pi run}",
        "x.yaml: latency.command: 'ssh pi run' has no {model}, the path of the file that it runs",
    ),
    (
        BASE + 'latency: {command: "run \'{model}"}',
        'x.yaml: latency.command: "run \'{model}" cannot be split into words: No closing quotation',
    ),
    (
        BASE + "latency: {command: 'run {model}', timeout: long}",
        "x.yaml: latency.timeout: 'long' is no duration; write for example 90s, 30m or 1h30m",
    ),
    (BASE + "search: {trails: 3}", "x.yaml: search.trails: unknown key; did you mean trials?"),
    (
        BASE + "parameters: {alpha: {lo: 1, high: 2}}",
        "x.yaml: parameters.alpha.lo: unknown key; did you mean low?",
    ),
    ("search: {}", "x.yaml: dataset: is missing"),
    (BASE + "parameters: {alpha: {high: 2}}", "x.yaml: parameters.alpha.low: is missing"),
    (
        BASE + "parameters: {alpha: {low: 2, high: 1}}",
        "x.yaml: parameters.alpha: low (2) is above high (1)",
    ),
    (
        BASE + "parameters: {alpha: {low: 1, high: 2, step: 0}}",
        "x.yaml: parameters.alpha: step (0) must be above 0",
    ),
    (
        BASE + "parameters: {alpha: {low: 0, high: 1, log: true}}",
        "x.yaml: parameters.alpha: log needs low above 0 and no step",
    ),
    (
        BASE + "parameters: {alpha: [[1], 2]}",
        "x.yaml: parameters.alpha: expected a value, a list of values, or low and high",
    ),
    (
        "dataset: {labels: [yes, no]}",
        "x.yaml: dataset.labels: YAML reads yes, no, on and off as true and false;"
        " put them in quotes",
    ),
    ("dataset: {labels: [go, go]}", "x.yaml: dataset.labels: a label stands twice"),
    (
        'dataset: {labels: ["f\u00fcr", "fu\u0308r"]}',
        "x.yaml: dataset.labels: a label stands twice",
    ),
    (
        "dataset: {labels: [go, _other_]}",
        "x.yaml: dataset.labels: label '_other_' cannot name a folder; leave out / \\ : and"
        " do not begin with '.' or '_'",
    ),
    (
        "dataset: {labels: [stop, go], label_from: file}",
        "x.yaml: dataset.label_from: input should be 'folder' or 'name'",
    ),
    (
        "dataset: {labels: [stop, go], split: {training: a.txt}}",
        "x.yaml: dataset.split: name lists for validation and testing," " and for training or not",
    ),
    (
        BASE + "limits: {accuracy: 0.97}",
        'x.yaml: limits.accuracy: 0.97 is not a limit; write ">= 0.97"',
    ),
    (
        BASE + "limits: {size_kb: 25}",
        'x.yaml: limits.size_kb: 25 is not a limit; write "<= 25"',
    ),
    (
        BASE + "limits:\n  accuracy: >= 0.97",
        "x.yaml:3: not YAML: expected chomping or indentation indicators, but found '=';"
        " put a limit in quotes",
    ),
    (
        BASE + "search: {timeout: 30}",
        "x.yaml: search.timeout: 30 has no unit; write for example 90s, 30m or 1h30m",
    ),
    (
        "dataset: {labels: stop}",
        "x.yaml: dataset.labels: 'stop' is no list; write [stop]",
    ),
    (
        BASE + "search: {timeout: soon}",
        "x.yaml: search.timeout: 'soon' is no duration; write for example 90s, 30m or 1h30m",
    ),
    (
        BASE + "search: {sampler: tp}",
        "x.yaml: search.sampler: 'tp' is no sampler, nor module:Name; did you mean tpe?",
    ),
    (
        BASE + "search: {trials: 0}",
        "x.yaml: search.trials: input should be greater than or equal to 1",
    ),
    (
        BASE + "parameters: {}\nparameters: {}",
        "x.yaml:3: parameters: duplicate key; YAML would keep the last",
    ),
    (
        BASE + "parameters:\n  alpha: 1\n  alpha: 0.5",
        "x.yaml:4: alpha: duplicate key; YAML would keep the last",
    ),
    (
        BASE + "parameters: {alpha: {low: 0, high: 1, step: .nan}}",
        "x.yaml: parameters.alpha: expected a value, a list of values, or low and high",
    ),
    (
        "dataset: {labels: [stop, go], seed: -1}",
        "x.yaml: dataset.seed: input should be greater than or equal to 0",
    ),
    (
        "dataset: {labels: [stop, go], lowest_snr_db: 5, highest_snr_db: -5}",
        "x.yaml: dataset: lowest_snr_db: 5 is above highest_snr_db (-5)",
    ),
    (
        "dataset: {labels: [stop, go], clips_per_label: 5}",
        "x.yaml: dataset.clips_per_label: 5 is outside 10 to inf",
    ),
    (
        "dataset: {labels: [stop, go], source: words, clips_per_label: 50}",
        "x.yaml: dataset.clips_per_label: unknown key; known: source, labels, split, label_from,"
        " clip_length_in_s, seed, unknown, silence, streams",
    ),
    (
        "dataset: {labels: [stop, go], clips_per_lable: 50}",
        "x.yaml: dataset.clips_per_lable: unknown key; did you mean clips_per_label?",
    ),
    (
        "dataset: {labels: [stop, go], source: 'absent:Mine'}",
        "x.yaml: dataset.source: absent:Mine: there is no module absent; it is looked for beside"
        " the search space and on the Python path",
    ),
    (
        "- a\n- b",
        "x.yaml: expected the keys dataset, parameters, require, metrics, target, clock_mhz,"
        " latency, limits, objectives, search",
    ),
    (
        "",
        "x.yaml: expected the keys dataset, parameters, require, metrics, target, clock_mhz,"
        " latency, limits, objectives, search",
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_what_is_wrong_is_said_in_one_line_with_its_place(text, message):
    assert complaint(text) == message


def test_quoted_labels_are_words():
    assert parse("dataset: {labels: ['yes', 'no']}", "x.yaml").dataset.labels == ["yes", "no"]


def test_what_is_not_yaml_is_told_with_its_line():
    assert complaint("dataset:\n  labels: [stop\nsearch: {}").startswith("x.yaml:3: not YAML: ")


@pytest.mark.parametrize(
    "text",
    [
        "parameters: {alpha: {{low: 0.1, high: 1.0}}}",
        "limits: {[accuracy]: '>= 0.9'}",
        "search: {timeout: 2026-13-01}",
        "parameters: {alpha: &a [*a]}",
    ],
    ids=["braces of a template", "a list for a key", "no such month", "an endless list"],
)
def test_what_yaml_cannot_make_sense_of_is_told(text):
    assert "not YAML: " in complaint(text)


def test_lists_are_found_from_wherever_a_study_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "dataset: {labels: [a, b], split: {validation: v.txt, testing: ~/t.txt}}"
    split = parse(text, "x.yaml").dataset.split
    assert split == {"validation": str(tmp_path / "v.txt"), "testing": str(Path.home() / "t.txt")}


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(SpecError, match="none.yaml: cannot be read: No such file or directory"):
        read(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="binary.yaml: cannot be read: not a text file"):
        read(tmp_path / "binary.yaml")


@pytest.mark.parametrize("path", sorted(SEARCH_SPACES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_built_in_space_is_found_by_its_name_from_anywhere(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / path.stem).mkdir()  # a folder of that name hides nothing
    assert find(path.stem).samefile(path)


def test_a_file_goes_before_a_built_in_space_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quickstart").write_text(BASE)
    assert find("quickstart") == Path("quickstart")


def test_a_name_of_nothing_is_told():
    with pytest.raises(SpecError, match="neither a file nor a built-in .* did you mean quickstart"):
        find("quikstart")


def test_options_of_the_command_line_are_checked_like_the_file():
    assert search_section({"trials": 3}).trials == 3
    with pytest.raises(SpecError, match="^--timeout: '3 days' is no duration"):
        search_section({"timeout": "3 days"})


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), (" 1m1s ", 61)]
)
def test_a_duration_is_hours_minutes_and_seconds(text, seconds):
    assert duration_in_s(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "1.5h", "-3m", "30 m", "5s3m"])
def test_anything_else_is_no_duration(text):
    with pytest.raises(ValueError, match="is no duration"):
        duration_in_s(text)


@pytest.mark.parametrize("path", sorted(SEARCH_SPACES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_file_points_its_editor_to_the_schema(path):
    assert path.read_text().startswith("# yaml-language-server: $schema=schema.json\n")
    assert isinstance(read(path), SpaceFile)


def test_one_fold_would_hold_everybody_out():
    text = "dataset: {labels: [stop, go]}\nsearch: {folds: %d}"
    assert parse(text % 2, "file").search.folds == 2
    with pytest.raises(SpecError, match="search.folds: 1 leaves nobody to train on"):
        parse(text % 1, "file")
