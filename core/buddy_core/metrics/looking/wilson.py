"""How far a success rate can be trusted: the Wilson score interval.

E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
Journal of the American Statistical Association 22 (1927), 209-212.
"""

from __future__ import annotations

from math import sqrt

Z95 = 1.959963984540054
"""Standard normal quantile for a 95 % interval."""


def wilson_interval(successes: int, total: int, *, z: float = Z95) -> tuple[float, float]:
    """Lower and upper bound, each 0 to 1, of the true success rate; (0, 1) when nothing was tried."""
    if total <= 0:
        return 0.0, 1.0
    rate = successes / total
    spread = z * z / total
    centre = (rate + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(rate * (1 - rate) / total + spread / (4 * total))
    return max(0.0, centre - half), min(1.0, centre + half)


def wilson_lower_bound(successes: int, total: int, *, z: float = Z95) -> float:
    """What to sort by, so that 1 of 1 does not outrank 98 of 100."""
    return wilson_interval(successes, total, z=z)[0]
