"""A run, or several, watched live on a terminal."""
