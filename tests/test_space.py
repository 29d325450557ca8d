import itertools
from pathlib import Path

import numpy as np
import pytest
import yaml

from sweep.audio.splits import SPLITS
from sweep.candidate import Candidate
from sweep.errors import SpecError
from sweep.frontends.mfcc import MFCC
from sweep.space import Space

SEARCH_SPACES = Path(__file__).parent.parent / "search_spaces"
BASE = "dataset: {labels: [stop, go]}\n"


def space(text: str) -> Space:
    """Return the space of a text that leaves out the data set."""
    return Space.parse(BASE + text, "x.yaml")


def complaint(text: str) -> str:
    """Return what is said about a space, which must be one line."""
    with pytest.raises(SpecError) as refused:
        space(text).check()
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("path", sorted(SEARCH_SPACES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_file_that_comes_along_is_sound(path):
    found = Space.load(path)
    assert Space.parse(found.text(), "again").comparable() == found.comparable()


def test_the_published_grid_has_its_published_size():
    grid = Space.load(SEARCH_SPACES / "seed_table1.yaml")
    # Counted from the file alone, as the report counts.
    values = yaml.safe_load((SEARCH_SPACES / "seed_table1.yaml").read_text())["parameters"]
    lists = {name: value for name, value in values.items() if isinstance(value, list)}
    everything = [dict(zip(lists, c, strict=True)) for c in itertools.product(*lists.values())]
    allowed = [c for c in everything if c["num_coefficients"] <= c["num_mel_bins"]]
    assert (len(everything), len(allowed)) == (3888, 2592)
    assert grid.size() == 3888
    assert list(grid.combinations()) == allowed
    assert (grid.facts()["combinations"], grid.facts()["allowed"]) == (3888, 2592)


def test_the_ablation_has_eight_rows():
    assert len(list(Space.load(SEARCH_SPACES / "ablation.yaml").combinations())) == 8


@pytest.mark.parametrize(
    "limits, required",
    [
        ("accuracy: '>= 0.9'", ["accuracy >= 0.9", "worst_recall > 0"]),
        ("accuracy: '>= 0.9', worst_recall: '>= 0.5'", ["accuracy >= 0.9", "worst_recall >= 0.5"]),
        ("size_kb: '< 25', latency_ms: '<= 8'", ["size_kb < 25", "latency_ms <= 8"]),
    ],
)
def test_who_limits_what_training_gives_requires_every_word(limits, required):
    assert [str(limit) for limit in space(f"limits: {{{limits}}}").limits] == required


def test_a_space_where_nothing_varies_is_one_candidate():
    fixed = Space.load(SEARCH_SPACES / "seed_table5.yaml")
    assert list(fixed.combinations()) == [{}]
    assert fixed.candidate({}) == Candidate(seed=42)


def test_a_scalar_is_fixed_a_list_is_a_choice_and_a_range_varies():
    found = space("parameters: {alpha: 1, blocks: [1, 2], epochs: [5], filters: {low: 8, high: 9}}")
    assert found.fixed == {"alpha": 1, "epochs": 5}
    assert list(found.distributions) == ["filters", "blocks"]
    assert found.values("blocks") == [1, 2]
    assert found.values("filters") == [8, 9]


def test_every_quantization_named_is_made_from_each_training():
    found = space("parameters: {quantization: [int8, float32, int8]}")
    assert found.fixed == {"quantization": ("int8", "float32")}
    assert found.candidate({}).compression.quantization == ("int8", "float32")
    assert space("parameters: {quantization: int8}").fixed == {"quantization": ("int8",)}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("num_mel_bins: {low: 8, high: 20, step: 4}", [8, 12, 16, 20]),
        ("num_mel_bins: {low: 8, high: 19, step: 4}", [8, 12, 16]),
        ("final_sparsity: {low: 0.1, high: 0.5, step: 0.1}", [0.1, 0.2, 0.3, 0.4, 0.5]),
        ("upper_frequency: {low: 2000, high: 4000, step: 1000}", [2000.0, 3000.0, 4000.0]),
    ],
)
def test_a_range_with_a_step_has_its_ends_and_what_lies_between(text, values):
    found = space(f"parameters: {{{text}}}")
    (name,) = found.distributions
    assert found.values(name) == values
    assert found.size() == len(values)


