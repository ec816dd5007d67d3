"""What callers hand to a store although its annotations forbid it: counted or refused by name, never a surprise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from buddy_core.errors import BadArtifactName
from buddy_core.runs.model import RunMetrics
from buddy_core.runs.store.store import RunStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs")
    yield store
    store.close()


class Unhashable(str):
    """A text that raises when it is looked up."""

    def __hash__(self) -> int:
        raise RuntimeError("no hash")


STRANGE: list[object] = [None, 5, ["run_a_000000"], {}, b"run_a_000000", Unhashable("run_a_000000")]


@pytest.mark.parametrize("run_id", STRANGE, ids=repr)
def test_an_event_for_what_is_no_run_id_is_counted_and_nothing_is_raised(
    store: RunStore, run_id: object
) -> None:
    assert store.emit(run_id, "note", {}) is False  # type: ignore[arg-type]
    assert store.refused == {"unknown run": 1}


@pytest.mark.parametrize("name", [None, 5, b"plan.md", ["plan.md"]], ids=repr)
def test_an_artifact_name_that_is_no_text_is_a_bad_name(store: RunStore, name: object) -> None:
    """Case 74."""
    run_id = store.start_run("x")
    with pytest.raises(BadArtifactName):
        store.save_artifact(run_id, name, "x")  # type: ignore[arg-type]
    assert list((store.runs_dir / run_id / "artifacts").iterdir()) == []


@pytest.mark.parametrize("name", ["CONIN$", "conout$.txt", "clock$"])
def test_names_of_consoles_are_reserved_too(store: RunStore, name: str) -> None:
    """Case 74."""
    with pytest.raises(BadArtifactName):
        store.save_artifact(store.start_run("x"), name, "x")


def test_no_refused_event_is_left_uncounted_by_threads_that_refuse_at_once(store: RunStore) -> None:
    threads = [
        Thread(target=lambda: [store.emit("run_zz_000000", "note", {}) for _ in range(2_000)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.refused == {"unknown run": 8_000}


@pytest.mark.parametrize("content", [5, None, ["a"]], ids=str)
def test_an_artifact_of_neither_text_nor_bytes_is_refused_and_leaves_nothing(
    store: RunStore, content: Any
) -> None:
    run_id = store.start_run("o")
    with pytest.raises(TypeError):
        store.save_artifact(run_id, "a.bin", content)
    assert store.get_artifact(run_id, "a.bin") is None
    assert store.save_artifact(run_id, "a.bin", bytearray(b"x")).read_bytes() == b"x"


@pytest.mark.parametrize("totals", [{"total_tokens": 4}, {"totalTokens": 4}], ids=str)
def test_totals_can_be_saved_as_a_mapping_too(store: RunStore, totals: dict[str, int]) -> None:
    run_id = store.start_run("o")
    store.update_metrics(run_id, prompt_tokens=9)
    store.save_metrics(run_id, totals)
    found = store.get_run(run_id)
    assert found is not None
    assert found.metrics == RunMetrics(total_tokens=4)
