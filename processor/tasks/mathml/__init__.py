"""Presentation MathML, compared by what a reader sees."""
