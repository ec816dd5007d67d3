"""A tracer provider of buddy-top's own, which sends over OTLP/HTTP.

It is never made the process's global provider: that can be set only once, and belongs to the host, which may do
so with one line: `opentelemetry.trace.set_tracer_provider(init_tracing())`. A provider the host has set is
neither replaced nor shut down; see `buddy_core.telemetry.hooks` for how its spans and ours meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from buddy_core._version import __version__
from buddy_core.telemetry.config import TracingConfig, release_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from buddy_core.telemetry.sending.export import BoundedProcessor


def make_provider(config: TracingConfig, env: Mapping[str, str]) -> tuple[TracerProvider, BoundedProcessor]:
    """A provider as `config` says, and the processor that holds its queue; imports the SDK (about 0.2 s).

    The resource is written out rather than detected: the SDK's detectors would add the command line, which
    holds whatever its user typed, and the host's name.
    """
    # Before the provider: in the child of a fork the SDK (1.45) starts a thread of a pool at once. A pool that
    # is imported after the provider is made holds its lock at that moment, and the child would wait for it for ever.
    import concurrent.futures.thread  # noqa: F401

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    from buddy_core.telemetry.sending.export import BoundedProcessor
    from buddy_core.telemetry.sending.masking import masker_for
    from buddy_core.telemetry.spans.ids import RunIds

    processor = BoundedProcessor(config, masker_for(env))
    resource = Resource(
        {
            **config.resource,
            "service.name": config.service_name,
            "service.version": release_of(env),
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.distro.name": "buddy-top",
            "telemetry.distro.version": __version__,
        }
    )
    provider = TracerProvider(resource=resource, id_generator=RunIds(), shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider, processor
