"""Where the numbers of a family of runs come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from buddy_core import format as fmt
from buddy_core.origins.model import Figure, Kind, Origin
from buddy_core.runs.lineage.model import Amount, Family
from buddy_core.runs.lineage.words import amount_words, oddities


def origin_of_family(family: Family, runs_dir: Path) -> Origin:
    """The sums of a whole family; those of each member are made in the same way."""
    return Origin(
        title="family",
        about="a run with its ancestors and everything that was forked from them",
        span="each run whole, whatever the window",
        figures=tuple(_figures(family)),
        files=(
            f"{runs_dir}: the runs that name each other as parents, in metadata.parentRolloutId or a fork's decision",
        ),
        missing=(*_missing(family), *oddities(family)),
    )


def _figures(family: Family) -> Iterator[Figure]:
    total = family.total
    each = "what each run says of itself, added up; records that a fork copied from an ancestor count there alone"
    yield Figure("cost", "cost", amount_words(total.cost, fmt.cost), _kind(total.cost), each)
    yield Figure("tokens", "tokens", amount_words(total.tokens, fmt.tokens_full), _kind(total.tokens), each)
    at_once = "the time of each run, added up: forks that run at once count each"
    yield Figure("took", "took", amount_words(total.took, fmt.duration), _kind(total.took), at_once)
    inclusive = "+ forks: a run's own numbers with those of everything forked from it"
    yield Figure("all", "+ forks", "", "derived", inclusive)


def _kind(amount: Amount) -> Kind:
    if amount.value is None:
        return "not known"
    return "estimated" if amount.estimated else "derived"


def _missing(family: Family) -> Iterator[str]:
    for name, amount in (("cost", family.total.cost), ("tokens", family.total.tokens)):
        if amount.unknown:
            yield f"{fmt.plural(amount.unknown, 'run')} of unknown {name}: ≥ says that the sum is at least so much"
    if copied := sum(member.copied for member in family.members):
        yield f"{fmt.plural(copied, 'copied call')} counted where they were made"
