import { Button, Text } from "@saleor/macaw-ui";
import { useState } from "react";
import { useMutation, useQuery } from "urql";
import {
  type AmazonOutboxKind,
  type AmazonOutboxState,
  DiscardOutboxDocument,
  OutboxDocument,
  type OutboxQueryVariables,
  type OutboxRowFragment,
  OutboxWaitsDocument,
  RetryOutboxDocument,
} from "../../api/generated/graphql";
import { usePolling } from "../../api/polling";
import { css, FormError, Notice, Page } from "../../components";
import { useAccounts } from "../../components/accounts";
import { Rows } from "../../components/answer";
import { Dialog } from "../../components/dialog";
import { SelectField } from "../../components/fields";
import { Pager } from "../../components/pager";
import { Scroll } from "../../components/scroll";
import { Failure, OutboxState } from "../../components/states";
import { useMay } from "../../dashboard/bridge";
import { notify } from "../../dashboard/notify";
import { address, Link, navigate } from "../../dashboard/router";
import { useText } from "../../i18n";
import { canDiscard, canRetry } from "./possible";

const PAGE_SIZE = 25;
const STATES: AmazonOutboxState[] = [
  "PENDING",
  "SENDING",
  "SUBMITTED",
  "UNKNOWN",
  "FAILED",
  "SUCCEEDED",
  "SUPERSEDED",
];
const KINDS: AmazonOutboxKind[] = [
  "CONFIRM_SHIPMENT",
  "CANCEL",
  "REFUND",
  "INVOICE",
  "CREDIT_NOTE",
  "BUYER_MESSAGE",
  "REVIEW_REQUEST",
  "STOCK",
];
const UNDER_WAY: AmazonOutboxState[] = ["PENDING", "SENDING", "SUBMITTED", "UNKNOWN"];
const NO_ONE: ReadonlySet<string> = new Set();

function variablesOf(params: URLSearchParams): OutboxQueryVariables {
  const [state, kind, account, before] = ["state", "kind", "account", "before"].map(
    (name) => params.get(name),
  );
  return {
    filter: {
      ...(account && { accounts: [account] }),
      ...(state && { states: [state as AmazonOutboxState] }),
      ...(kind && { kinds: [kind as AmazonOutboxKind] }),
    },
    ...(before
      ? { last: PAGE_SIZE, before }
      : { first: PAGE_SIZE, after: params.get("after") ?? undefined }),
  };
}

