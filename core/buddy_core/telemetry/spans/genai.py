"""Names of OpenTelemetry's conventions for generative AI, as their own repository states them in 2026.

Source: https://github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai (spans of agents, clients and
tools). They are written out because the constants in `opentelemetry.semconv` are deprecated there and have moved
to that repository. `gen_ai.system` is not sent: `gen_ai.provider.name` took its place in version 1.37.
"""

from __future__ import annotations

from typing import Final

OPERATION: Final = "gen_ai.operation.name"
INVOKE_AGENT: Final = "invoke_agent"
CHAT: Final = "chat"
EXECUTE_TOOL: Final = "execute_tool"

PROVIDER: Final = "gen_ai.provider.name"
MODEL: Final = "gen_ai.request.model"
AGENT_NAME: Final = "gen_ai.agent.name"
CONVERSATION: Final = "gen_ai.conversation.id"

INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
"""All input, cached or not."""
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
"""Seconds."""

TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
"""Content: sent only when asked for, masked."""
TOOL_RESULT: Final = "gen_ai.tool.call.result"
"""Content: sent only when asked for, masked."""

ERROR_TYPE: Final = "error.type"
OTHER_ERROR: Final = "_OTHER"
"""What the conventions say of an error whose class nobody knows."""
EXCEPTION_EVENT: Final = "exception"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
"""Content: sent only when asked for, masked."""

RUN_ID: Final = "codebuddy.run.id"
RUN_STATUS: Final = "codebuddy.run.status"
"""The word the run ended with: completed, failed, cancelled."""
OBJECTIVE: Final = "codebuddy.run.objective"
"""Content: sent only when asked for, masked."""
TAGS: Final = "codebuddy.run.tags"
PARENT_RUN: Final = "codebuddy.run.parent_id"
STEP: Final = "codebuddy.step.name"
COST: Final = "codebuddy.usage.cost_usd"
UNFINISHED: Final = "codebuddy.unfinished"
"""True on a span whose end was never recorded; it was closed with its run, or with the process."""
UNCALLED: Final = "codebuddy.tool.result_without_call"
DROPPED: Final = "codebuddy.dropped_spans"
"""On a run: spans it would have had, but for the limit on open ones."""
LINK: Final = "codebuddy.link"
"""On a span link: `fork` to the run that this one continues, `caller` to the host's span it was started in."""
FORK_REASON: Final = "codebuddy.run.fork_reason"
"""Content: sent only when asked for, masked."""

PROVIDERS: Final = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gen_ai",
    "grok": "x_ai",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "vertex": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""Names in use -> the conventions' well-known names; every other name is sent as it is."""


def provider_name(name: str) -> str:
    """The conventions' name of a provider, where they have one."""
    return PROVIDERS.get(name.lower(), name)
