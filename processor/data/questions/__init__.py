"""Made-up school-maths questions as presentation MathML."""
