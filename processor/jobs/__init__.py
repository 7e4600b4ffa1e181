"""The batch lane by hand: looks, cancellations, cleaning up, and what a person decides."""
