"""The garbage collector is held back while many small objects are made, and is as it was afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from buddy_core.runs.reading.garbage import without_collection


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    """Whatever happens, the tests after these have a collector."""
    gc.enable()
    yield
    gc.enable()


def test_nothing_is_collected_meanwhile_and_then_it_goes_on() -> None:
    with without_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_an_error_too() -> None:
    with pytest.raises(ValueError, match="mine"), without_collection():
        raise ValueError("mine")
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    with without_collection():
        assert not gc.isenabled()
    assert not gc.isenabled()


def test_one_inside_another_changes_nothing() -> None:
    with without_collection():
        with without_collection():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
