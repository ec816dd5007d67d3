"""Frozen values do what frozen data classes do; these are held against real ones."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest

import buddy_core
from buddy_core.frozen import Frozen, field


class Point(Frozen):
    """A value."""

    x: int
    type: str = "dot"
    notes: dict[str, int] = field(default_factory=dict)

    @property
    def twice(self) -> int:
        return 2 * self.x


@dataclasses.dataclass(frozen=True, slots=True)
class Model:
    """The same, as a data class."""

    x: int
    type: str = "dot"
    notes: dict[str, int] = dataclasses.field(default_factory=dict)


class Named(Point):
    """A value with one field more."""

    name: str = ""


class Empty(Frozen):
    """A value that says nothing."""


def outcome(work: Callable[[], Any]) -> tuple[Any, str]:
    """What it gave, or what it raised; in words that do not name the class."""
    try:
        return None, repr(work()).replace("Model", "Point")
    except Exception as error:  # noqa: BLE001 - to be compared
        return type(error), str(error).replace("Model", "Point")


ARGUMENTS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((1,), {}),
    ((1, "a"), {}),
    ((1, "a", {"b": 2}), {}),
    ((1, "a", {}, 4), {}),
    ((), {"x": 1, "notes": {"c": 3}}),
    ((1,), {"x": 1}),
    ((1,), {"y": 1}),
]


@pytest.mark.parametrize(("args", "named"), ARGUMENTS, ids=repr)
def test_it_is_made_shown_and_refused_like_a_data_class(args: tuple[Any, ...], named: dict[str, Any]) -> None:
    assert outcome(lambda: Point(*args, **named)) == outcome(lambda: Model(*args, **named))


def test_a_value_with_more_fields_is_made_after_and_before_those_with_fewer() -> None:
    class First(Frozen):
        x: int

    class Second(First):
        y: int = 2

    class Told(First):
        def __init__(self) -> None:
            super().__init__(7)

    assert Told().x == 7
    assert Second(1) == Second(x=1, y=2)
    assert First(1) == First(x=1)
    assert repr(Second(3)).endswith("Second(x=3, y=2)")


def test_it_is_equal_when_its_fields_are_and_only_to_its_own_kind() -> None:
    assert Point(1) == Point(1, "dot", {})
    assert Point(1) != Point(2)
    assert Point(1) != Named(1)
    assert Point(1) != (1, "dot", {})
    assert Empty() == Empty()
    assert Empty() != Point(1)


def test_it_is_hashable_when_its_fields_are() -> None:
    class Flat(Frozen):
        name: str
        size: int = 0

    assert len({Flat("a"), Flat("a"), Flat("b"), Flat("a", 1)}) == 3
    with pytest.raises(TypeError, match="unhashable"):
        hash(Point(1))


def test_nothing_of_it_can_be_changed_and_nothing_added() -> None:
    point: Any = Point(1)
    for name in ("x", "notes", "new", "__dict__"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(point, name, 5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x
    assert not hasattr(point, "__dict__")
    assert point == Point(1)


def test_a_default_that_is_made_is_made_for_each() -> None:
    first = Point(1)
    first.notes["mine"] = 1
    assert Point(1).notes == {}


def test_data_class_tools_work_on_it() -> None:
    point, model = Point(1, notes={"a": 2}), Model(1, notes={"a": 2})
    assert [(f.name, f.type, f.default) for f in dataclasses.fields(Point)] == [
        (f.name, f.type, f.default) for f in dataclasses.fields(Model)
    ]
    assert dataclasses.asdict(point) == dataclasses.asdict(model)
    assert dataclasses.astuple(point) == dataclasses.astuple(model)
    assert dataclasses.replace(point, x=5) == Point(5, notes={"a": 2})
    assert [f.name for f in dataclasses.fields(Named(1))] == ["x", "type", "notes", "name"]
    assert get_type_hints(Point) == get_type_hints(Model)
    assert dataclasses.is_dataclass(Point)
    assert dataclasses.is_dataclass(point)


def test_its_signature_is_that_of_a_data_class_before_and_after_the_first_value() -> None:
    class New(Frozen):
        x: int
        type: str = "dot"

    for _ in range(2):
        assert str(inspect.signature(New)) == "(x, type='dot')"
        New(1)


def test_it_can_be_copied_and_pickled() -> None:
    named = Named(1, name="n", notes={"a": 2})
    for other in (copy.copy(named), copy.deepcopy(named), pickle.loads(pickle.dumps(named))):
        assert other == named
        assert type(other) is Named
    assert copy.deepcopy(named).notes is not named.notes


def test_it_can_be_taken_apart_by_a_pattern() -> None:
    match Named(3, "a", name="n"):
        case Named(x, type, _, name):
            assert (x, type, name) == (3, "a", "n")
        case _:
            pytest.fail("no match")


def test_every_public_value_is_one_to_the_tools_of_data_classes() -> None:
    kinds = [getattr(buddy_core, name) for name in dir(buddy_core) if name[0].isupper()]
    frozen = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Frozen)]
    assert len(frozen) > 20
    for kind in frozen:
        assert [f.name for f in dataclasses.fields(kind)] == list(inspect.signature(kind).parameters)


def test_a_program_that_only_counts_imports_neither_data_classes_nor_what_decodes_files() -> None:
    code = "import sys; import buddy_core.metrics.collector; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"dataclasses", "inspect", "msgspec", "asyncio"} & set(done.stdout.split())
