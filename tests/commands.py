"""Commands that stand for a device."""

from pathlib import Path


def write_command(folder: Path, script: str) -> str:
    """Return a command that runs a script of the shell with the path of a model."""
    (folder / "measure.sh").write_text(script)
    return f"sh '{folder}/measure.sh' {{model}}"
