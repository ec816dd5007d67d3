"""The stories that the demonstration agent plays, one generator each; chance decides how they go."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from buddy_core.runs.model import EndStatus
from buddy_top.demo import scenes
from buddy_top.demo.actor import Actor, Job, Script
from buddy_top.demo.projects import Project


def fix_bug(a: Actor) -> Script:
    """Find it, change something, run the tests, and again until they pass or patience ends."""
    yield from scenes.plan(a)
    a.begin("implement")
    passed = False
    for _ in range(a.rounds(2, 4)):
        for _ in range(a.rng.randint(1, 3)):
            yield from scenes.look_around(a)
        yield from scenes.edit(a)
        passed = yield from scenes.run_tests(a, chance=0.42)
        yield from a.think(80, 420)
        if passed:
            break
        a.emit("decision", description=a.rng.choice(_AFTER_FAILURE))
    a.done()
    yield from _finish(a, "completed" if passed else "failed")


def add_feature(a: Actor) -> Script:
    """Plan, write new files, check them, test them."""
    yield from scenes.plan(a)
    yield from scenes.todo(a, 4)
    a.begin("implement")
    for _ in range(a.rounds(3, 5)):
        yield from scenes.look_around(a)
        yield from a.think(300, 1_500)
        yield from scenes.create(a)
        yield from scenes.edit(a)
        if a.rng.random() < 0.5:
            yield from scenes.check(a)
    yield from scenes.todo(a, 4)
    a.done(outputLength=a.rng.randint(400, 1_600))
    a.begin("test")
    passed = yield from scenes.run_tests(a, chance=0.45)
    if not passed:
        yield from a.think()
        yield from scenes.edit(a)
        passed = yield from scenes.run_tests(a, chance=0.6)
    a.done(passed=passed)
    yield from _finish(a, "completed" if passed else "failed")


def do_chore(a: Actor) -> Script:
    """Slow work with long commands: install, read documentation, change many files."""
    yield from scenes.plan(a)
    a.begin("prepare")
    yield from scenes.install(a)
    yield from scenes.read_the_web(a)
    a.done()
    a.begin("change")
    for _ in range(a.rounds(4, 8)):
        yield from a.think(120, 700)
        yield from scenes.edit(a)
        if a.rng.random() < 0.4:
            yield from scenes.check(a)
    a.done()
    passed = yield from scenes.run_tests(a, chance=0.75)
    yield from _finish(a, "completed" if passed or a.rng.random() < 0.5 else "failed")


def investigate(a: Actor) -> Script:
    """Read a lot, change nothing, answer."""
    a.begin("investigate")
    yield from a.think(80, 300)
    for _ in range(a.rounds(4, 8)):
        yield from scenes.look_around(a)
        yield from a.think(60, 380)
    if a.rng.random() < 0.6:
        yield from scenes.delegate(a)
    yield from scenes.history(a)
    a.done()
    yield from a.think(400, 1_400)
    a.artifact("summary.md", scenes.summary(a))
    a.end("completed")


def retry(a: Actor) -> Script:
    """A fork of a run that failed: another approach, quicker and usually right."""
    yield from a.think(100, 500)
    yield from scenes.look_around(a)
    yield from scenes.edit(a)
    passed = yield from scenes.run_tests(a, chance=0.85)
    yield from a.think(80, 300)
    yield from _finish(a, "completed" if passed else "failed")


def stuck(a: Actor) -> Script:
    """A command that waits for a password nobody types; the agent gives up after forty minutes."""
    yield from scenes.plan(a)
    yield from scenes.look_around(a)
    a.begin("deploy")
    command = {"command": "ssh deploy@staging.internal 'sudo systemctl restart app'", "timeout": "2400000"}
    yield from a.tool(
        Job("bash", command, 40 * 60_000, 61, "Command timed out after 40m0s\n[sudo] password for deploy:")
    )
    a.emit("error", message="bash: no output for 40 minutes, process killed")
    a.done(passed=False)
    a.end("failed")


def crash(a: Actor) -> Script:
    """The agent's process dies in the middle of its work, without a last word."""
    yield from scenes.plan(a)
    yield from scenes.look_around(a)
    a.call(Job("bash", {"command": "docker build -t app:dev ."}, 0, 0))
    yield from a.pause(2_500)
    a.crash()


class Story(NamedTuple):
    """A script and what it is good for."""

    script: Callable[[Actor], Script]
    tag: str
    weight: float
    objectives: Callable[[Project], tuple[str, ...]]


STORIES = (
    Story(fix_bug, "bugfix", 4, lambda project: project.bugs),
    Story(add_feature, "feature", 3, lambda project: project.features),
    Story(do_chore, "maintenance", 2, lambda project: project.chores),
    Story(investigate, "question", 2, lambda project: (*project.chores, *project.bugs)),
)
"""What people ask for, and how often."""

_AFTER_FAILURE = (
    "The failure is in the fixture, not in the code under test; trying again with a frozen clock",
    "The assertion is right and my change is wrong; reverting the last edit",
    "Two causes overlap here; fixing the ordering first",
)


def _finish(a: Actor, status: EndStatus) -> Script:
    """The last words of a run that changed something."""
    if status == "failed":
        a.emit("error", message="tests still failing; the changes are left in the working tree")
        yield from a.think(80, 300)
        a.end("failed")
        return
    a.artifact("patch.diff", scenes.patch(a))
    a.emit("patch_applied", filesApplied=a.rng.randint(1, 5))
    yield from a.think(150, 600)
    a.artifact("summary.md", scenes.summary(a))
    a.end("completed")
