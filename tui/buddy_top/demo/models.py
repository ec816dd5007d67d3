"""The models the demonstration agent asks: how fast they answer and what they cost.

Speeds and prices are of the right order for early 2026; they are there to look right, not to bill anybody.
"""

from __future__ import annotations

from random import Random

import msgspec


class Model(msgspec.Struct, frozen=True):
    """One model of one provider; prices are US dollars for a million tokens."""

    provider: str
    name: str
    price_in: float
    price_out: float
    price_cache_read: float
    price_cache_write: float
    tokens_per_s: float
    first_token_ms: float
    """Typical time to the first token; the slowest of a hundred take three times as long."""
    failure_rate: float
    """Share of requests that the provider refuses or drops."""

    def cost(self, prompt: int, completion: int, cache_read: int, cache_write: int) -> float:
        """What one request costs, to a millionth of a dollar."""
        dollars = prompt * self.price_in + completion * self.price_out
        dollars += cache_read * self.price_cache_read + cache_write * self.price_cache_write
        return round(dollars / 1_000_000, 6)

    def first_token(self, rng: Random) -> float:
        """Milliseconds to the first token of one request."""
        return self.first_token_ms * rng.lognormvariate(0.0, 0.45)

    def writing(self, rng: Random, tokens: int) -> float:
        """Milliseconds to write `tokens` after the first one."""
        return tokens / (self.tokens_per_s * rng.uniform(0.8, 1.2)) * 1000


OPUS = Model("anthropic", "claude-opus-4-5", 5.0, 25.0, 0.5, 6.25, 62, 1_750, 0.02)
SONNET = Model("anthropic", "claude-sonnet-4-5", 3.0, 15.0, 0.3, 3.75, 78, 1_150, 0.04)
HAIKU = Model("anthropic", "claude-haiku-4-5", 1.0, 5.0, 0.1, 1.25, 155, 520, 0.01)
GPT = Model("openai", "gpt-5.2", 1.75, 14.0, 0.175, 0.0, 70, 1_900, 0.03)
MINI = Model("openai", "gpt-5-mini", 0.25, 2.0, 0.025, 0.0, 130, 830, 0.02)
MODELS = {model.name: model for model in (OPUS, SONNET, HAIKU, GPT, MINI)}
"""By name."""

FAILURES = {
    "anthropic": (
        ("529 overloaded_error: Overloaded", 4_200),
        (
            "429 rate_limit_error: this request would exceed your rate limit of 400,000 input tokens per minute",
            380,
        ),
        ("500 api_error: Internal server error", 2_900),
    ),
    "openai": (
        (
            "429 rate_limit_exceeded: Rate limit reached on tokens per min (TPM): Limit 450000, Used 446112",
            310,
        ),
        ("503 server_error: The engine is currently overloaded, please try again later", 3_600),
        ("read timed out after 20 s", 20_000),
    ),
}
"""What a provider says when it fails, and about how long it takes to say so."""


def other_provider(model: Model) -> Model:
    """The model to fall back to when the provider of `model` keeps failing."""
    return GPT if model.provider == "anthropic" else SONNET
