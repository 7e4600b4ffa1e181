"""What the process of a session has used of the machine and of the wire."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """Of the session so far.

    Attributes:
        rss_mb: Memory at this moment, in MB of a million bytes; 0 where that cannot be told.
        peak_rss_mb: The most at once.
    """

    cpu_s: float
    rss_mb: float
    peak_rss_mb: float
    bytes_sent: int
    bytes_received: int
