"""Celery's entry points: one fixed tick that looks what is due and hands it out.

Tasks are short, carry no data but keys, and may run twice or at once: what they do is
guarded by leases and row locks. One that fails is due again at the next tick; how long
an intent waits between tries is the outbox's business. ``shared_task`` takes on the
task class of whatever Celery app it runs in.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from celery import current_task, shared_task

from . import clock, failures, lifecycle, outbox, read_only, redaction, store
from .conf import app_settings
from .importing import backfill as backfilling
from .importing import finances, importer, news, participations, pull
from .importing import reconcile as reconciling
from .invoicing import credit_notes
from .invoicing import record as invoices
from .ledger import pruning, sales
from .models import AmazonOrder, ChannelSettings, SellerAccount, SyncCursor
from .notifications import receiving, subscribing
from .pushing import feeds, invoice_reports, runner
from .refunding import record as refunds
from .stock import compare as stock

logger = logging.getLogger(__name__)
package_logger = logging.getLogger(__package__)

TICK_SECONDS = 15
WORK_EXPIRES_SECONDS = 4 * TICK_SECONDS
SWEEP_INTERVAL = timedelta(minutes=1)
#: The shop-wide cursor of what is done once a day.
HOUSEKEEPING = "housekeeping"
HOUSEKEEPING_INTERVAL = timedelta(days=1)
HOUSEKEEPING_RETRY = timedelta(hours=1)


class TaskFailed(Exception):
    """A task failed unexpectedly, which the log says with where, by ``failures``.

    Celery logs the text of what a task raises, and that of the cause may quote a buyer.
    """


@contextmanager
def _at_work() -> Iterator[ChannelSettings]:
    """Around each task: database writes are allowed, and the log is as detailed as the
    store admin wants it (every call to Amazon is logged at debug level).

    Raises TaskFailed for whatever goes wrong unexpectedly.
    """
    try:
        with store.writer():
            settings = read_only.guard(ChannelSettings.load())
            package_logger.setLevel(
                logging.DEBUG if settings.debug_logging else logging.NOTSET
            )
            yield settings
    except Exception as error:  # noqa: BLE001
        failures.log(logger, getattr(current_task, "name", "a task"), error)
        message = f"{type(error).__name__}; the log before says where."
        raise TaskFailed(message) from None


def _options(**options: Any) -> dict[str, Any]:
    queue = app_settings.CELERY_QUEUE_NAME
    return {**options, "queue": queue} if queue else options


def beat_schedule() -> dict[str, dict[str, Any]]:
    """Entries for ``settings.CELERY_BEAT_SCHEDULE``."""
    return {
        "amazon-channel-tick": {
            "task": "saleor_amazon_channel.tick",
            "schedule": timedelta(seconds=TICK_SECONDS),
            "options": _options(),
        }
    }


# A tick that waited longer than its interval has been overtaken by the next. The
# database scheduler drops the schedule's own "expires", so it is on the task.
@shared_task(name="saleor_amazon_channel.tick", expires=TICK_SECONDS)
def tick() -> None:
    """Hand out what is due; only housekeeping while the channel is off."""
    with _at_work():
        work = due()
    for task, arguments in work:
        # What a busy worker does not get to in time is simply due again.
        task.apply_async(args=arguments, expires=WORK_EXPIRES_SECONDS, **_options())


@shared_task(name="saleor_amazon_channel.pull_orders")
def pull_orders(account_id: int) -> None:
    """Scan an account's changes, then bring into the shop what came of them."""
    with _at_work() as settings:
        account = SellerAccount.objects.filter(
            pk=account_id, state=SellerAccount.State.ACTIVE
        ).first()
        # Either may have been switched off since the tick.
        if account is None or not settings.active:
            return
        result = pull.pull_if_due(account)
        if result.error:
            logger.warning("account %s: %s", account_id, result.error)
        if result.is_forbidden:
            participations.look_soon(account)
        if result.recorded.new or result.recorded.changed:
            importer.import_ready()
            news.settle()


@shared_task(name="saleor_amazon_channel.pull_refunds")
def pull_refunds(account_id: int) -> None:
    """Read which refunds were made on Amazon, then bring them into the shop."""
    with _at_work() as settings:
        account = SellerAccount.objects.filter(
            pk=account_id, state=SellerAccount.State.ACTIVE
        ).first()
        if account is None or not settings.active:
            return
        result = finances.scan_if_due(account)
        if result.error:
            logger.warning("account %s: %s", account_id, result.error)
        if result.news:
            news.settle()
            credit_notes.settle()


@shared_task(name="saleor_amazon_channel.receive_notifications")
def receive_notifications(account_id: int) -> None:
    """Read the orders that Amazon says have changed, and bring them into the shop."""
    with _at_work():
        account = SellerAccount.objects.filter(
            pk=account_id, state=SellerAccount.State.ACTIVE
        ).first()
        settings = ChannelSettings.load()
        if account is None or not settings.active or settings.read_only:
            return
        if receiving.receive(account):
            importer.import_ready()
            news.settle()


@shared_task(name="saleor_amazon_channel.check_subscriptions")
def check_subscriptions(account_id: int) -> None:
    """See that Amazon still sends an account's notifications."""
    with _at_work():
        account = SellerAccount.objects.filter(
            pk=account_id, state=SellerAccount.State.ACTIVE
        ).first()
        settings = ChannelSettings.load()
        if account is not None and settings.active and not settings.read_only:
            subscribing.check(account)


@shared_task(name="saleor_amazon_channel.reconcile")
def reconcile(account_id: int) -> None:
    """Compare what Amazon has with what is here, as far as its usage plan allows."""
    with _at_work() as settings:
        account = SellerAccount.objects.filter(
            pk=account_id, state=SellerAccount.State.ACTIVE
        ).first()
        if account is not None and settings.active:
            reconciling.run(account)


