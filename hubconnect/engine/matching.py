"""What criteria mean for one record: the rules stand beside the connectors, which use them too."""

from hubconnect.connectors.matching import is_below, matches, surely_fails

__all__ = ["is_below", "matches", "surely_fails"]
