"""Prices: whose word counts, what tokens cost by them, and that nothing is asked of a network."""

from __future__ import annotations

import importlib
import importlib.util
import socket
import sys
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.prices.package import PackagePrices, price_of
from buddy_core.prices.rates import Price, Rates
from buddy_core.prices.table import MOST_REMEMBERED, PriceEntry, PriceTable

T0 = 1_767_890_000_000
M = 1_000_000

CHEAP, DEAR = Rates(1.0, 2.0), Rates(10.0, 20.0)

needs_package = pytest.mark.skipif(
    importlib.util.find_spec("genai_prices") is None,
    reason="the extra [prices] (genai-prices) is not installed",
)


def entry(pattern: str, rates: Rates = CHEAP, provider: str | None = None) -> PriceEntry:
    return PriceEntry(pattern, rates, provider, "config.toml")


def found(table: PriceTable, model: str, provider: str | None = "anthropic") -> Rates | None:
    price = table.find(provider, model, T0)
    return None if price is None else price.rates


# What tokens cost


def test_each_kind_of_tokens_has_its_own_price() -> None:
    rates = Rates(3.0, 15.0, cache_read=0.3, cache_write=3.75)
    assert rates.of(M, 0, 0, 0) == 3.0
    assert rates.of(0, M, 0, 0) == 15.0
    assert rates.of(0, 0, M, 0) == pytest.approx(0.3)
    assert rates.of(0, 0, 0, M) == 3.75
    assert rates.of(1000, 100, 5000, 200) == pytest.approx(0.003 + 0.0015 + 0.0015 + 0.00075)


def test_cached_tokens_without_a_price_of_their_own_cost_what_input_costs() -> None:
    assert CHEAP.of(0, 0, M, M) == 2.0


def test_a_request_with_a_large_input_costs_more_for_every_token() -> None:
    price = Price(CHEAP, "", "", large=((200_000, DEAR), (500_000, Rates(100.0, 0.0))))
    assert price.of_request(200_000, 0, 0, 0) == pytest.approx(0.2)
    assert price.of_request(150_000, M, 50_001, 0) == pytest.approx(200_001 * 10 / M + 20)
    assert price.of_request(M, 0, 0, 0) == 100.0
    assert price.of_many(M, 0) == 1.0, "nobody knows how large the requests of a total were"


@given(st.tuples(*[st.integers(0, 10**9)] * 4), st.tuples(*[st.integers(0, 10**9)] * 4))
def test_two_requests_cost_what_their_tokens_cost_together(a: Any, b: Any) -> None:
    rates = Rates(3.0, 15.0, 0.3, 3.75)
    both = rates.of(*(x + y for x, y in zip(a, b, strict=True)))
    assert rates.of(*a) + rates.of(*b) == pytest.approx(both)


def test_a_request_without_tokens_has_no_price_rather_than_a_price_of_nothing() -> None:
    table = PriceTable([entry("opus")])
    assert table.of_request("p", "opus", T0, 0, 0) is None
    assert table.of_request("p", "unknown", T0, 1, 1) is None
    assert table.of_request("p", "opus", T0, M, 0) == 1.0


# Whose word counts


def test_a_name_wins_over_patterns_and_the_longer_pattern_over_the_shorter() -> None:
    table = PriceTable(
        [entry("*", Rates(1, 1)), entry("claude-*", Rates(2, 2)), entry("claude-opus", Rates(3, 3))]
    )
    assert found(table, "claude-opus") == Rates(3, 3)
    assert found(table, "claude-haiku") == Rates(2, 2)
    assert found(table, "gpt-5") == Rates(1, 1)


def test_an_entry_may_be_for_one_provider_in_either_way_of_saying_so() -> None:
    named = PriceTable([entry("opus", provider="Anthropic"), entry("opus", DEAR)])
    assert (found(named, "opus"), found(named, "opus", "bedrock"), found(named, "opus", None)) == (
        CHEAP,
        DEAR,
        DEAR,
    )
    slashed = PriceTable([entry("openrouter/opus*")])
    assert (
        found(slashed, "opus-4", "openrouter"),
        found(slashed, "opus-4"),
        found(slashed, "opus-4", None),
    ) == (
        CHEAP,
        None,
        None,
    )


def test_case_does_not_matter_and_brackets_are_those_of_file_names() -> None:
    table = PriceTable([entry("GPT-[45]*")])
    assert found(table, "gpt-5.5") == CHEAP
    assert found(table, "gpt-3.5") is None


class Source:
    """Knows one model, whose price depends on the time."""

    def __init__(self, *, changes: bool) -> None:
        self.asked: list[tuple[str | None, str]] = []
        self.changes = changes

    def find(self, provider: str | None, model: str) -> Source | None:
        self.asked.append((provider, model))
        return self if model == "known" else None

    def at(self, at_ms: int) -> Price | None:
        return Price(CHEAP if at_ms < T0 else DEAR, "source", "known")


