"""``manage.py amazon_channel``: run the channel by hand, or see how it is."""

from __future__ import annotations

import json
import logging
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.db.models import Q

from ... import (
    accounts,
    clock,
    doctor,
    failures,
    key_rotation,
    redaction,
    status,
    store,
    tasks,
)
from ...importing import (
    backfill,
    backfill_progress,
    finances,
    importer,
    news,
    pull,
    reconcile,
)
from ...models import ChannelSettings, SellerAccount
from ...notifications import receiving, subscribing
from ...pushing import runner

logger = logging.getLogger(__name__)

#: What can be done while the channel is switched off.
ANY_TIME = ("doctor", "redact", "rotate-keys", "status")


@contextmanager
def _unless_it_fails(what: str) -> Iterator[None]:
    """Log what goes wrong in the block, which is due again in the next round."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        if not isinstance(error, tasks.TaskFailed):  # Which is logged already.
            failures.log(logger, what, error)
        # One that broke, in a restart of the database, is opened anew.
        close_old_connections()


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is no date or time like 2026-01-31 or 2026-01-31T12:00:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _account(wanted: str, region: str | None = None) -> SellerAccount:
    found = list(SellerAccount.objects.filter(Q(seller_id=wanted) | Q(name=wanted)))
    if region:
        found = [each for each in found if each.region == region]
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(f"Several accounts are called {wanted!r}: give --region.")
    known = ", ".join(
        f"{each.name} ({each.seller_id})"
        for each in SellerAccount.objects.order_by("pk")
    )
    raise CommandError(
        f"No account is called {wanted!r}. There are: {known or 'none'}."
    )


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except accounts.AccountError as error:
        raise CommandError(error.message) from error


class Command(BaseCommand):
    help = "Pull, import, push, or show the state of the Amazon sales channel."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser("pull", help="scan all accounts now and import")
        commands.add_parser("push", help="sweep, and send what is due to Amazon")
        work = commands.add_parser(
            "work",
            help="do what Celery would, in this process",
        )
        work.add_argument("--once", action="store_true", help="one round, then stop")
        comparison = commands.add_parser(
            "reconcile", help="compare what Amazon has with what is here, now"
        )
        comparison.add_argument(
            "account",
            nargs="?",
            help="one only: its name, or Amazon's ID of the seller",
        )
        comparison.add_argument("--region", help="if several accounts are called so")
        comparison.add_argument(
            "--days",
            type=int,
            choices=range(1, reconcile.MOST_DAYS + 1),
            metavar=f"1..{reconcile.MOST_DAYS}",
            help="what Amazon changed in so many days; "
            f"{reconcile.WINDOW.days} if not given",
        )
        comparison.add_argument("--json", action="store_true")
        redact = commands.add_parser(
            "redact",
            help="delete buyers' data that have been kept long enough, or now",
        )
        redact.add_argument(
            "--order",
            action="append",
            metavar="ID",
            help="an Amazon order id whose buyer is to be deleted now; may be repeated",
        )
        redact.add_argument(
            "--force",
            action="store_true",
            help="also of an order that is still to be shipped",
        )
        keys = commands.add_parser(
            "rotate-keys",
            help="encrypt with the first key what an old one encrypted",
        )
        keys.add_argument("--dry-run", action="store_true", help="only count")
        commands.add_parser(
            "receive", help="read the queues of Amazon's notifications now"
        )
        subscribe = commands.add_parser(
            "subscribe", help="have Amazon send an account's notifications to a queue"
        )
        subscribe.add_argument(
            "--endpoint", default="", help="where SQS is, if not at AWS"
        )
        subscribe.add_argument(
            "--replace",
            action="store_true",
            help="also if Amazon sends them to a queue now that was not chosen here",
        )
        unsubscribe = commands.add_parser("unsubscribe", help="end that")
        backfill = commands.add_parser(
            "backfill",
            help="import the orders of a range of time, however old; or go on with it",
        )
        for name, words in (("from", "on"), ("to", "until")):
            backfill.add_argument(
                f"--{name}",
                type=_moment,
                help=f"orders placed {words} this date or time (ISO 8601; UTC if it "
                "says nothing else)",
            )
        backfill.add_argument(
            "--marketplace",
            action="append",
            default=[],
            help="Amazon's ID of one; again for more. All if not given",
        )
        backfill.add_argument(
            "--dry-run", action="store_true", help="only count what it would do"
        )
        backfill.add_argument(
            "--cancel", action="store_true", help="end the one that is under way"
        )
        backfill.add_argument("--json", action="store_true")
        for each in (subscribe, unsubscribe, backfill):
            each.add_argument("account", help="its name, or Amazon's ID of the seller")
            each.add_argument("--region", help="if several accounts are called so")
        subscribe.add_argument("queue_arn", help="of a standard SQS queue")
        commands.add_parser(
            "register",
            help="make the channel's pages known to Saleor Dashboard, at the shop's "
            "present address; done by itself when the channel is switched on",
        )
        doctor = commands.add_parser(
            "doctor",
            help="sweep, say what is wrong and what to do; the exit code is 1 if "
            "anything is",
        )
        doctor.add_argument("--json", action="store_true")
        state = commands.add_parser("status", help="show accounts, orders and outbox")
        state.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        with store.writer():
            command = options["command"]
            if command not in ANY_TIME and not ChannelSettings.load().active:
                raise CommandError("The channel is switched off in Saleor's plugins.")
            getattr(self, command.replace("-", "_"))(**options)

    def redact(self, order: list[str] | None, force: bool, **_: Any) -> None:
        if not order:
            count = redaction.redact_due()
        else:
            try:
                count = redaction.redact_named(order, force=force)
            except redaction.StillToBeShippedError as error:
                raise CommandError(
                    f"Still to be shipped, which needs the address: {error}. With "
                    "--force it is deleted all the same."
                ) from error
            unknown = len(set(order)) - count
            if unknown:
                self.stdout.write(f"{unknown} orders are not known here.")
        self.stdout.write(f"The buyers of {count} orders are deleted.")

    def rotate_keys(self, dry_run: bool, **_: Any) -> None:
        old = unreadable = 0
        for column in key_rotation.rotate(is_dry_run=dry_run):
            old, unreadable = old + column.old, unreadable + column.unreadable
            if column.old or column.unreadable:
                self.stdout.write(
                    f"{column.name}: {column.old} with an old key, {column.current} "
                    f"with the first, {column.unreadable} with none of them"
                )
        if dry_run:
            self.stdout.write(f"{old} values have an old key.")
        else:
            self.stdout.write(f"{old} values have been given the first key.")
        if unreadable:
            raise CommandError(
                f"{unreadable} values cannot be read with any of the keys in "
                "AMAZON_CHANNEL_ENCRYPTION_KEYS: one that was in use is missing."
            )

    def pull(self, **_: Any) -> None:
        for account in SellerAccount.objects.filter(state=SellerAccount.State.ACTIVE):
            result = pull.pull(account)
            recorded = result.recorded
            self.stdout.write(
                f"{account}: {result.pages} pages, {recorded.new} new, "
                f"{recorded.changed} changed, {recorded.unchanged} known. "
                f"{result.error}"
            )
            refunds = finances.scan(account)
            self.stdout.write(
                f"{account}: {refunds.pages} pages of transactions, {refunds.news} "
                f"refunds new or changed. {refunds.error}".rstrip()
            )
        imported = importer.import_open()
        news.settle()
        self.stdout.write(f"{imported.imported} imported, {imported.blocked} blocked")

    def reconcile(self, **options: Any) -> None:
        if options["account"]:
            accounts = [_account(options["account"], options["region"])]
        else:
            active = SellerAccount.State.ACTIVE
            accounts = list(SellerAccount.objects.filter(state=active).order_by("pk"))
        told = []
        for account in accounts:
            # Not when its turn comes, but now.
            reconcile.start_now(account, options["days"])
            row = reconcile.run(account)
            told.append(reconcile.as_dict(row))
            if not options["json"]:
                self.stdout.write(
                    f"{account}: {reconcile.in_words(row)} {row.last_error}".rstrip()
                )
        if options["json"]:
            self.stdout.write(json.dumps(told, default=str, indent=2))

    def receive(self, **_: Any) -> None:
        due = receiving.due_accounts()
        read = sum(map(receiving.receive, due))
        importer.import_open()
        news.settle()
        self.stdout.write(f"{len(due)} queues, {read} orders read")

    def subscribe(
        self,
        account: str,
        region: str | None,
        queue_arn: str,
        endpoint: str,
        replace: bool,
        **_: Any,
    ) -> None:
        row = _account(account, region)
        with _refusals():
            queue = subscribing.subscribe(row, queue_arn, endpoint, replace=replace)
        self.stdout.write(f"{row}: notifications go to {queue}")

    def unsubscribe(self, account: str, region: str | None, **_: Any) -> None:
        row = _account(account, region)
        with _refusals():
            found = subscribing.unsubscribe(row)
        self.stdout.write(f"{row}: {'unsubscribed' if found else 'was not subscribed'}")

    def backfill(self, **options: Any) -> None:
        account = _account(options["account"], options["region"])
        if account.state != SellerAccount.State.ACTIVE:
            raise CommandError(
                f"{account} is not active. {account.state_reason}".rstrip()
            )
        since, until = options["from"], options["to"]
        if since or until:
            if not (since and until) or options["cancel"]:
                raise CommandError("Give both --from and --to, and not --cancel.")
            try:
                row = backfill.start(
                    account,
                    since,
                    until,
                    marketplace_ids=options["marketplace"],
                    is_dry_run=options["dry_run"],
                    actor="amazon_channel backfill",
                )
            except backfill.BackfillRefused as refused:
                raise CommandError(f"{refused.field}: {refused}") from refused
        else:
            under_way = account.backfills.filter(finished_at=None).first()
            if under_way is None:
                raise CommandError(
                    "No back-fill of this account is under way: give --from and --to."
                )
            row = under_way
        if options["cancel"]:
            backfill.cancel(row)
        else:
            backfill.run(row)
            importer.import_open()
        progress = backfill_progress.progress([row])[row.pk]
        if options["json"]:
            told = backfill_progress.as_dict(row, progress)
            self.stdout.write(json.dumps(told, default=str, indent=2))
            return
        for line in backfill_progress.as_lines(row, progress):
            self.stdout.write(line)

    def register(self, **_: Any) -> None:
        try:
            self.stdout.write(f"The channel's pages are at {store.register_pages()}")
        except store.NoDashboardError as error:
            raise CommandError(str(error)) from error

    def push(self, **_: Any) -> None:
        found = sum(tasks.sweep_all().values())
        result = runner.push()
        self.stdout.write(
            f"{found} found by the sweep; {result.succeeded} sent, {result.failed} "
            f"failed, {result.postponed} postponed"
        )

    def work(self, once: bool, **_: Any) -> None:
        while True:
            with _unless_it_fails("looking for what is due"):
                for task, arguments in tasks.due():
                    with _unless_it_fails(task.name):
                        task(*arguments)
            if once:
                return
            clock.sleep(1)

    def doctor(self, **options: Any) -> None:
        findings = doctor.examine()
        if options["json"]:
            told = [asdict(finding) for finding in findings]
            self.stdout.write(json.dumps(told, indent=2))
        else:
            for finding in findings:
                self.stdout.write(f"{finding.subject}: {finding.message}")
            if not findings:
                self.stdout.write("Nothing is wrong.")
        if findings:
            raise CommandError(f"{len(findings)} to look at.", returncode=1)

    def status(self, **options: Any) -> None:
        state = status.read()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(state), default=str, indent=2))
            return
        for line in status.as_lines(state):
            self.stdout.write(line)
