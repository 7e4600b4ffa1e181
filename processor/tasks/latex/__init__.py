"""LaTeX answers, checked in layers."""