/** What is told to Amazon, was, or could not be. */
export default function Outbox({ params }: { params: URLSearchParams }) {
  const { t, of } = useText();
  const [answer, refetch] = useQuery({
    query: OutboxDocument,
    variables: variablesOf(params),
  });
  const accounts = useAccounts();
  const [chosen, setChosen] = useState(NO_ONE);
  const [asked, setAsked] = useState<"retry" | "discard">();
  const outbox = answer.data?.amazonOutbox;
  const entries = outbox?.edges.map(({ node }) => node) ?? [];
  const those = entries.filter(({ id }) => chosen.has(id));
  const isUnderWay = entries.some(({ state }) => UNDER_WAY.includes(state));
  usePolling(isUnderWay, () => refetch({ requestPolicy: "network-only" }), 10);
  const all = { label: t("common.all"), value: "" };
  const isFiltered = ["state", "kind", "account"].some((name) => params.has(name));

  const change = (changes: Record<string, string | undefined>) => {
    setChosen(NO_ONE);
    const kept = Object.fromEntries(params);
    navigate(address("/outbox", { ...kept, after: "", before: "", ...changes }));
  };

  return (
    <Page title={t("outbox.title")}>
      <Waits />
      <section className={css.card} aria-label={t("outbox.title")}>
        <div className={css.filters}>
          <SelectField
            label={t("order.status")}
            value={params.get("state") ?? ""}
            options={[
              all,
              ...STATES.map((value) => ({ value, label: of("outbox", value) })),
            ]}
            onChange={(state) => change({ state })}
          />
          <SelectField
            label={t("activity.what")}
            value={params.get("kind") ?? ""}
            options={[all, ...KINDS.map((value) => ({ value, label: of("kind", value) }))]}
            onChange={(kind) => change({ kind })}
          />
          {accounts.length > 1 && (
            <SelectField
              label={t("filters.account")}
              value={params.get("account") ?? ""}
              options={[
                all,
                ...accounts.map(({ id, name }) => ({ value: id, label: name })),
              ]}
              onChange={(account) => change({ account })}
            />
          )}
          <div className={css.toolbar}>
            <Button
              variant="secondary"
              disabled={!those.length || !those.every(canRetry)}
              onClick={() => setAsked("retry")}
            >
              {t("outbox.retry")}
            </Button>
            <Button
              variant="secondary"
              disabled={!those.length || !those.every(canDiscard)}
              onClick={() => setAsked("discard")}
            >
              {t("outbox.discard")}
            </Button>
          </div>
        </div>
        <Rows
          answer={answer}
          rows={outbox && entries}
          onRetry={() => refetch()}
          skeletons={10}
          none={
            isFiltered
              ? { title: t("outbox.noneFound"), help: t("orders.noneFoundHelp") }
              : { title: t("outbox.none"), help: t("outbox.noneHelp") }
          }
        >
          {() => (
            <Scroll>
              <Table entries={entries} chosen={chosen} onChoose={setChosen} />
            </Scroll>
          )}
        </Rows>
        {outbox && <Pager of={outbox} onPage={change} />}
      </section>
      {asked && (
        <Sure
          what={asked}
          ids={those.map(({ id }) => id)}
          onClose={() => setAsked(undefined)}
          onDone={() => {
            setAsked(undefined);
            setChosen(NO_ONE);
            refetch({ requestPolicy: "network-only" });
          }}
        />
      )}
    </Page>
  );
}

/** Why things wait, as far as it is not about one of them. */
function Waits() {
  const { t, of } = useText();
  const maySetUp = useMay("MANAGE_PLUGINS");
  const [{ data }] = useQuery({ query: OutboxWaitsDocument, pause: !maySetUp });
  const scheduler = data?.amazonScheduler;
  if (!scheduler) return null;
  if (!scheduler.isActive || scheduler.isReadOnly) {
    return (
      <Notice tone="warning">
        <Text as="p" size={3}>
          {scheduler.isActive ? t("stores.readOnly") : t("stores.inactive")}{" "}
          {scheduler.readOnlyReason}
        </Text>
      </Notice>
    );
  }
  const waiting = scheduler.accounts.filter(
    ({ state, streams }) =>
      state !== "ACTIVE" &&
      streams.some(({ name, waitsFor }) => name === "outbox" && waitsFor),
  );
  return (
    <>
      {waiting.map((account) => (
        <Notice
          key={account.accountId}
          tone="warning"
          action={
            <Link className={css.link} to="/stores">
              {t("stores.title")}
            </Link>
          }
        >
          <Text as="p" size={3}>
            {t("outbox.accountWaits", {
              name: account.name,
              state: of("account", account.state),
            })}
          </Text>
        </Notice>
      ))}
    </>
  );
}

interface TableProps {
  entries: readonly OutboxRowFragment[];
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}

/** The order that an entry is about, or the SKU where it is about stock. */
const subjectOf = (entry: OutboxRowFragment) =>
  entry.amazonOrder?.amazonOrderId ?? entry.amazonListing?.sellerSku ?? "";

