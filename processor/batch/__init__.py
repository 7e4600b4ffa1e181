"""The batch lane: files of many requests that the provider answers within a day, at half price."""
