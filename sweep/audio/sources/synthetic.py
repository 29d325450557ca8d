"""Words spoken by eSpeak NG."""

from collections.abc import Iterator
from pathlib import Path

from sweep.audio.sources.base import Progress, Source, Wanted
from sweep.audio.synthesis import synthesize
from sweep.parameters import parameter


class Synthetic(Source):
    """Any words spoken by eSpeak NG in noise, made here in seconds."""

    clips_per_label: int = parameter(1000, low=10, meaning="clips of each word")
    lowest_snr_db: float = parameter(
        -5.0, low=-100, high=100, meaning="lowest signal-to-noise ratio of a clip"
    )
    highest_snr_db: float = parameter(
        15.0, low=-100, high=100, meaning="highest signal-to-noise ratio of a clip"
    )

    is_made_to_order = True

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the range of ratios."""
        lowest, highest = self.lowest_snr_db, self.highest_snr_db
        if lowest > highest:
            yield "lowest_snr_db", f"{lowest:g} is above highest_snr_db ({highest:g})"

    def folder(self, wanted: Wanted, progress: Progress | None = None) -> Path:
        """Return the folder of words, synthesized once."""
        return synthesize(
            wanted.words,
            self.clips_per_label,
            (self.lowest_snr_db, self.highest_snr_db),
            wanted.seed,
            wanted.clip_length_in_s,
            progress,
        )
