"""Values that never change: what `dataclass(frozen=True, slots=True)` makes, at a twentieth of its cost.

The decorator compiles six methods for each class while the program that imports the library waits, and brings
`inspect` with it. Here the methods are shared, and the one that is not, `__init__`, is compiled when the first
value is made. `dataclasses.fields`, `replace` and `asdict` work on these values as on any others.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast, dataclass_transform

if TYPE_CHECKING:
    from dataclasses import Field
    from inspect import Signature

T = TypeVar("T")


class _Made:
    """Stands for a default that is made anew for every value."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], object]) -> None:
        self.make = make

    def __repr__(self) -> str:
        return "<factory>"


def field(*, default_factory: Callable[[], T]) -> T:
    """A default that `default_factory` makes for every value; as in `dataclasses`, of which this is all."""
    return cast("T", _Made(default_factory))


class _DataClassFields:
    """The fields as `dataclasses` describes them, made when it asks for them; then they stand in its place."""

    def __get__(self, value: object, owner: FrozenType) -> dict[str, Field[Any]]:
        fields = _data_class_fields(owner)
        type.__setattr__(owner, "__dataclass_fields__", fields)
        return fields


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class FrozenType(type):
    """Turns the annotations of a class into slots, and remembers their defaults."""

    if TYPE_CHECKING:
        _names: tuple[str, ...]
        _defaults: dict[str, Any]

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> FrozenType:
        """A class whose fields are those of its bases and then its own, in the order of their annotations."""
        own = tuple(namespace.get("__annotations__", ()))
        inherited = tuple(field for base in bases for field in getattr(base, "_names", ()))
        defaults = {field: value for base in bases for field, value in getattr(base, "_defaults", {}).items()}
        names = inherited + tuple(field for field in own if field not in inherited)
        defaults |= {field: namespace.pop(field) for field in own if field in namespace}
        namespace |= {"__slots__": names[len(inherited) :], "__match_args__": names}
        namespace |= {"_names": names, "_defaults": defaults}
        namespace["__dataclass_fields__"] = _DataClassFields()
        if names:
            namespace["_told_apart_by"] = attrgetter(*names)
        kind = super().__new__(cls, name, bases, namespace)
        if names and "__init__" not in namespace:
            type.__setattr__(kind, "__init__", _first_init(kind))
        return kind

    @property
    def __signature__(cls) -> Signature:
        """What `inspect` says of the class: the fields are the arguments."""
        from inspect import signature

        whole = signature(_init_of(cls))
        return whole.replace(parameters=list(whole.parameters.values())[1:])


class Frozen(metaclass=FrozenType):
    """Base of values: equal when all fields are, hashable when all fields are, never changed."""

    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def _told_apart_by(self) -> object:
        return ()

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        if self is other:
            return True
        values: Any = type(self)._told_apart_by
        return bool(values(self) == values(other))

    def __hash__(self) -> int:
        return hash((type(self)._told_apart_by(self),))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in type(self)._names)
        return f"{type(self).__qualname__}({values})"

    def __setattr__(self, name: str, value: object) -> None:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __reduce__(self) -> tuple[type[Frozen], tuple[object, ...]]:
        return type(self), tuple(getattr(self, name) for name in type(self)._names)


def _first_init(kind: FrozenType) -> Callable[..., None]:
    """`__init__` of the first value of a class: puts the real one in its place."""

    def init(self: object, *args: object, **named: object) -> None:
        real = _init_of(kind)
        type.__setattr__(kind, "__init__", real)
        real(self, *args, **named)

    return init


def _init_of(kind: FrozenType) -> Callable[..., None]:
    """`__init__` of a class, compiled from the names of its fields."""
    defaults: dict[str, Any] = kind._defaults
    arguments, body = [], []
    known: dict[str, Any] = {"_set": object.__setattr__}
    for name in kind._names:
        known[f"_default_{name}"] = default = defaults.get(name)
        arguments.append(f"{name}=_default_{name}" if name in defaults else name)
        made = f"_default_{name}.make() if {name} is _default_{name} else "
        body.append(f"_set(self, {name!r}, {made if isinstance(default, _Made) else ''}{name})")
    source = f"def __init__(self, {', '.join(arguments)}):\n    " + "\n    ".join(body or ["pass"])
    exec(source, known)  # noqa: S102 - made of names that this library's classes give to their fields
    made_init: Any = known["__init__"]
    made_init.__qualname__ = f"{kind.__qualname__}.__init__"
    return made_init  # type: ignore[no-any-return]


def _data_class_fields(kind: FrozenType) -> dict[str, Field[Any]]:
    """Those of a data class with the same fields."""
    import dataclasses

    hints: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        hints |= getattr(base, "__annotations__", {}) if isinstance(base, FrozenType) else {}
    fields: list[tuple[str, Any, Any]] = []
    for name in kind._names:
        default = kind._defaults.get(name, dataclasses.MISSING)
        told: dict[str, Any] = (
            {"default_factory": default.make} if isinstance(default, _Made) else {"default": default}
        )
        fields.append((name, hints[name], dataclasses.field(**told)))
    twin: Any = dataclasses.make_dataclass(kind.__name__, fields)
    found: dict[str, Field[Any]] = twin.__dataclass_fields__
    return found
