"""Where the sample data lies: the project's own small samples, and the larger set beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

OWN = Path(__file__).parent / "data"
"""Small samples that come with the project."""

VARIABLE = "BUDDY_TOP_SAMPLE_DATA"


def sample_data() -> Path:
    """The folder with real run directories; the test is skipped where there is none."""
    named = os.environ.get(VARIABLE)
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not (folder / "codebuddy-home" / "runs").is_dir():
        pytest.skip(f"no sample data: {folder} has no codebuddy-home/runs (set {VARIABLE})")
    return folder