@shared_task(name="saleor_amazon_channel.refresh_marketplaces")
def refresh_marketplaces(account_id: int) -> None:
    """Read in which marketplaces the seller of an account takes part."""
    with _at_work():
        account = SellerAccount.objects.filter(
            pk=account_id, state=SellerAccount.State.ACTIVE
        ).first()
        if account is not None and ChannelSettings.load().active:
            if account.secret_warning:
                logger.warning("account %s: %s", account_id, account.secret_warning)
            participations.run(account)


@shared_task(name="saleor_amazon_channel.backfill")
def backfill(backfill_id: int) -> None:
    """Go on with a back-fill, as far as Amazon's usage plan allows."""
    with _at_work():
        row = backfilling.due().filter(pk=backfill_id).first()
        if row is not None and ChannelSettings.load().active:
            backfilling.run(row)


@shared_task(name="saleor_amazon_channel.import_orders")
def import_orders() -> None:
    """Import what is ready, look again at what is blocked, cancel in the shop what was
    cancelled on Amazon, and make the credit notes of what was refunded."""
    with _at_work() as settings:
        if not settings.active:
            return
        importer.import_open()
        news.settle()
        credit_notes.settle()


@shared_task(name="saleor_amazon_channel.push")
def push() -> None:
    """Send what is due to Amazon."""
    with _at_work():
        runner.push()


@shared_task(name="saleor_amazon_channel.read_invoice_report")
def read_invoice_report(account_id: int) -> None:
    """Go on with the report that credit notes of an account wait for."""
    with _at_work() as settings:
        account = SellerAccount.objects.filter(
            pk=account_id, state=SellerAccount.State.ACTIVE
        ).first()
        if account is None or not settings.active or settings.read_only:
            return
        if invoice_reports.go_on(account):
            runner.push()


@shared_task(name="saleor_amazon_channel.compare_stock")
def compare_stock(account_id: int) -> None:
    """Write down which quantities Amazon is to be told, and send them."""
    with _at_work() as settings:
        account = SellerAccount.objects.filter(
            pk=account_id, state=SellerAccount.State.ACTIVE
        ).first()
        if account is not None and settings.active and stock.run(account):
            runner.push()


def sweep_all() -> dict[str, int]:
    """By what they are of, how many staff actions were found that capture missed."""
    return {
        "shipments": lifecycle.sweep(),
        "invoices": invoices.sweep(),
        "refunds": refunds.sweep(),
    }


@shared_task(name="saleor_amazon_channel.sweep")
def sweep() -> None:
    """Find staff actions that capture missed."""
    with _at_work():
        written = sweep_all()
        if any(written.values()):
            logger.warning("the sweep found %s staff actions", sum(written.values()))
            runner.push()


@shared_task(name="saleor_amazon_channel.keep_house")
def keep_house() -> None:
    """Delete what is not to be kept any longer."""
    with _at_work():
        now = clock.now()
        # Should it fail, it is due again then.
        cursor, _ = SyncCursor.objects.update_or_create(
            account=None,
            stream=HOUSEKEEPING,
            defaults={"next_run_at": now + HOUSEKEEPING_RETRY},
        )
        redacted = redaction.redact_due()
        pruned = pruning.prune()
        sales.recount()
        logger.info("%s buyers redacted, %s rows of logs deleted", redacted, pruned)
        SyncCursor.objects.filter(pk=cursor.pk).update(
            last_run_at=now, next_run_at=now + HOUSEKEEPING_INTERVAL
        )


def due() -> list[tuple[Any, tuple[Any, ...]]]:
    """The (task, arguments) that have something to do now."""
    now = clock.now()
    # A duty, whether the channel is on or off.
    housekeeping: list[tuple[Any, tuple[Any, ...]]] = (
        []
        if SyncCursor.objects.filter(
            account=None, stream=HOUSEKEEPING, next_run_at__gt=now
        ).exists()
        else [(keep_house, ())]
    )
    settings = ChannelSettings.load()
    if not settings.active:
        return housekeeping
    work: list[tuple[Any, tuple[Any, ...]]] = [
        # First, so that the scan covers what the seller has joined.
        (refresh_marketplaces, (account.pk,))
        for account in participations.due_accounts()
    ]
    work += [(pull_orders, (account.pk,)) for account in pull.due_accounts()]
    work += [
        (receive_notifications, (account.pk,)) for account in receiving.due_accounts()
    ]
    work += [(pull_refunds, (account.pk,)) for account in finances.due_accounts()]
    open_states = (AmazonOrder.ImportState.READY, AmazonOrder.ImportState.BLOCKED)
    if (
        AmazonOrder.objects.filter(import_state__in=open_states).exists()
        or news.has_work()
        or credit_notes.has_work()
    ):
        work.append((import_orders, ()))
    sweep_due = not SyncCursor.objects.filter(
        stream=lifecycle.STREAM, watermark__gt=now - SWEEP_INTERVAL
    ).exists()
    if sweep_due:
        work.append((sweep, ()))
    work += [(compare_stock, (account.pk,)) for account in stock.due_accounts()]
    work += [(reconcile, (account.pk,)) for account in reconciling.due_accounts()]
    work += [(backfill, (pk,)) for pk in backfilling.due().values_list("pk", flat=True)]
    work += [
        (check_subscriptions, (account.pk,)) for account in subscribing.due_accounts()
    ]
    may_send = not settings.read_only
    if may_send:
        work += [
            (read_invoice_report, (account.pk,))
            for account in invoice_reports.due_accounts()
        ]
    if outbox.has_work(may_send=may_send) or (may_send and feeds.has_work()):
        work.append((push, ()))
    return work + housekeeping
