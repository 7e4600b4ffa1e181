"""What may be wrong around a run, found before it is paid for; and what support needs to see."""
