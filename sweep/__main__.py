"""The program ``sweep``, or ``python -m sweep``."""

import sys
from importlib.util import find_spec

from sweep.errors import SweepError


def main() -> None:
    """Run a command; without typer only ``predict``, which needs NumPy and LiteRT."""
    if find_spec("typer"):
        from sweep.cli import main as run_command

        run_command()
    else:
        predict(*sys.argv[1:])


def predict(command: str = "", folder: str = "", *clips: str) -> None:
    """Print the predicted label of each clip, one per line."""
    if command != "predict" or not clips:
        sys.exit(
            "Usage: sweep predict FOLDER CLIP...\n"
            "typer is not installed; pip install 'tinysweep[train,serve]' brings every command"
        )
    from sweep.predict import Classifier

    try:
        classifier = Classifier(folder)
        for clip in clips:
            print(classifier.predict(clip))
    except SweepError as error:
        sys.exit(f"sweep: {error}")


if __name__ == "__main__":
    main()