def test_the_users_word_comes_before_any_source_and_what_nobody_knows_stays_unknown() -> None:
    source = Source(changes=True)
    table = PriceTable([entry("mine")], source)
    assert found(table, "mine") == CHEAP
    assert found(table, "nobodys") is None
    assert source.asked == [("anthropic", "nobodys")]


def test_a_source_is_asked_once_a_model_and_its_price_may_still_change_with_time() -> None:
    source = Source(changes=True)
    table = PriceTable((), source)
    prices = [table.find(None, "known", at) for at in (T0 - 1, T0, T0 + 1)]
    assert [price.rates for price in prices if price] == [CHEAP, DEAR, DEAR]
    assert source.asked == [(None, "known")]


def test_an_input_with_very_many_models_does_not_fill_the_memory() -> None:
    table = PriceTable([entry("*")])
    for number in range(MOST_REMEMBERED + 10):
        table.find("p", f"m{number}", T0)
    assert len(table._known) <= MOST_REMEMBERED


# The package


def test_a_price_of_the_package_becomes_ours_with_its_tiers() -> None:
    tier = SimpleNamespace(start=200_000, price=Decimal("2.5"))
    tiered = SimpleNamespace(base=Decimal("1.25"), tiers=[tier])
    kinds = dict.fromkeys(("output_mtok", "cache_read_mtok", "cache_write_mtok"))
    price = price_of({"input_mtok": tiered, **kinds, "output_mtok": Decimal(10)}, "package 1", "gemini")
    assert price == Price(Rates(1.25, 10.0), "package 1", "gemini", large=((200_000, Rates(2.5, 10.0)),))


def test_a_model_that_is_not_priced_by_the_token_has_no_price() -> None:
    kinds = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok")
    assert price_of(dict.fromkeys(kinds), "package 1", "whisper") is None


def test_a_package_that_is_not_there_or_is_broken_knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    assert PackagePrices().find("anthropic", "claude-sonnet-4-5") is None
    monkeypatch.setitem(sys.modules, "genai_prices", SimpleNamespace(calc_price=len, Usage=dict))
    assert PackagePrices().find("anthropic", "claude-sonnet-4-5") is None


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a socket or asks for an address fails the test."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a price was looked up in a network")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)


@needs_package
@pytest.mark.usefixtures("no_network")
def test_the_installed_package_is_asked_without_a_network() -> None:
    genai_prices = importlib.import_module("genai_prices")
    table = PriceTable((), PackagePrices())
    price = table.find("anthropic", "claude-sonnet-4-5-20250929", T0)
    assert price is not None
    assert price.origin == f"genai-prices {genai_prices.__version__}"
    assert price.name == "claude-sonnet-4-5"
    usage = genai_prices.Usage(
        input_tokens=6_200, output_tokens=100, cache_read_tokens=5_000, cache_write_tokens=200
    )
    theirs = genai_prices.calc_price(usage, "claude-sonnet-4-5", provider_id="anthropic").total_price
    assert price.of_request(1_000, 100, 5_000, 200) == pytest.approx(float(theirs))
    assert table.find("grok", "grok-code-fast-1", T0) is not None


@needs_package
@pytest.mark.usefixtures("no_network")
def test_the_package_guesses_no_price_for_a_provider_or_model_it_does_not_know() -> None:
    table = PriceTable((), PackagePrices())
    assert table.find("ollama", "llama3:8b", T0) is None, "a local model costs nothing a package could know"
    assert table.find("anthropic", "claude-of-another-world", T0) is None
    assert table.find(None, "(unnamed)", T0) is None


@needs_package
@pytest.mark.usefixtures("no_network")
def test_every_price_in_the_package_is_understood_as_the_package_itself_does() -> None:
    genai_prices = importlib.import_module("genai_prices")
    providers = importlib.import_module("genai_prices.data").providers
    package, differ, compared = PackagePrices(), [], 0
    usage = genai_prices.Usage(input_tokens=1_000, output_tokens=100)
    for provider in providers:
        for model in provider.models[:40]:
            ours = package.find(provider.id, model.id)
            price = None if ours is None or ours.changes else ours.at(T0)
            if price is None or price.name != model.id:
                continue
            theirs = model.get_prices(None).calc_price(usage)
            compared += 1
            tokens_only = {"requests_kcount"}.isdisjoint(model.get_prices(None).__dict__)
            if tokens_only and price.of_request(1_000, 100, 0, 0) != pytest.approx(
                float(theirs["total_price"])
            ):
                differ.append((provider.id, model.id))
    assert compared > 300
    assert differ == []
