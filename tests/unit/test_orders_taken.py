"""What becomes of orders that a run takes, without lanes."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from ledger_parts import failed, item, ledger_of, price, settle, vitals

from processor.direct.gauge import Leeway
from processor.ledger import control
from processor.ledger.control import Asked, Order
from processor.notice import Notice
from processor.sending.orders import Orders


@dataclass
class Sending:
    """Takes down what it is asked for."""

    leeway: Leeway = Leeway()  # noqa: RUF009 - frozen
    is_ending: bool = False
    renewed: list[int] = field(default_factory=list)

    def heed(self, leeway: Leeway) -> None:
        self.leeway = leeway

    def renew(self, items: int) -> None:
        self.renewed.append(items)


@dataclass
class Taken:
    """What one look did."""

    sending: Sending
    answers: list[Asked]
    told: list[Notice]
    drained: int


def taken(folder: Path, *words: str, ending: bool = False, path: Path | None = None) -> Taken:
    """A run with one failed item of three that is asked for something, and looks twice."""
    sending = Sending(is_ending=ending)
    told: list[Notice] = []
    drains: list[int] = []

    async def main() -> list[Asked]:
        with ledger_of(folder, 3) as ledger:
            settle(ledger.connection, failed(item(1)), failed(item(2), retryable=False))
            numbers = [control.ask(folder, Order.parse(each.split())) for each in words]
            with ledger.writing(
                session=1,
                price=price,
                vitals=vitals,
                on_commit=lambda *_: None,
                on_failure=lambda _: None,
            ) as writer:
                orders = Orders(
                    path or ledger.path,
                    writer,
                    sending,
                    drain=lambda: drains.append(1),
                    tell=told.append,
                )
                await orders.look()
                await orders.look()
            found = [control.answer_of(folder, number) for number in numbers]
            return [asked for asked in found if asked is not None]

    answers = asyncio.run(main())
    return Taken(sending, answers, told, len(drains))


def test_orders_are_done_once_in_their_order(tmp_path: Path) -> None:
    done = taken(
        tmp_path, "concurrency 3", "pause", "concurrency 5", "rpm 7", "rpm none", "requeue"
    )
    assert done.sending.leeway == Leeway(paused=True, concurrency=5)
    assert done.sending.renewed == [1]
    assert [asked.accepted for asked in done.answers] == [True] * 6
    assert [notice.facts["order"] for notice in done.told] == [a.words for a in done.answers]
    assert done.answers[-1].answer == "1 failed item is pending again."


def test_what_is_about_to_end_takes_nothing_but_an_end(tmp_path: Path) -> None:
    done = taken(tmp_path, "resume", "tpm 5", "drain", "requeue", ending=True)
    assert [asked.accepted for asked in done.answers] == [False, False, True, True]
    assert done.sending.leeway == Leeway()
    assert done.drained == 1
    assert done.answers[0].answer == "The run is about to end. The same command resumes."
    late = "1 failed item is pending again. The run is about to end: the next start sends them."
    assert done.answers[3].answer == late


def test_codes_that_there_are_not_move_nothing(tmp_path: Path) -> None:
    done = taken(tmp_path, "requeue timeout nonsense", "requeue invalid")
    assert [asked.accepted for asked in done.answers] == [False, True]
    assert done.answers[1].answer == "No failed item is one of these."
    assert done.sending.renewed == []


def test_orders_that_cannot_be_read_are_told_of_once_and_end_nothing(tmp_path: Path) -> None:
    done = taken(tmp_path / "run", path=tmp_path / "gone.sqlite")
    assert [notice.event for notice in done.told] == ["orders_unread"]
