"""Errors become Sentry events: typed, grouped, limited in rate, and nothing of the host is patched for it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk
from hypothesis import given, settings
from hypothesis import strategies as st
from sentry_sdk.transport import Transport
from tests.core.sending.sentry_stub import SentryStub

from buddy_core import (
    MetricsCollector,
    RunStore,
    init_observability,
    instrument,
    shutdown_observability,
    telemetry_losses,
)
from buddy_core.telemetry import reporting, state
from buddy_core.telemetry.sending.masking import masker_for
from buddy_core.telemetry.sending.scrub import Scrubber, pattern_of


@pytest.fixture
def sentry() -> Iterator[SentryStub]:
    with SentryStub() as stub:
        yield stub
        shutdown_observability(1)


def switch_on(stub: SentryStub, directory: Path, **env: str) -> tuple[MetricsCollector, RunStore]:
    assert init_observability({"SENTRY_DSN": stub.dsn, **env}).sentry == "on"
    collector, store = MetricsCollector(), RunStore(directory)
    instrument(collector, store)
    return collector, store


def sent(stub: SentryStub) -> list[dict[str, Any]]:
    """Flush, and the events that arrived."""
    assert state._state.reporter is not None
    assert state._state.reporter.flush(10)
    return stub.events


def test_a_recorded_error_becomes_an_event_with_its_type_its_run_and_a_fingerprint(
    sentry: SentryStub, tmp_path: Path
) -> None:
    collector, store = switch_on(sentry, tmp_path, CODEBUDDY_ENV="staging", CODEBUDDY_VERSION="1.2")
    run = store.start_run("x")
    for number in range(2):
        collector.record_error(
            "ReadError", f"cannot open /home/ann/{number}.txt (errno {number})", run_id=run
        )
    collector.record_tool_execution(name="bash", success=False, error="exit code 2", run_id=run)
    store.end_run(run, "failed")
    first, second, tool = sent(sentry)
    assert (first["environment"], first["release"], first["level"]) == ("staging", "1.2", "error")
    exception = first["exception"]["values"][0]
    assert (exception["type"], exception["value"]) == (
        "ReadError",
        "cannot open ‹…› (errno ‹…›",
    )
    assert first["tags"] == {"run_id": run}
    assert first["fingerprint"] == second["fingerprint"] != tool["fingerprint"]
    assert tool["exception"]["values"][0]["type"] == "tool_error"
    assert "server_name" not in first
    post = sentry.posts[0]
    assert post.path == "/api/42/envelope/"
    assert "sentry_key=publickey" in post.headers["x-sentry-auth"]


def test_the_message_leaves_whole_but_masked_where_the_user_asked_for_content(
    sentry: SentryStub, tmp_path: Path
) -> None:
    collector, _ = switch_on(sentry, tmp_path, CODEBUDDY_TELEMETRY_CONTENT="1")
    collector.record_error(
        "E", "code 42, password=hunter2hunter2", context={"path": "/x", "token": "abcdefgh1234"}
    )
    event = sent(sentry)[0]
    assert event["exception"]["values"][0]["value"].startswith("code 42, password=")
    assert event["extra"]["context"]["path"] == "/x"
    assert b"hunter2" not in sentry.everything
    assert b"abcdefgh1234" not in sentry.everything


def test_a_loop_of_errors_is_limited_by_kind_and_in_all_and_what_is_left_out_is_counted(
    sentry: SentryStub, tmp_path: Path
) -> None:
    collector, _ = switch_on(sentry, tmp_path)
    for number in range(100):
        collector.record_error("Loop", f"again {number}")
    assert len(sent(sentry)) == reporting.MOST_ALIKE
    kinds = 2 * reporting.MOST_IN_ALL
    for number in range(kinds):
        collector.record_error(f"Kind{number}", "x")
    lost = telemetry_losses()["reports"]
    assert len(sent(sentry)) <= reporting.MOST_IN_ALL
    assert lost["rate limit"] == 100 - reporting.MOST_ALIKE + kinds - (
        reporting.MOST_IN_ALL - reporting.MOST_ALIKE
    )


def test_the_host_may_report_through_the_same_client_if_it_has_none_of_its_own(
    sentry: SentryStub, tmp_path: Path
) -> None:
    switch_on(sentry, tmp_path)
    local_word = "a local value"
    sentry_sdk.add_breadcrumb(category="http", message="GET https://host/x?y=1", data={"body": "inside"})
    try:
        raise ValueError(f"could not parse {local_word!r}")
    except ValueError:
        sentry_sdk.capture_exception()
    event = sent(sentry)[0]
    exception = event["exception"]["values"][0]
    frame = exception["stacktrace"]["frames"][-1]
    assert (exception["type"], exception["value"]) == ("ValueError", "could not parse ‹…›")
    assert frame["function"].startswith("test_the_host_may")
    assert set(frame) <= {"function", "module", "lineno", "in_app", "filename"}
    crumb = event["breadcrumbs"]["values"][0]
    assert (crumb["category"], crumb["message"]) == ("http", "GET ‹…›")
    assert "data" not in crumb
    for word in (b"a local value", b"local_word", b"inside", b"y=1"):
        assert word not in sentry.everything


def test_a_client_of_the_host_stays_in_its_place_and_hears_nothing_of_ours(
    sentry: SentryStub, tmp_path: Path
) -> None:
    heard: list[Any] = []

    class Kept(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            heard.append(envelope)

    own = sentry_sdk.Client(
        dsn="http://own@127.0.0.1:9/1", transport=Kept, default_integrations=False, send_client_reports=False
    )
    sentry_sdk.get_global_scope().set_client(own)
    try:
        collector, _ = switch_on(sentry, tmp_path)
        assert sentry_sdk.get_client() is own
        collector.record_error("Ours", "x")
        assert [e["exception"]["values"][0]["type"] for e in sent(sentry)] == ["Ours"]
        shutdown_observability(1)
        assert sentry_sdk.get_client() is own
        assert heard == []
    finally:
        sentry_sdk.get_global_scope().set_client(None)


def test_switching_off_leaves_no_client_and_no_thread_behind(sentry: SentryStub, tmp_path: Path) -> None:
    before = {thread.name for thread in threading.enumerate()}
    switch_on(sentry, tmp_path)
    assert sentry_sdk.get_client().is_active()
    shutdown_observability(1)
    assert not sentry_sdk.get_client().is_active()
    for thread in threading.enumerate():
        if thread.name.startswith("codebuddy-"):
            thread.join(5)
    assert {thread.name for thread in threading.enumerate()} <= before


def test_no_integration_is_installed_and_nothing_is_patched(sentry: SentryStub, tmp_path: Path) -> None:
    hook, start = sys.excepthook, threading.Thread.start
    switch_on(sentry, tmp_path)
    assert sentry_sdk.get_client().integrations == {}
    assert sys.excepthook is hook
    assert threading.Thread.start is start


def test_only_what_the_scrubber_has_seen_leaves(
    sentry: SentryStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attachments, sessions, logs and profiles do not pass `before_send`, and so do not leave."""
    monkeypatch.setenv("SENTRY_SPOTLIGHT", "1")
    monkeypatch.setenv("SENTRY_DEBUG", "1")
    switch_on(sentry, tmp_path, CODEBUDDY_ENV="dev")
    sentry_sdk.get_isolation_scope().start_session()
    with sentry_sdk.new_scope() as scope:
        scope.add_attachment(bytes=b"attached", filename="a.txt")
        scope.set_user({"id": "ann", "email": "ann@host", "ip_address": "10.0.0.1"})
        scope.set_extra("more", "extra-words")
        scope.set_context("own", {"x": "context-words"})
        scope.set_tag("note", "say 'tag-words'")
        sentry_sdk.capture_message("hello there")
    with sentry_sdk.start_transaction(name="work", op="task") as transaction:
        transaction.set_data("query", "data-words")
        with sentry_sdk.start_span(op="db", name="select 'span-words'"):
            pass
    sentry_sdk.get_isolation_scope().end_session()
    sent(sentry)
    assert {type_ for type_, _ in sentry.items} == {"event", "transaction"}
    assert sentry.events[0]["logentry"]["message"] == "hello there"
    for word in (b"attached", b"ann", b"10.0.0.1", b"extra-", b"context-words", b"tag-words", b"data-words"):
        assert word not in sentry.everything, word
    assert b"span-words" not in sentry.everything