function Table({ entries, chosen, onChoose }: TableProps) {
  const { t, of, time } = useText();
  const toggle = (id: string, isChosen: boolean) => {
    const after = new Set(chosen);
    isChosen ? after.add(id) : after.delete(id);
    onChoose(after);
  };
  const open = entries.filter((entry) => canRetry(entry) || canDiscard(entry));
  return (
    <table className={css.table}>
      <caption>{t("outbox.title")}</caption>
      <thead>
        <tr>
          <th scope="col">
            {open.length > 0 ? (
              <input
                type="checkbox"
                aria-label={t("outbox.chooseAll")}
                checked={open.every(({ id }) => chosen.has(id))}
                onChange={(event) =>
                  onChoose(
                    new Set(event.target.checked ? open.map(({ id }) => id) : NO_ONE),
                  )
                }
              />
            ) : (
              <span className={css.hidden}>{t("outbox.chooseHead")}</span>
            )}
          </th>
          <th scope="col">{t("order.number")}</th>
          <th scope="col">{t("activity.what")}</th>
          <th scope="col">{t("order.status")}</th>
          <th scope="col">{t("activity.written")}</th>
          <th scope="col">{t("outbox.tries")}</th>
          <th scope="col">{t("order.note")}</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.id}>
            <td>
              {open.includes(entry) && (
                <input
                  type="checkbox"
                  aria-label={t("outbox.choose", {
                    what: of("kind", entry.kind),
                    number: subjectOf(entry),
                  })}
                  checked={chosen.has(entry.id)}
                  onChange={(event) => toggle(entry.id, event.target.checked)}
                />
              )}
            </td>
            <th scope="row" className={css.nowrap}>
              {entry.amazonOrder ? (
                <Link
                  className={css.link}
                  to={`/orders/${encodeURIComponent(entry.amazonOrder.amazonOrderId)}?tab=activity`}
                >
                  {entry.amazonOrder.amazonOrderId}
                </Link>
              ) : (
                subjectOf(entry)
              )}
            </th>
            <td>
              {of("kind", entry.kind)}
              <Text as="p" size={2} className={css.muted}>
                {entry.description}
              </Text>
            </td>
            <td>
              <OutboxState state={entry.state} />
            </td>
            <td>
              {time(entry.createdAt)}
              {entry.actor && (
                <Text as="p" size={2} className={css.muted}>
                  {entry.actor}
                </Text>
              )}
            </td>
            <td className={css.nowrap}>
              {entry.attemptCount}
              {!entry.settledAt && entry.nextAttemptAt && (
                <Text as="p" size={2} className={css.muted}>
                  {t("outbox.next", { time: time(entry.nextAttemptAt) })}
                </Text>
              )}
            </td>
            <td className={css.note}>
              <Failure {...entry} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface SureProps {
  what: "retry" | "discard";
  ids: string[];
  onClose: () => void;
  onDone: () => void;
}

function Sure({ what, ids, onClose, onDone }: SureProps) {
  const { t } = useText();
  const [retried, retry] = useMutation(RetryOutboxDocument);
  const [discarded, discard] = useMutation(DiscardOutboxDocument);
  const [problem, setProblem] = useState<string>();
  const isRetry = what === "retry";
  const onSubmit = async () => {
    const { data, error } = isRetry
      ? await retry({ ids }).then((result) => ({
          ...result,
          data: result.data?.amazonOutboxRetry,
        }))
      : await discard({ ids }).then((result) => ({
          ...result,
          data: result.data?.amazonOutboxDiscard,
        }));
    const message = error?.message ?? data?.errors[0]?.message;
    setProblem(message ?? undefined);
    if (message) return;
    void notify("success", t(isRetry ? "outbox.retried" : "outbox.discarded"));
    onDone();
  };
  return (
    <Dialog
      title={t(isRetry ? "outbox.retryTitle" : "outbox.discardTitle", {
        count: ids.length,
      })}
      action={t(isRetry ? "outbox.retry" : "outbox.discard")}
      isBusy={retried.fetching || discarded.fetching}
      isDangerous={!isRetry}
      onClose={onClose}
      onSubmit={onSubmit}
    >
      <FormError text={problem} />
      <Text as="p" size={3}>
        {t(isRetry ? "outbox.retryHelp" : "outbox.discardHelp")}
      </Text>
    </Dialog>
  );
}
