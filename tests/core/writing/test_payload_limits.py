"""Whatever an agent hands over is recorded, within 1 MiB and in bounded time and memory: cases 18 and 19."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
import threading
import time
import tracemalloc
import uuid
from collections import UserDict, UserList, deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy_core.runs.records.json_values import Cleaner
from buddy_core.runs.store.store import RunStore
from buddy_core.runs.writing.encoding import MAX_EVENT_BYTES, encode_event

RUN = "run_mk5k1qoj_724ab2"
NOW = 1_770_000_000_000


def stored(data: object, type_: object = "decision") -> dict[str, Any]:
    line = encode_event(NOW, RUN, type_, data)  # type: ignore[arg-type]
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert len(line) <= MAX_EVENT_BYTES
    record = json.loads(line)
    assert list(record) == ["ts", "runId", "type", "data"]
    assert isinstance(record["type"], str)
    assert record["type"] != "unknown", "it was given up"
    assert isinstance(record["data"], dict)
    return dict(record["data"])


@pytest.mark.parametrize(
    "number", [2.0**63, -(2.0**63), 2.0**64, 1e19, -1e19, 1.7e308, 5e-324, 2**64 - 1, -(2**63)]
)
def test_a_number_at_any_end_of_its_range_is_told_as_it_is(number: float) -> None:
    assert stored({"n": number, "in": {"a list": [number]}}) == {"n": number, "in": {"a list": [number]}}


def refusing(*names: str, base: type = object) -> Any:
    """An object whose methods of these names raise."""

    def refuse(*_args: object, **_kwargs: object) -> Any:
        raise RuntimeError("no")

    return type("Refusing", (base,), dict.fromkeys(names, refuse))()


class Liar:
    """Claims, through a property, to be of a class, and raises."""

    @property
    def __class__(self) -> type:  # type: ignore[override]
        raise RuntimeError("no")


class NamelessType(type):
    @property
    def __name__(cls) -> str:
        raise RuntimeError("no")


class Nameless(metaclass=NamelessType):
    def __str__(self) -> str:
        raise RuntimeError("no")


class Endless(UserList[int]):
    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[int]:
        while True:
            yield 1


class Deep(UserDict[str, object]):
    def items(self) -> Any:
        return [("deeper", Deep({"x": 1}))]


class Growing(dict[str, object]):
    """A dict that changes while it is walked."""

    def values(self) -> Any:
        self[str(len(self))] = 1
        return super().values()

    def items(self) -> Any:
        for item in super().items():
            self[str(len(self))] = 1
            yield item


class Shout(str):
    def encode(self, *_args: object, **_kwargs: object) -> bytes:
        raise RuntimeError("no")

    def __str__(self) -> str:
        raise RuntimeError("no")

    def __len__(self) -> int:
        return -5  # noqa: PLE0303

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")


class Sly(str):
    """A text that stays of its own class however it is cut."""

    def __getitem__(self, _key: object) -> Sly:  # type: ignore[override]
        return self


class Words:
    def __str__(self) -> str:
        return Sly("words")


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: float


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


HOSTILE: dict[str, Callable[[], object]] = {
    "str raises": lambda: refusing("__str__", "__repr__"),
    "iter raises": lambda: refusing("__iter__", base=list),
    "items raises": lambda: refusing("items", "values", "__iter__", base=dict),
    "getitem raises": lambda: refusing("__getitem__", "__len__", "__iter__", base=UserList),
    "len raises": lambda: refusing("__len__", "__bool__", base=UserDict),
    "bool raises": lambda: refusing("__bool__", "__eq__", "__hash__"),
    "int raises": lambda: refusing(
        "bit_length", "__int__", "__abs__", "__index__", "__lt__", "__le__", base=int
    ),
    "float raises": lambda: refusing("__float__", "__sub__", "__eq__", "__lt__", base=float),
    "class raises": Liar,
    "words of another class": Words,
    "type has no name": Nameless,
    "endless": Endless,
    "endlessly deep": Deep,
    "grows": lambda: Growing(a=1),
    "text that refuses": lambda: Shout("x"),
    "key that refuses": lambda: {Nameless(): 1, Shout("k"): 2},
    "nested 100,000 deep": lambda: nested(100_000),
    "nested 100 deep": lambda: nested(100),
    "nan": lambda: float("nan"),
    "infinity": lambda: [float("inf"), -float("inf")],
    "10**400": lambda: 10**400,
    "10**100000": lambda: 10**100_000,
    "decimal": lambda: Decimal("sNaN"),
    "complex": lambda: 1j,
    "bytes": lambda: b"\xff\x00\n",
    "memory": lambda: memoryview(b"abc").cast("B"),
    "surrogates": lambda: "\ud83c\udfff \udc00\ud800",
    "surrogate key": lambda: {"\ud83c": 1},
    "nul and separators": lambda: "\0\n\r\u2028\u2029\x85",
    "generator": lambda: (number for number in range(3)),
    "function": lambda: len,
    "exception": lambda: ValueError("x"),
    "exception group": lambda: ExceptionGroup("x", [ValueError("y")]),
    "path": lambda: Path("/x"),
    "deque": lambda: deque([1, 2]),
    "nan key": lambda: {float("nan"): 1, None: 2, 3: 4, (1, 2): 5, b"k": 6},
    "many keys": lambda: {str(number): number for number in range(200_000)},
    "many lists": lambda: [[] for _ in range(200_000)],
    "many that describe themselves": lambda: [object() for _ in range(50_000)],
    "long key": lambda: {"k" * 5_000_000: 1},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_raises_and_everything_is_recorded(name: str) -> None:
    """Case 18."""
    stored(HOSTILE[name]())
    stored({"value": HOSTILE[name](), "beside": 1})
    stored({}, type_=HOSTILE[name]())


@pytest.mark.parametrize("kind", ["tool_call", "metric", "error"])
def test_no_payload_makes_an_emit_raise_whatever_the_type(tmp_path: Path, kind: str) -> None:
    """Case 18, through the store and its listeners."""
    store = RunStore(tmp_path / "runs", durable=False)
    store.add_listener(lambda event: None)
    run_id = store.start_run("x")
    small = [make() for name, make in HOSTILE.items() if "many" not in name and "100000" not in name]
    for value in small:
        assert store.emit(run_id, kind, value)
        assert store.emit(run_id, kind, {"kind": "api_request", "promptTokens": value, "cost": value})
        assert store.emit(run_id, value, {})  # type: ignore[arg-type]
    store.end_run(run_id, "completed")
    assert len(store.get_events(run_id)) == len(small) * 3 + 2


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a value is made from: hypothesis looks at what it draws, and hostile values would not let it."""

    kind: str
    parts: tuple[Any, ...]

    def build(self) -> object:
        if self.kind == "hostile":
            return HOSTILE[self.parts[0]]()
        if self.kind == "plain":
            return self.parts[0]
        built = [part.build() for part in self.parts]
        if self.kind == "list":
            return built
        if self.kind == "cycle":
            built.append(built)
            return built
        tree: dict[object, object] = dict(zip(("a", 1, None, 2.5), built, strict=False))
        if self.kind == "cyclic dict":
            tree["itself"] = [tree]
        return tree


PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**400), 10**400), st.floats(), st.text(), st.binary(max_size=20),
    st.decimals(), st.characters(categories=["Cs"]),
).map(lambda value: Plan("plain", (value,)))  # fmt: skip
CHEAP = [name for name in HOSTILE if "many" not in name and "100,000" not in name]
HOSTILES = st.sampled_from(CHEAP).map(lambda name: Plan("hostile", (name,)))
PLANS = st.recursive(
    PLAIN | HOSTILES,
    lambda inner: st.builds(
        Plan,
        st.sampled_from(["list", "cycle", "dict", "cyclic dict"]),
        st.lists(inner, max_size=4).map(tuple),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(PLANS)
def test_no_mixture_of_them_raises_either(plan: Plan) -> None:
    """Case 18: with cycles."""
    stored(plan.build())
    stored({"value": plan.build()})


def test_what_other_libraries_write_as_text_is_written_as_text() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    number = uuid.UUID(int=5)
    assert stored({"at": at, "id": number, "colour": Colour.RED, "point": Point(1, 2.5)}) == {
        "at": "2026-01-02T00:00:00Z",
        "id": "00000000-0000-0000-0000-000000000005",
        "colour": "red",
        "point": {"x": 1, "y": 2.5},
    }


def test_a_signal_that_ends_the_host_is_let_through() -> None:
    """What is no `Exception` is the host's own: Ctrl-C, `sys.exit` in a signal handler."""

    class Interrupted:
        def __str__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_event(NOW, RUN, "x", {"value": Interrupted()})


def test_a_payload_that_another_thread_changes_is_recorded() -> None:
    """Case 18."""
    data: dict[str, object] = {"list": list(range(100))}
    over = threading.Event()

    def change() -> None:
        number = 0
        while not over.is_set():
            number += 1
            data[str(number % 50)] = {"n": number}
            data.pop(str((number + 25) % 50), None)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(2_000):
            stored(data)
    finally:
        over.set()
        thread.join()


class TestLongOnes:
    """Case 19."""

    def test_a_hundred_megabytes_are_cut_hashed_and_not_copied(self) -> None:
        output = "0123456789abcdef" * (100 * 1024 * 1024 // 16)
        tracemalloc.start()
        try:
            data = stored({"toolName": "bash", "output": output, "exit": 0})
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 16 * 1024 * 1024
        assert data["toolName"] == "bash"
        assert data["exit"] == 0
        assert data["output"].startswith("0123456789abcdef")
        assert data["truncated"] is True
        assert data["fullLength"] == len(output)
        assert data["sha256"] == hashlib.sha256(output.encode()).hexdigest()

    def test_many_lines_of_output_cost_no_more(self) -> None:
        lines = ["x" * 100] * 1_000_000
        begin = time.monotonic()
        data = stored({"lines": lines})
        assert time.monotonic() - begin < 5, "the whole of it was walked"
        assert data["truncated"] is True
        assert 100 < len(data["lines"]) < 20_000

    def test_just_as_long_as_fits_is_kept_whole(self) -> None:
        overhead = len(encode_event(NOW, RUN, "x", {"text": ""}))
        text = "x" * (MAX_EVENT_BYTES - overhead)
        assert stored({"text": text}, "x") == {"text": text}
        assert stored({"text": text + "x"}, "x")["truncated"] is True

    @pytest.mark.parametrize("sign", ["\x00", '"', "\\", "ü", "🚀", "\u2028", "\ud83c"], ids=ascii)
    def test_what_grows_when_it_is_written_still_fits(self, sign: str) -> None:
        data = stored({"text": sign * 400_000, "beside": 1})
        assert data["beside"] == 1
        assert len(data["text"]) > 100

    def test_the_digest_is_of_the_longest_text_and_survives_what_cannot_be_encoded(self) -> None:
        data = stored({"short": "x" * 200_000, "long": "\ud83c" * 2_000_000})
        assert data["fullLength"] == 2_000_000

    def test_a_walk_ends_where_its_room_does(self) -> None:
        cleaner = Cleaner(room=6_400, limit=1_000, depth=5)
        assert len(cleaner.cleaned(list(range(1_000)))) == 99
        assert cleaner.changed