def test_a_server_that_asks_for_a_rest_gets_it(tmp_path: Path) -> None:
    with SentryStub(lambda _: (429, {"retry-after": "60"}, b"")) as stub:
        collector, _ = switch_on(stub, tmp_path)
        for number in range(3):
            collector.record_error(f"E{number}", "x")
        sent(stub)
        assert len(stub.posts) == 1
        assert telemetry_losses()["reports"] == {"status 429": 1, "the server asked for a rest": 2}
        shutdown_observability(1)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("connection refused", "connection refused"),
        ("user 'ann' has no key", "user ‹…› has no key"),
        ("GET https://a:b@host/x failed", "GET ‹…› failed"),
        ("see /etc/passwd", "see ‹…›"),
        ("token=abc", "‹…›"),
        ("id 7f3a9c01", "id ‹…›"),
        ('an unfinished "quote with words', "an unfinished ‹…›"),
        ("x" * 40, "‹…›"),
    ],
)
def test_of_a_text_only_its_wording_is_left(text: str, pattern: str) -> None:
    assert pattern_of(text) == pattern


SCRUBBER = Scrubber(masker_for({}), content=False)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "exception",
                "breadcrumbs",
                "tags",
                "contexts",
                "logentry",
                "message",
                "spans",
                "extra",
                "fingerprint",
                "type",
                "event_id",
            ]
        ),
        JSON,
    )
)
def test_the_scrubber_takes_events_of_any_shape(event: dict[str, Any]) -> None:
    """Whatever it cannot take is dropped whole by the SDK: nothing leaves unseen. It need not come to that."""
    SCRUBBER.event(event)
