"""`with store.run(...)`: a run that ends as its body ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from buddy_core.runs.model import EndStatus, RunMetadata
from buddy_core.runs.store.call_context import ToolCall, recorded_call, recorded_step
from buddy_core.runs.store.describe import describe

if TYPE_CHECKING:
    from buddy_core.runs.store.store import RunStore


class Run:
    """A run inside `with store.run(...)`: the store's methods without the id."""

    def __init__(self, store: RunStore, run_id: str) -> None:
        self.store = store
        self.run_id = run_id

    def emit(self, type: str, data: object) -> bool:
        """As `RunStore.emit`."""
        return self.store.emit(self.run_id, type, data)

    def tool(self, name: str, args: Mapping[str, Any] | None = None) -> AbstractContextManager[ToolCall]:
        """Record the body of a `with` statement as a tool call: its arguments, its duration, and how it ended.

        Tell the call what came back with `returned(output, error=…)`; an exception is its failure.
        """
        return recorded_call(self, name, args)

    def step(self, name: str, objective: str | None = None) -> AbstractContextManager[None]:
        """Record the body of a `with` statement as a step, which has passed unless an exception leaves it."""
        return recorded_step(self, name, objective)

    def save_artifact(self, name: str, content: str | bytes) -> Path:
        """As `RunStore.save_artifact`."""
        return self.store.save_artifact(self.run_id, name, content)

    def update_metrics(self, **partial: float) -> None:
        """As `RunStore.update_metrics`."""
        self.store.update_metrics(self.run_id, **partial)

    def add_metrics(self, **amounts: float) -> None:
        """As `RunStore.add_metrics`."""
        self.store.add_metrics(self.run_id, **amounts)

    def end(self, status: EndStatus) -> None:
        """End the run before its body does, with another status; what is recorded later is refused."""
        self.store.end_run(self.run_id, status)


@contextmanager
def recorded_run(
    store: RunStore, objective: str, metadata: RunMetadata | Mapping[str, Any] | None
) -> Iterator[Run]:
    """What `RunStore.run` returns.

    Anything that is no `Exception` (KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit)
    is an interrupt from outside and no failure of the body.
    """
    run = Run(store, store.start_run(objective, metadata))
    status: EndStatus = "cancelled"
    try:
        yield run
        status = "completed"
    except Exception as error:
        run.emit("error", {"message": describe(error)})
        status = "failed"
        raise
    finally:
        if store.is_open(run.run_id):
            store.end_run(run.run_id, status)
