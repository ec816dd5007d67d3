"""Parts of stories: a look around, an edit, a test run. Each takes as long as it takes in life."""

from __future__ import annotations

from collections.abc import Generator

from buddy_top.demo.actor import Actor, Job, Script

_PAGES = (
    ("https://docs.sqlalchemy.org/en/20/changelog/migration_20.html", 1_350, 61_200, None),
    ("https://react.dev/reference/react/useActionState", 820, 38_400, None),
    ("https://pkg.go.dev/golang.org/x/sync/errgroup", 640, 14_900, None),
    ("https://stackoverflow.com/questions/tagged/overlayfs", 410, 0, "HTTP 403 Forbidden"),
    ("https://wiki.internal/display/OPS/Runbooks", 10_020, 0, "connect timed out after 10 s"),
)


def plan(a: Actor) -> Script:
    """Think about the objective and write the plan down."""
    a.begin("plan")
    yield from a.think(150, 800)
    yield from look_around(a)
    if a.rng.random() < 0.55:
        a.artifact("plan.md", _plan(a))
    a.done(outputLength=a.rng.randint(180, 1_400))
    a.emit("decision", description="Plan confirmed, proceeding with implementation")


def look_around(a: Actor) -> Script:
    """Search, then read one or more of the files found, often at once."""
    rng = a.rng
    pattern = {"pattern": rng.choice(a.project.symbols), "path": "."}
    error = "regex parse error: unclosed group" if rng.random() < 0.03 else None
    yield from a.tool(Job("search", pattern, rng.uniform(90, 700), rng.randint(120, 5_200), error))
    yield from a.pause(rng.uniform(300, 1_400))
    yield from a.tools([_view(a) for _ in range(rng.choice((1, 1, 2, 3)))])
    yield from a.think(40, 320)


def edit(a: Actor) -> Script:
    """Change a file; now and then the text to replace is not there."""
    path = f"{a.project.cwd}/{a.rng.choice(a.project.sources)}"
    args = {"path": path, "old_string": "…", "new_string": "…"}
    if a.rng.random() < 0.1:
        error = f"No replacement was performed: old_string did not appear verbatim in {path}"
        yield from a.tool(Job("str_replace_editor", args, a.rng.uniform(3, 9), len(error), error))
        yield from a.think(40, 160)
        yield from a.tool(_view(a))
    yield from a.tool(Job("str_replace_editor", args, a.rng.uniform(4, 25), a.rng.randint(80, 420)))
    yield from a.pause(a.rng.uniform(400, 1_600))


def create(a: Actor) -> Script:
    """Write a new file."""
    source = a.rng.choice(a.project.sources)
    stem, _, ending = source.rpartition(".")
    args = {"path": f"{a.project.cwd}/{stem}_{a.rng.choice(('support', 'limits', 'export'))}.{ending}"}
    yield from a.tool(Job("create_file", args, a.rng.uniform(4, 18), a.rng.randint(900, 6_400)))
    yield from a.pause(a.rng.uniform(400, 1_600))


def run_tests(a: Actor, *, chance: float) -> Generator[float, None, bool]:
    """Run one test file; returns whether it passed, for which the `chance` is given."""
    test = a.rng.choice(a.project.tests)
    passed = a.rng.random() < chance
    error = None if passed else a.rng.choice(a.project.test_failures).replace("{test}", test)
    command = a.project.test_command.replace("{test}", test)
    output = a.rng.randint(300, 1_500) if passed else a.rng.randint(1_800, 9_000)
    milliseconds = a.rng.lognormvariate(8.7, 0.55)
    yield from a.tool(
        Job("bash", {"command": command, "description": "Run tests"}, milliseconds, output, error)
    )
    if error and a.rng.random() < 0.5:
        a.artifact("test-results.log", f"$ {command}\n{error}\n")
    return passed


