"""What the sandbox answers: by content, by seed, by how often it was asked."""