def test_a_space_of_which_little_is_allowed_is_not_refused():
    rare = """
dataset: {labels: [stop, go]}
parameters:
  frame_length_in_s: {low: 0.016, high: 0.032, step: 0.0005}
  frame_step_in_s: {low: 0.016, high: 0.032, step: 0.0005}
  num_mel_bins: {low: 10, high: 40}
  num_coefficients: {low: 8, high: 40}
  network: [temporal, standard]
require: [num_coefficients == num_mel_bins, frame_step_in_s == frame_length_in_s]
"""
    assert Space.parse(rare, "x.yaml").allowed_share()[0] < 0.002


def test_a_range_of_a_real_number_is_endless_whatever_its_ends_look_like():
    found = space("parameters: {alpha: {low: 1, high: 2}}")
    assert found.size() is None
    assert found.facts()["combinations"] == "infinite"
    assert found.values("alpha", 3) == [1.0, 1.5, 2.0]


def test_a_logarithmic_range_is_spread_by_ratio():
    found = space("parameters: {alpha: {low: 0.1, high: 10, log: true}}")
    assert found.values("alpha", 3) == pytest.approx([0.1, 1, 10])
    drawn = [found.draw(np.random.default_rng(i))["alpha"] for i in range(400)]
    assert 0.4 < np.mean(np.array(drawn) < 1) < 0.6


def test_draws_stay_inside_and_reach_everything():
    found = space("parameters: {blocks: [1, 2], epochs: {low: 3, high: 5}, alpha: [0.5, 1]}")
    rng = np.random.default_rng(0)
    drawn = {tuple(found.draw(rng).values()) for _ in range(300)}
    assert drawn == {tuple(c.values()) for c in found.combinations()}
    assert len(drawn) == 2 * 3 * 2


def test_a_tiny_step_is_counted_without_being_listed():
    assert space("parameters: {alpha: {low: 0.5, high: 1, step: 1.0e-6}}").size() == 500_001


def test_only_what_is_required_is_allowed():
    text = "parameters: {num_mel_bins: [10, 20], num_coefficients: [10, 13]}\n"
    assert len(list(space(text).combinations())) == 3
    narrower = space(text + "require: [num_coefficients < num_mel_bins / 1.6]")
    assert list(narrower.combinations()) == [{"num_mel_bins": 20, "num_coefficients": 10}]
    candidate = narrower.candidate({"num_mel_bins": 20, "num_coefficients": 13})
    assert narrower.objection(candidate) == "require: num_coefficients < num_mel_bins / 1.6"


def test_candidates_carry_the_seed_of_the_search():
    assert space("search: {seed: 7}").candidate({}).seed == 7


class TestTheLengthOfClips:
    TEXT = "dataset: {labels: [stop, go], clip_length_in_s: %s}\nparameters: {frame_step_in_s: %s}"

    def test_reaches_every_candidate(self):
        short = Space.parse(self.TEXT % (0.5, "[0.02, 0.1]"))
        assert short.candidate({"frame_step_in_s": 0.1}).frontend.num_samples == 8000
        assert short.facts()["clip_length_in_s"] == 0.5

    def test_decides_what_is_allowed(self):
        for length, allowed in ((0.25, False), (0.6, True)):
            long_steps = Space.parse(self.TEXT % (length, "[0.02, 0.2]"))
            assert long_steps.allows({"frame_step_in_s": 0.2}) == allowed

    def test_is_settled_once_where_the_recordings_tell_it(self):
        unknown = Space.parse(self.TEXT % ("auto", "[0.02, 0.2]"))
        unknown.check()
        known = unknown.with_clip_length(0.8)
        assert known.candidate({"frame_step_in_s": 0.02}).frontend.num_samples == 12800
        assert Space.parse(known.text()).comparable() == known.comparable()
        assert known.with_clip_length(0.9) is known
        with pytest.raises(SpecError, match=r"frame_step_in_s: 0\.2 can never be taken; .* 0\.3 s"):
            unknown.with_clip_length(0.3)

    def test_must_agree_for_a_study_to_go_on(self):
        spaces = [Space.parse(self.TEXT % (length, "0.02")) for length in (1.0, 0.5)]
        assert spaces[0].comparable() != spaces[1].comparable()


def test_options_replace_what_the_file_says():
    found = space("search: {trials: 5, seed: 7}").with_search(trials=9, seed=None, sampler="grid")
    assert (found.file.search.trials, found.file.search.seed) == (9, 7)
    assert found.file.search.sampler == "grid"
    assert found.with_data("recordings", None).file.dataset.source == "recordings"
    assert found.with_data(None, None).file == found.file