def check(a: Actor) -> Script:
    """Run the linter and the type checker."""
    error = a.rng.choice(a.project.check_failures) if a.rng.random() < 0.3 else None
    args = {"command": a.project.check_command, "description": "Lint and type check"}
    yield from a.tool(Job("bash", args, a.rng.lognormvariate(8.1, 0.5), a.rng.randint(40, 900), error))
    yield from a.think(40, 220)


def install(a: Actor) -> Script:
    """Install what the project needs, which takes a while."""
    args = {"command": a.project.install_command, "description": "Install dependencies"}
    yield from a.tool(Job("bash", args, a.rng.uniform(6_000, 21_000), a.rng.randint(200, 3_000)))
    yield from a.think(40, 200)


def read_the_web(a: Actor) -> Script:
    """Search the web and fetch a page, which does not always answer."""
    query = {
        "query": f"{a.project.language} {a.rng.choice(('migration guide', 'breaking changes', 'best practice'))}"
    }
    yield from a.tool(Job("web_search", query, a.rng.uniform(600, 1_900), a.rng.randint(2_000, 6_000)))
    url, ms, output, error = a.rng.choice(_PAGES)
    yield from a.tool(Job("web_fetch", {"url": url}, ms * a.rng.uniform(0.8, 1.3), output, error))
    yield from a.think(80, 420)


def delegate(a: Actor) -> Script:
    """Let a second agent search, while a policy stops something that was not asked for."""
    if a.rng.random() < 0.4:
        a.refuse(Job("bash", {"command": "git push --force origin main"}, 0, 0), "no-force-push")
    task = {"description": f"Find every caller of {a.rng.choice(a.project.symbols)}", "prompt": "Read only."}
    yield from a.tool(
        Job("spawn_subagent", task, a.rng.uniform(14_000, 38_000), a.rng.randint(3_000, 14_000))
    )
    yield from a.think(100, 500)


def history(a: Actor) -> Script:
    """Read the log of a file."""
    command = f"git log --oneline -20 -- {a.rng.choice(a.project.sources)}"
    yield from a.tool(Job("bash", {"command": command}, a.rng.uniform(40, 160), a.rng.randint(400, 1_400)))
    yield from a.think(60, 260)


def todo(a: Actor, items: int) -> Script:
    """Update the list of things to do."""
    names = ("read the code", "write the change", "add tests", "run all checks", "update the docs")[:items]
    yield from a.tool(Job("update_todo_list", {"todos": list(names)}, a.rng.uniform(1, 5), 60 + 20 * items))
    fill = round(a.rng.uniform(0.12, 0.64), 3)
    a.emit("metric", kind="value", name="context_used", value=fill, labels={"model": a.model.name})


def summary(a: Actor) -> str:
    """The summary that a run leaves."""
    files = "\n".join(f"| `{name}` | {a.rng.randint(2, 48)} |" for name in a.rng.sample(a.project.sources, 3))
    return f"# Summary\n\nDone in `{a.project.cwd}`.\n\n| file | lines |\n| --- | ---: |\n{files}\n"


def patch(a: Actor) -> str:
    """A diff that looks like one."""
    path = a.rng.choice(a.project.sources)
    at = a.rng.randint(12, 180)
    return (
        f"--- a/{path}\n+++ b/{path}\n@@ -{at},4 +{at},6 @@\n     if not pending:\n-        return None\n"
        "+        log.debug('nothing pending')\n+        return EMPTY\n     for item in pending:\n+        check(item)\n"
    )


def _view(a: Actor) -> Job:
    path = f"{a.project.cwd}/{a.rng.choice(a.project.sources)}"
    if a.rng.random() < 0.04:
        return Job("view_file", {"path": f"{path}.orig"}, 3, 54, f"File does not exist: {path}.orig")
    return Job("view_file", {"path": path}, a.rng.uniform(4, 60), a.rng.randint(900, 24_000))


def _plan(a: Actor) -> str:
    names = a.rng.sample(a.project.sources, 2)
    return f"# Plan\n\n1. Read `{names[0]}`\n2. Change `{names[1]}`\n3. Run the tests\n"
