"""What the sandbox keeps on disk: files, batches, what was charged, what happened."""