@pytest.mark.parametrize("given", [SPLITS, SPLITS[1:], ()])
def test_lists_of_a_prefix_may_leave_training_to_be_the_rest(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for split in given:
        (tmp_path / f"official_{split}_list.txt").touch()
    lists = space("").with_data(None, "official_").file.dataset.split
    named = given or SPLITS[1:]
    assert lists == {split: str(tmp_path / f"official_{split}_list.txt") for split in named}


def test_comparable_leaves_out_how_to_search_but_not_the_seed():
    text = "parameters: {alpha: [0.5, 1]}\n"
    one = space(text + "search: {trials: 5, seed: 7}").comparable()
    assert one == space(text + "search: {trials: 9, seed: 7, sampler: random}").comparable()
    assert one != space(text + "search: {trials: 5, seed: 8}").comparable()
    assert one != space("parameters: {alpha: [0.5, 2]}\nsearch: {seed: 7}").comparable()


MISTAKES = [
    (
        "parameters: {network: temporl}",
        "x.yaml: parameters.network: 'temporl' is no network; did you mean temporal?",
    ),
    (
        "parameters: {network: [temporal, 3]}",
        "x.yaml: parameters.network.1: 3 is not a text",
    ),
    (
        "parameters: {network: temporal, bands: 5}",
        "x.yaml: parameters.bands: is a parameter of bc_resnet; add it to parameters.network",
    ),
    (
        "parameters: {network: 'absent:Net'}",
        "x.yaml: parameters.network: absent:Net: there is no module absent; it is looked for",
    ),
    (
        "parameters: {alfa: 1}",
        "x.yaml: parameters.alfa: unknown parameter; did you mean alpha?",
    ),
    (
        "parameters: {alpha: []}",
        "x.yaml: parameters.alpha: an empty choice; name at least one value",
    ),
    (
        "parameters: {quantization: []}",
        "x.yaml: parameters.quantization: an empty choice; name at least one value",
    ),
    ("parameters: {alpha: [1, 1.0]}", "x.yaml: parameters.alpha: duplicate value"),
    ("parameters: {epochs: 1.5}", "x.yaml: parameters.epochs: 1.5 is not a whole number"),
    (
        "parameters: {epochs: [10, true]}",
        "x.yaml: parameters.epochs.1: True is not a whole number",
    ),
    (
        "parameters: {alpha: {low: 0.5, high: 99}}",
        "x.yaml: parameters.alpha.high: 99 is outside 0.001 to 16",
    ),
    (
        "parameters: {blocks: {low: 1, high: 3, step: 0.5}}",
        "x.yaml: parameters.blocks.step: 0.5 is not a whole number",
    ),
    (
        "parameters: {frontend: mcc}",
        "x.yaml: parameters.frontend: 'mcc' is no frontend; did you mean mfcc?",
    ),
    (
        "parameters: {quantization: [int4]}",
        "x.yaml: parameters.quantization: 'int4' is unknown; did you mean int8?",
    ),
    (
        "limits: {accuracy: about 0.97}",
        "x.yaml: limits.accuracy: 'about 0.97' is not a limit;"
        " write for example '>= 0.97' or '< 25'",
    ),
    (
        "limits: {miss_rate: '<= 0.1'}",
        "x.yaml: limits.miss_rate: is measured in streams; add dataset.streams,"
        " for example {hours: 1}",
    ),
    (
        "limits: {acuracy: '> 1'}",
        "x.yaml: limits.acuracy: unknown metric; did you mean accuracy?",
    ),
    (
        "objectives: {sizekb: minimize}",
        "x.yaml: objectives.sizekb: unknown metric; did you mean size_kb?",
    ),
    (
        "objectives: {accuracy: minimize}",
        "x.yaml: objectives.accuracy: must be maximize",
    ),
    (
        "objectives: {accuracy: maximize, size_kb: maximize}",
        "x.yaml: objectives.size_kb: must be minimize",
    ),
    (
        "require: [num_mels <= 3]",
        "x.yaml: require.0: 'num_mels <= 3' names 'num_mels', which is no parameter;"
        " did you mean num_mel_bins?",
    ),
    ("require: ['1 < 2']", "x.yaml: require.0: '1 < 2' names no parameter"),
    (
        f"require: [alpha * 1{400 * '0'} > 1]",
        f"x.yaml: require: 'alpha * 1{400 * '0'} > 1' cannot be computed:"
        " int too large to convert to float (no combination is allowed)",
    ),
    (
        "require: [noise_snr_db > 1]",
        "x.yaml: require: 'noise_snr_db > 1' cannot be computed:"
        " '>' not supported between instances of 'NoneType' and 'int'"
        " (no combination is allowed)",
    ),
    (
        "parameters: {alpha: {low: 0.1, high: 1}}\nrequire: [alpha > 1]",
        "x.yaml: require: alpha > 1" " (none of 20,000 combinations drawn at random is allowed)",
    ),
    (
        "require: [quantization == 'int8']",
        "x.yaml: require.0: \"quantization == 'int8'\": every quantization is made of each"
        " training, none is chosen",
    ),
    (
        "require: [alpha > 1]",
        "x.yaml: require: alpha > 1 (no combination is allowed)",
    ),
    (
        "parameters: {num_mel_bins: 200, frame_length_in_s: 0.016}",
        "x.yaml: parameters.num_mel_bins: 200 is too many for a frame of 0.016 s,"
        " which has 128 frequency bins (no combination is allowed)",
    ),
    (
        "parameters: {num_mel_bins: [10, 200], frame_length_in_s: [0.008, 0.016]}",
        "x.yaml: parameters.num_mel_bins: 200 can never be taken; num_mel_bins: 200 is too"
        " many for a frame of 0.0",
    ),
    (
        "parameters: {upper_frequency: 9000}",
        "x.yaml: parameters.upper_frequency: 9000 Hz is above the Nyquist frequency of"
        " 8000 Hz (no combination is allowed)",
    ),
    (
        "parameters: {upper_frequency: [4000, 9000]}",
        "x.yaml: parameters.upper_frequency: 9000 can never be taken; upper_frequency:"
        " 9000 Hz is above the Nyquist frequency of 8000 Hz",
    ),
    (
        "parameters: {alpha: [0.5, 1]}\nsearch: {enqueue: [{alpha: 2}]}",
        "x.yaml: search.enqueue.0.alpha: 2 is outside the space",
    ),
    (
        "parameters: {epochs: {low: 10, high: 20, step: 5}}\nsearch: {enqueue: [{epochs: 11}]}",
        "x.yaml: search.enqueue.0.epochs: 11 is outside the space",
    ),
    (
        "parameters: {alpha: [0.5, 1]}\nsearch: {enqueue: [{alpa: 1}]}",
        "x.yaml: search.enqueue.0.alpa: not a parameter that varies; did you mean alpha?",
    ),
    (
        "parameters: {num_mel_bins: [10, 20], num_coefficients: [10, 13], alpha: [0.5, 1]}\n"
        "search: {enqueue: [{alpha: 1}, {num_mel_bins: 10, num_coefficients: 13}]}",
        "x.yaml: search.enqueue.1: it can never be taken; num_coefficients: 13 is more than"
        " num_mel_bins (10)",
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_what_is_wrong_is_said_in_one_line_with_its_place(text, message):
    assert complaint(text).startswith(message)


@pytest.mark.parametrize(
    "text",
    [
        "parameters: {num_mel_bins: [10, 200], frame_length_in_s: [0.016, 0.032]}",
        "parameters: {upper_frequency: [4000, 9000], downsampling_rate: [16000, 20000]}",
        "parameters: {num_mel_bins: {low: 10, high: 200}, frame_length_in_s: 0.016}",
        "parameters: {alpha: [0.5, 1]}\nsearch: {enqueue: [{alpha: 1}]}",
        "parameters: {alpha: {low: 0.5, high: 1}}\nsearch: {enqueue: [{alpha: 0.77}]}",
        "parameters: {epochs: {low: 10, high: 20, step: 5}}\nsearch: {enqueue: [{epochs: 15}]}",
        "require: [alpha <= 1]",
    ],
)
def test_what_can_be_taken_somewhere_is_sound(text):
    space(text).check()


def test_one_allowed_combination_among_many_is_found():
    every = "{low: 2, high: 21}"
    space(
        f"parameters: {{num_mel_bins: {every}, num_coefficients: {every}, epochs: {every}}}\n"
        "require: [num_mel_bins + epochs + num_coefficients == 63]"
    ).check()


def test_what_is_given_in_part_is_completed_to_something_allowed():
    some = space("parameters: {num_mel_bins: [10, 20], num_coefficients: [10, 13], alpha: [1, 2]}")
    rng = np.random.default_rng(0)
    for _ in range(20):
        whole = some.completed({"num_coefficients": 13}, rng)
        assert whole is not None and whole["num_coefficients"] == 13 and some.allows(whole)
    impossible = {"num_mel_bins": 10, "num_coefficients": 13}
    assert some.completed(impossible, rng) is None
    assert some.completed(impossible | {"alpha": 1}, rng) is None


def test_a_goal_is_one_that_the_metric_can_reach():
    text = "dataset: {labels: [stop, go]}\nsearch: {goal: {accuracy: 97}}"
    with pytest.raises(SpecError, match="search.goal.accuracy: accuracy is a share from 0 to 1"):
        Space.parse(text, "x.yaml")


def test_what_a_requirement_cannot_be_computed_for_is_not_allowed():
    some = space("parameters: {blocks: {low: 0, high: 4}}\nrequire: [num_mel_bins / blocks > 2]")
    some.check()
    assert some.allows({"blocks": 2})
    assert "cannot be computed: " in (some.objection(some.candidate({"blocks": 0})) or "")


def test_a_value_is_the_step_it_is_meant_to_be():
    stepped = space("parameters: {final_sparsity: {low: 0.0, high: 0.7, step: 0.05}}")
    meant, given = ({"final_sparsity": value} for value in (0.15, 3 * 0.05))
    assert given != meant
    assert stepped.candidate(given) == stepped.candidate(meant)
    enqueued = stepped.with_search(enqueue=[given])
    assert enqueued.file.search.enqueue == [given]


@pytest.mark.parametrize(
    ("objectives", "aim"),
    [
        ("{accuracy: maximize, size_kb: minimize}", "accuracy"),
        ("{size_kb: minimize, miss_rate: minimize}", "miss_rate"),
        ("{accuracy: maximize, miss_rate: minimize}", "accuracy"),
        ("{size_kb: minimize, false_alarms_per_hour: minimize}", "accuracy"),
    ],
)
def test_results_are_compared_by_a_share_that_is_an_objective(objectives, aim):
    dataset = "dataset: {labels: [stop, go], silence: {}, streams: {}}\n"
    found = Space.parse(f"{dataset}objectives: {objectives}")
    assert (found.aim.name, found.goal.name) == (aim, "accuracy")


class TestTarget:
    """The core that a search aims at."""

    ON_A_CORE = (
        "target: cortex-m4\nlimits: {flash_kb: '<= 16', ram_kb: '<= 8', instructions: '<= 5e6'}\n"
    )

    def test_what_is_counted_there_may_be_limited(self) -> None:
        found = space(self.ON_A_CORE + "objectives: {instructions: minimize}")
        assert [str(limit) for limit in found.limits] == [
            "flash_kb <= 16",
            "ram_kb <= 8",
            "instructions <= 5000000",
        ]
        assert (
            found.target == found.facts()["target"] == found.comparable()["target"] == "cortex-m4"
        )
        assert {"flash_kb", "ram_kb", "instructions", "arena_kb"} <= found.metrics.keys()

    def test_without_one_nothing_is_counted(self) -> None:
        assert space("").target is None and "flash_kb" not in space("").metrics

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (
                "limits: {target: cortex-m4, flash_kb: '<= 16'}",
                "limits.target: is no limit; write it beside limits, as it counts for objectives,"
                " too",
            ),
            (
                "limits: {ram_kb: '<= 8'}",
                "limits.ram_kb: is counted on a core; name it, for example target: cortex-m4",
            ),
            (
                "objectives: {instructions: minimize}",
                "objectives.instructions: is counted on a core; name it, for example"
                " target: cortex-m4",
            ),
            (
                "target: cortex-m4\nparameters: {quantization: [int8, dynamic]}",
                "parameters.quantization: dynamic has no C for a cortex-m4; choose of float32, int8"
                " and int8_per_tensor",
            ),
            (
                "target: cortex-m4\nparameters: {frontend: [mfcc, 'tests.test_space:Louder']}",
                "parameters.frontend: tests.test_space:Louder has no C for a cortex-m4, only"
                " mfcc and log_mel do",
            ),
            (
                "clock_mhz: 64",
                "clock_mhz: is that of a core; name it, for example target: cortex-m4",
            ),
            ("target: cortex-m4\nclock_mhz: 0", "clock_mhz: input should be greater than 0"),
            (
                "target: cortex-m5",
                "target: input should be 'cortex-m0plus', 'cortex-m3', 'cortex-m4', 'cortex-m7',"
                " 'cortex-m33' or 'cortex-m55'",
            ),
        ],
    )
    def test_what_does_not_go_with_it_is_said_in_a_line(self, text, told) -> None:
        assert complaint(text) == f"x.yaml: {told}"


class Louder(MFCC):
    """A front end from outside."""
