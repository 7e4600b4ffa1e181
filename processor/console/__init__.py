"""What a person sees of a run: on a terminal, below a notebook's cell, in a pipe."""
