"""What a filter is held against: one run's facts, and what its events say beyond them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.folding.harvest import Harvest
from buddy_core.runs.records.json_values import printable_utf8
from buddy_core.safety.redact import hold_no_secret, redact

MAX_TOOLS = 200
MAX_ERRORS = 50
MAX_ERROR_TEXT = 300
_MAX_WORDS = 20_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """One run, as far as a filter without `content:` asks."""

    facts: RunFacts
    tools: tuple[str, ...] = ()
    """Names of the tools it called, at most `MAX_TOOLS`, in the order of their first results."""
    errors: tuple[str, ...] = ()
    """Different error texts, at most `MAX_ERRORS`, cut to `MAX_ERROR_TEXT` characters."""


@dataclass(slots=True)
class Gleanings:
    """Collects a run's tools and error texts from the harvests of its batches."""

    _tools: dict[str, None] = field(default_factory=dict)
    _errors: dict[str, None] = field(default_factory=dict)

    def add(self, harvest: Harvest) -> None:
        """Take what one batch brought."""
        self.add_tools(harvest.tools)
        texts = (record.message for record in harvest.errors)
        failures = (record.message for _, _, record in harvest.tool_errors)
        for text in (*texts, *failures):
            if len(self._errors) < MAX_ERRORS and text:
                self._errors[text[:MAX_ERROR_TEXT]] = None

    def add_tools(self, names: Iterable[str]) -> None:
        """Take names, such as those of calls that have no result."""
        for name in names:
            if len(self._tools) < MAX_TOOLS:
                self._tools[name] = None

    @property
    def tools(self) -> tuple[str, ...]:
        """Every name taken so far."""
        return tuple(self._tools)

    @property
    def errors(self) -> tuple[str, ...]:
        """Every text taken so far."""
        return tuple(self._errors)


def fold(text: str) -> str:
    """`text` in the form in which words are compared: without case, as UTF-8 can write it, without separators."""
    return printable_utf8(text.replace("\0", "\ufffd").replace("\x1f", "\ufffd")).casefold()


def words_of(candidate: Candidate) -> str:
    """All that free words are looked for in but the status, folded."""
    facts = candidate.facts
    parts = (facts.objective, facts.run_id, facts.model or "", *facts.tags, *facts.artifacts)
    return searchable(*parts, *candidate.tools, *candidate.errors)


def searchable(*parts: str) -> str:
    """The texts in which free words are looked for, one after the other, folded."""
    return fold("\n".join(parts)[:_MAX_WORDS])


def masked(candidate: Candidate) -> Candidate:
    """The same without secrets in any of its texts: what may be kept in a file, and what filters are held against."""
    facts = candidate.facts
    texts = (
        facts.objective,
        facts.model,
        facts.cwd,
        facts.fork_reason,
        facts.step,
        facts.channel,
        facts.session_id,
        facts.parent_run_id,
        facts.recorded_status,
    )
    lists = (facts.tags, facts.artifacts, candidate.tools, candidate.errors)
    running = [text for tool in facts.running_tools for text in (tool.name, tool.argument)]
    told = [text for text in texts if text] + [text for some in lists for text in some] + running
    return candidate if hold_no_secret(told) else _masked(candidate)


def _masked(candidate: Candidate) -> Candidate:
    facts = candidate.facts
    clean = replace(
        facts,
        objective=redact(facts.objective),
        model=_redacted(facts.model),
        cwd=_redacted(facts.cwd),
        fork_reason=_redacted(facts.fork_reason),
        step=_redacted(facts.step),
        channel=_redacted(facts.channel),
        session_id=_redacted(facts.session_id),
        parent_run_id=_redacted(facts.parent_run_id),
        recorded_status=_redacted(facts.recorded_status),
        tags=_all_masked(facts.tags),
        artifacts=_all_masked(facts.artifacts),
        running_tools=tuple(
            replace(tool, name=redact(tool.name), argument=redact(tool.argument))
            for tool in facts.running_tools
        ),
    )
    return Candidate(clean, _all_masked(candidate.tools), _all_masked(candidate.errors))


def _redacted(text: str | None) -> str | None:
    return None if text is None else redact(text)


def _all_masked(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(redact, texts))
