"""A run as JSON and Markdown: what stands in it, and what never does (cases 55 to 62 and 83)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from buddy_core.clock import ManualClock
from buddy_core.errors import RunNotFound
from buddy_core.runs.export import export_run
from buddy_core.safety.redact import MASK
from buddy_core.safety.text import is_plain
from buddy_core.testing import RunDirectoryBuilder, sample_runs

NOW = 1_767_990_000_000

SECRET = "hunter2canary"
HOSTILE = "\x1b]0;pwned\x07 \u202eback\u202c \x9b31m [link](javascript:alert(1)) <script>alert(1)</script> | `x` **b**"


def put_artifact(root: Path, run_id: str, name: str, data: bytes) -> None:
    folder = root / run_id / "artifacts"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """A run with the same secret in every place a run has."""
    run = RunDirectoryBuilder(
        tmp_path,
        objective=f"use password={SECRET} for it",
        metadata={"tags": [f"password={SECRET}"], "cwd": f"/srv/password={SECRET}"},
    )
    run.event(
        "tool_call", {"toolName": "bash", "toolCallId": "1", "args": {"command": f"psql --password {SECRET}"}}
    )
    run.event(
        "tool_result",
        {
            "toolName": "bash",
            "toolCallId": "1",
            "success": False,
            "error": f"login failed: password={SECRET}",
        },
    )
    run.event("error", {"message": f"postgres://app:{SECRET}@db/x refused"})
    run.event("decision", {"description": "go on", "env": {"DB_PASSWORD": SECRET}})
    run.event(f"password={SECRET}", {"x": 1})
    run.write()
    put_artifact(tmp_path, run.run_id, "env.txt", f"DB_PASSWORD={SECRET}\n".encode())
    put_artifact(tmp_path, run.run_id, f"password={SECRET}", b"x")
    return tmp_path


def export(root: Path, format: Any, **how: Any) -> str:
    return export_run("last", format, store=root, clock=ManualClock(NOW), **how)


@pytest.mark.parametrize("format", ["json", "md", "html"])
def test_no_secret_of_a_run_is_in_its_export(leaky: Path, format: str) -> None:
    """Case 83."""
    document = export(leaky, format)
    assert SECRET not in document
    assert MASK in document or json.dumps(MASK)[1:-1] in document


@pytest.mark.parametrize("format", ["json", "md", "html"])
def test_who_asks_for_it_gets_the_secrets_and_the_document_says_so(leaky: Path, format: str) -> None:
    document = export(leaky, format, unmasked=True)
    assert SECRET in document
    assert '"masked": false' in document or "ecrets are not masked" in document


@pytest.mark.parametrize("format", ["json", "md", "html"])
def test_no_control_character_of_a_run_is_in_its_export(tmp_path: Path, format: str) -> None:
    """Cases 55 to 58 and 61: every line could be printed to a terminal as it is."""
    run = RunDirectoryBuilder(tmp_path, objective=HOSTILE)
    run.event("tool_call", {"toolName": HOSTILE, "toolCallId": "1", "args": {HOSTILE: HOSTILE}})
    run.event("tool_result", {"toolName": HOSTILE, "toolCallId": "1", "success": False, "error": HOSTILE})
    run.event(HOSTILE, {"x": HOSTILE}).write()
    put_artifact(tmp_path, run.run_id, "a\x1b[31m.txt", HOSTILE.encode())
    assert all(map(is_plain, export(tmp_path, format).split("\n")))


def test_json_is_the_document_of_run_show_with_artifacts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from buddy_top.cli.entry import main

    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for run_id in sample_runs(tmp_path / "runs", now_ms=NOW):
        main(["run", "show", run_id, "--json", "--runs-dir", str(tmp_path / "runs")])
        shown = json.loads(capsys.readouterr().out)
        exported = json.loads(export_run(run_id, store=tmp_path / "runs"))
        artifacts = exported.pop("artifacts")
        assert exported.pop("masked") is True
        assert [artifact["name"] for artifact in artifacts] == shown["run"]["artifacts"]
        for document in (shown, exported):
            document.pop("generated_at")
        assert exported == {name: shown[name] for name in exported}


def test_a_number_of_tokens_is_no_secret(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path)
    run.request(
        "anthropic", "claude-sonnet-4-5", prompt=1200, completion=340, latency_ms=900, cost=0.01
    ).write()
    document = json.loads(export(tmp_path, "json"))
    metric = next(event for event in document["events"] if event["type"] == "metric")
    assert metric["data"]["promptTokens"] == 1200
    assert document["run"]["total_tokens"] == 1540


def test_markdown_tells_failures_before_the_timeline_and_artifacts_last(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path)
    run.event("error", {"message": "it broke"}).write()
    put_artifact(tmp_path, run.run_id, "plan.md", b"# plan\n")
    document = export(tmp_path, "md")
    places = [
        document.index(part)
        for part in ("# Fix", "## What went wrong", "it broke", "## Timeline", "### plan.md")
    ]
    assert places == sorted(places)


def test_observed_text_is_no_markup_in_markdown(tmp_path: Path) -> None:
    """Cases 60 and 62."""
    RunDirectoryBuilder(tmp_path, objective=HOSTILE).write()
    document = export(tmp_path, "md")
    heading = document.split("\n")[0]
    assert "<script" not in document.replace("\\<", "")
    assert "\\[link\\]" in heading
    assert "\\`x\\`" in heading
    assert "\\|" in heading


def test_an_artifact_cannot_close_its_fence(tmp_path: Path) -> None:
    """Case 62."""
    run = RunDirectoryBuilder(tmp_path)
    run.write()
    put_artifact(tmp_path, run.run_id, "plan.md", b"```\n</details>\n`````\n# not a heading\n")
    document = export(tmp_path, "md")
    assert document.count("\n``````") == 2


def test_an_artifact_that_is_no_text_is_named_and_not_shown(tmp_path: Path) -> None:
    """Case 51."""
    run = RunDirectoryBuilder(tmp_path)
    run.write()
    put_artifact(tmp_path, run.run_id, "image.png", b"\x89PNG\0\0")
    (artifact,) = json.loads(export(tmp_path, "json"))["artifacts"]
    assert (artifact["name"], artifact["text"]) == ("image.png", None)
    assert "not text" in artifact["note"]


def test_a_long_artifact_is_shown_in_its_beginning(tmp_path: Path) -> None:
    """Case 51."""
    run = RunDirectoryBuilder(tmp_path)
    run.write()
    put_artifact(tmp_path, run.run_id, "big.log", b"line\n" * 200_000)
    (artifact,) = json.loads(export(tmp_path, "json"))["artifacts"]
    assert len(artifact["text"]) <= 64 * 1024
    assert (artifact["size"], artifact["note"]) == (1_000_000, "the beginning")


def test_a_secret_across_the_end_of_what_is_shown_leaves_no_half(tmp_path: Path) -> None:
    """Case 83."""
    run = RunDirectoryBuilder(tmp_path)
    run.write()
    token = b"ghp_" + b"a1B2" * 9
    put_artifact(tmp_path, run.run_id, "big.log", b"x" * (64 * 1024 - 10) + b" " + token + b"\n" * 9_000)
    assert b"a1B2" not in export(tmp_path, "json").encode()


def test_what_cannot_be_exported_is_said(tmp_path: Path) -> None:
    RunDirectoryBuilder(tmp_path).write()
    with pytest.raises(RunNotFound):
        export_run("run_zzz", store=tmp_path)
    with pytest.raises(ValueError, match="pdf"):
        export(tmp_path, "pdf")
