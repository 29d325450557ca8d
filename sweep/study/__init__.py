"""Studies: run, kept, read back."""

from pathlib import Path

RESULTS = Path("results")
"""Where studies lie if nothing else is said."""
