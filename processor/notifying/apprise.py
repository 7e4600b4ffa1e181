"""Messages to whatever apprise knows: https://appriseit.com/services/."""

from collections.abc import Sequence

import apprise
from apprise.attachment.memory import AttachMemory
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
_NAME = "report.html"


class Service:
    """One address that messages go to.

    Attributes:
        name: What it is, such as `Slack`.
    """

    def __init__(self, address: str, plugin: apprise.NotifyBase) -> None:
        self._address = address
        self._plugin = plugin
        # What is longer than a service takes would be refused whole; who wants it otherwise says
        # so in the address: ?overflow=truncate.
        if "overflow_mode" not in vars(plugin):
            plugin.overflow_mode = apprise.OverflowMode.SPLIT
        self.name = str(plugin.service_name)

    @property
    def takes_files(self) -> bool:
        """Whether a message may bring a file."""
        return bool(self._plugin.attachment_support)

    def send(self, message: Message, report: bytes | None) -> str | None:
        """Send; returns why it did not arrive, without anything of the address.

        What does not arrive with its report is sent without it: there are places that take words
        only, and that it came twice is better than not at all.

        Args:
            message: What is told.
            report: A page that goes with it, where files are taken.
        """
        if isinstance(self._plugin, NotifyJSON):  # whose readers are programs
            self._plugin.payload_extras = {**message.facts, **self._plugin.payload_extras}
        if report is not None and self.takes_files and self._problem(message, report) is None:
            return None
        return self._problem(message, None)

    def _problem(self, message: Message, report: bytes | None) -> str | None:
        sender = apprise.Apprise(self._plugin)
        page = None if report is None else _page(report)
        with sender.notify(
            body=message.body,
            title=message.title,
            notify_type=_TYPES[message.occasion],
            body_format=apprise.NotifyFormat.TEXT,
            attach=page,
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


def _page(content: bytes) -> apprise.AttachBase:
    """A page as a file."""
    made: apprise.AttachBase = AttachMemory(  # type: ignore[no-untyped-call]
        content, name=_NAME, mimetype="text/html"
    )
    return made
