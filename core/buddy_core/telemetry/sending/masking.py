"""The last look at spans before they leave: every text in the encoded request is masked by name and by shape."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from buddy_core.safety.redact import MASK, Redactor, is_secret_name

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SHORT = 80
"""Longest text, in characters, whose masked form is remembered."""

MOST_TEXT = 16_384
"""Characters of one attribute that leave."""


class Masker:
    """Masks one text at a time and remembers the short ones: names of models and tools come again and again."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._short = lru_cache(maxsize=4096)(self._look)

    def text(self, text: str, name: str | None = None) -> str:
        """`text`, which stands under `name`, masked and cut to `MOST_TEXT` characters."""
        return self._short(text, name) if len(text) <= SHORT else self._look(text, name)

    def _look(self, text: str, name: str | None) -> str:
        # Cut first with room to spare, and again after: the mask may be longer than what it hides.
        return str(self._redactor.redact_value(text[: 2 * MOST_TEXT], name=name))[:MOST_TEXT]


def masker_for(env: Mapping[str, str]) -> Masker:
    """A masker that knows the secrets in `env` and in the process's own environment by value."""
    both = [*env.items(), *os.environ.items()]
    return Masker(Redactor(value for name, value in both if is_secret_name(name)))


def mask_spans(request: ExportTraceServiceRequest, masker: Masker) -> None:
    """Mask names, attributes, events, links, status texts and the resource of `request`, in place."""
    for of_resource in request.resource_spans:
        _mask_attributes(of_resource.resource.attributes, masker)
        for of_scope in of_resource.scope_spans:
            _mask_attributes(of_scope.scope.attributes, masker)
            for span in of_scope.spans:
                _mask_span(span, masker)


def _mask_span(span: Any, masker: Masker) -> None:  # noqa: ANN401 - generated classes have no useful types
    span.name = masker.text(span.name)
    if span.status.message:
        span.status.message = masker.text(span.status.message)
    span.trace_state = ""
    _mask_attributes(span.attributes, masker)
    for event in span.events:
        event.name = masker.text(event.name)
        _mask_attributes(event.attributes, masker)
    for link in span.links:
        link.trace_state = ""
        _mask_attributes(link.attributes, masker)


def _mask_attributes(attributes: Any, masker: Masker) -> None:  # noqa: ANN401 - as above
    for pair in attributes:
        _mask_value(pair.key, pair.value, masker)
        pair.key = masker.text(pair.key)


def _mask_value(name: str, value: Any, masker: Masker) -> None:  # noqa: ANN401 - as above
    kind = value.WhichOneof("value")
    if kind == "string_value":
        value.string_value = masker.text(value.string_value, name)
    elif kind == "array_value":
        for item in value.array_value.values:
            _mask_value(name, item, masker)
    elif kind == "kvlist_value":
        _mask_attributes(value.kvlist_value.values, masker)
    elif kind == "bytes_value":
        value.string_value = f"{len(value.bytes_value)} bytes"
    elif kind in ("int_value", "double_value") and is_secret_name(name):
        value.string_value = MASK
