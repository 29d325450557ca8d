"""How sure an accuracy is that was counted on so many clips."""

from math import sqrt

from scipy.special import betaincc

_Z95 = 1.959963984540054


def wilson(share: float, count: int, z: float = _Z95) -> tuple[float, float]:
    """Return the Wilson score interval of a share seen in ``count`` clips; 95 % by default.

    The ends are ``(p + z²/2n ± z * sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)``.  Unlike the textbook
    normal interval they stay within 0 to 1 and hold for shares near 1 (E. B. Wilson, JASA 1927).
    With no clips nothing is known: 0 to 1.
    """
    if count <= 0:
        return 0.0, 1.0
    spread = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    middle, scale = share + z * z / (2 * count), 1 + z * z / count
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def chance_above(bound: float, share: float, count: int) -> float:
    """Return the chance that a share seen in ``count`` clips is truly ``bound`` or more.

    The posterior of Jeffreys' prior is Beta(k + 1/2, n - k + 1/2) with k = share * count.
    """
    if count <= 0:
        return 1 - bound
    heard = share * count
    return float(betaincc(heard + 0.5, count - heard + 0.5, bound))
