"""What a person sees of messages that were sent, or were not."""

from processor.notice import Notice


def line(notice: Notice) -> str | None:
    """The line of a notice; None for others."""
    facts = notice.facts
    match notice.event:
        case "notified":
            return f"told of it ({facts['occasion']}): {', '.join(facts['services'])}"
        case "not_notified":
            service, address = facts["service"], facts["address"]
            where = address if service in (None, address) else f"{service} ({address})"
            return f"Not notified: {where}: {facts['message']}"
        case _:
            return None
