"""Word of a run for somebody who does not look at it: chat, e-mail, webhooks."""
