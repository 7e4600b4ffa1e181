"""Messages to whatever apprise knows: https://appriseit.com/services/."""

from collections.abc import Sequence

import apprise
from apprise.plugins.custom_json import NotifyJSON

from processor.addressee import without
from processor.notifying.message import Message
from processor.occasion import Occasion

_TYPES = {
    Occasion.DONE: apprise.NotifyType.SUCCESS,
    Occasion.FAILED: apprise.NotifyType.FAILURE,
    Occasion.STOPPED: apprise.NotifyType.FAILURE,
    Occasion.INTERRUPTED: apprise.NotifyType.WARNING,
    Occasion.LATE: apprise.NotifyType.WARNING,
    Occasion.BUDGET: apprise.NotifyType.WARNING,
    Occasion.WAITING: apprise.NotifyType.INFO,
}


class Service:
    """One address that messages go to.

    Attributes:
        name: What it is, such as `Slack`.
    """

    def __init__(self, address: str, plugin: apprise.NotifyBase) -> None:
        self._address = address
        self._plugin = plugin
        self.name = str(plugin.service_name)

    def send(self, message: Message) -> str | None:
        """Send; returns why it did not arrive, without anything of the address."""
        if isinstance(self._plugin, NotifyJSON):  # whose readers are programs
            self._plugin.payload_extras |= dict(message.facts)
        sender = apprise.Apprise(self._plugin)
        with sender.notify(
            body=message.body,
            title=message.title,
            notify_type=_TYPES[message.occasion],
            body_format=apprise.NotifyFormat.TEXT,
        ) as result:
            if result:
                return None
            told = [entry.message for entry in result.logs()]
        return without(told[-1] if told else "the message was not taken", self._address)


def services(addresses: Sequence[str]) -> list[Service | None]:
    """Those that the addresses stand for; None for each that apprise does not understand."""
    # Its pictures lie at another's; nothing is to be asked of there.
    asset = apprise.AppriseAsset(app_id="processor", app_desc="processor", app_url="")
    asset.image_url_mask = asset.image_url_logo = ""
    found = [(each, apprise.Apprise.instantiate(each, asset=asset)) for each in addresses]
    return [None if plugin is None else Service(each, plugin) for each, plugin in found]
