"""A run whose artifacts are of every kind that the viewer knows."""

from __future__ import annotations

from pathlib import Path

from tests.tui.monitor import NOW

from buddy_core.testing import RunDirectoryBuilder

PLAN = """# Move the sessions to Redis

The store keeps **every session in memory** today; after a restart everybody has to log in again, and two
instances never agree. See [the incident](https://status.example.org/2026-01-07) and `src/session/store.py`.

## Steps

1. Put a `SessionStore` protocol in front of the dictionary
   - *no* behaviour changes
   - the tests stay as they are
2. Write `RedisStore`, with the expiry that the cookie has
3. Switch over behind `SESSION_BACKEND`

| store  | read p95 | write p95 | survives a restart |
|--------|---------:|----------:|--------------------|
| memory |  0.02 ms |   0.03 ms | no                 |
| Redis  |  0.41 ms |   0.52 ms | yes, with append-only files switched on |

```python
class RedisStore:
    def get(self, key: str) -> Session | None:
        raw = self._redis.get(f"session:{key}")  # bytes or nothing
        return None if raw is None else decode(raw)
```

> Open question: who clears the sessions of users that were deleted?

![the two instances](diagram.png)
"""

_PATCH = """diff --git a/src/session/store.py b/src/session/store.py
index 1f3a9c2..88b0e11 100644
--- a/src/session/store.py
+++ b/src/session/store.py
@@ -8,9 +8,12 @@ class SessionStore(Protocol):
     def get(self, key: str) -> Session | None: ...
{blank}
-class MemoryStore:
-    def __init__(self) -> None:
-        self._sessions: dict[str, Session] = {}
+class RedisStore:
+    \"\"\"Sessions in Redis, where they outlive a restart and are seen by every instance of the service.\"\"\"
+
+    def __init__(self, redis: Redis, *, ttl_s: int = 3_600) -> None:
+        self._redis = redis
+        self._ttl_s = ttl_s
{blank}
     def put(self, key: str, session: Session) -> None:
-        self._sessions[key] = session
+        self._redis.set(f"session:{key}", encode(session), ex=self._ttl_s)
diff --git a/tests/test_store.py b/tests/test_store.py
new file mode 100644
--- /dev/null
+++ b/tests/test_store.py
@@ -0,0 +1,3 @@
+def test_a_session_outlives_a_restart(redis: Redis) -> None:
+    RedisStore(redis).put("k", SESSION)
+    assert RedisStore(redis).get("k") == SESSION
diff --git a/README.md b/README.md
--- a/README.md
+++ b/README.md
@@ -40 +40 @@
--- sessions are kept in memory
+-- sessions are kept in Redis
"""
PATCH = _PATCH.replace("{blank}", " ")

LOG = """\x1b[1m============================= test session starts ==============================\x1b[0m
platform linux -- Python 3.12.1, pytest-8.3.4
collected 18 items

tests/test_store.py \x1b[32m...............\x1b[0m\x1b[31mF\x1b[0m..                                     [100%]

=================================== FAILURES ===================================
________________________ test_a_session_outlives_a_restart _____________________

E       redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379. Connection refused.

tests/test_store.py:12: ConnectionError
=============================== warnings summary ===============================
tests/test_store.py::test_expiry
  DeprecationWarning: datetime.utcnow() is deprecated, use timezone-aware objects

2026-01-09 12:14:02 WARNING session.store: retrying in 0.5 s
0 errors in the last run
=========================== short test summary info ============================
\x1b[31mFAILED\x1b[0m tests/test_store.py::test_a_session_outlives_a_restart
========================= 1 failed, 17 passed in 3.41s =========================
"""

PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    + (1280).to_bytes(4, "big")
    + (720).to_bytes(4, "big")
    + b"\x08\x06"
    + bytes(90_000)
)

COVERAGE = (
    '{"files": {"src/session/store.py": {"covered": 41, "missing": [12, 13]}}, "total": 0.953, "ok": true}'
)


def run_with_every_kind(root: Path) -> RunDirectoryBuilder:
    """Five artifacts, in the order in which an agent leaves them."""
    run = RunDirectoryBuilder(root, started_at=NOW - 1_500_000, objective="Move the sessions to Redis")
    run.artifact("plan.md", PLAN).wait(420_000)
    run.tool("bash", {"command": "pytest -q"}, took_ms=3_410, error="Exit code 1")
    run.artifact("test-results.log", LOG).wait(300_000)
    run.artifact("patch.diff", PATCH).artifact("coverage.json", COVERAGE).wait(5_000)
    run.artifact("diagram.png", PNG).end()
    run.write()
    return run
