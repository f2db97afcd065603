import { Button, Text } from "@saleor/macaw-ui";
import { type FormEvent, useState } from "react";
import { useMutation, useQuery } from "urql";
import {
  type AmazonBlockerCode,
  type AmazonImportState,
  type AmazonOrderFilterInput,
  ImportNewDocument,
  OrdersDocument,
  type OrdersQueryVariables,
} from "../../api/generated/graphql";
import { css, Empty, Loading, Page, Problem } from "../../components";
import { SelectField, TextField } from "../../components/fields";
import { STATUSES } from "../../components/states";
import { notify } from "../../dashboard/notify";
import { address, navigate } from "../../dashboard/router";
import { useText } from "../../i18n";

import { OrderTable } from "./order-table";

const PAGE_SIZE = 25;
const STATES: AmazonImportState[] = ["WAITING", "READY", "IMPORTED", "BLOCKED", "IGNORED"];

const FILTERS = ["state", "status", "q", "code", "cause", "account", "marketplace"];

const AMAZON_NUMBER = /^\d{3}-\d{7}-\d{7}$/;

/** What the parameters of the address ask of the API. */
export function variablesOf(params: URLSearchParams): OrdersQueryVariables {
  const get = (name: string) => params.get(name) ?? undefined;
  const filter: AmazonOrderFilterInput = {};
  const state = get("state");
  const status = get("status");
  const number = get("q")?.trim();
  const code = get("code");
  const cause = get("cause");
  const account = get("account");
  const marketplace = get("marketplace");
  if (state) filter.importState = [state as AmazonImportState];
  if (status) filter.fulfillmentStatus = [status];
  if (code) filter.blockerCode = [code as AmazonBlockerCode];
  if (cause) filter.blockerSubject = [cause];
  if (account) filter.accounts = [account];
  if (marketplace) filter.marketplaceIds = [marketplace];
  if (number && AMAZON_NUMBER.test(number)) filter.amazonOrderIds = [number];
  else if (number) filter.orderNumbers = [number.replace(/^#/, "")];
  const before = get("before");
  return {
    filter,
    ...(before ? { last: PAGE_SIZE, before } : { first: PAGE_SIZE, after: get("after") }),
  };
}

export function Orders({ params }: { params: URLSearchParams }) {
  const { t, of, number } = useText();
  const [{ data, error, fetching }, refetch] = useQuery({
    query: OrdersDocument,
    variables: variablesOf(params),
  });
  const orders = data?.amazonOrders;
  const isFiltered = FILTERS.some((name) => params.has(name));

  /** Other filters mean the first page. */
  const change = (changes: Record<string, string>) => {
    const kept = Object.fromEntries(params);
    navigate(address("/orders", { ...kept, after: "", before: "", ...changes }));
  };
  const all = { label: t("common.all"), value: "" };

  return (
    <Page title={t("orders.title")} actions={<ImportNew onDone={() => refetch()} />}>
      <section className={css.card} aria-label={t("orders.title")}>
        <div className={css.filters}>
          <Search value={params.get("q") ?? ""} onSearch={(q) => change({ q })} />
          <SelectField
            label={t("order.inShop")}
            value={params.get("state") ?? ""}
            options={[
              all,
              ...STATES.map((value) => ({ value, label: of("state", value) })),
            ]}
            onChange={(state) => change({ state })}
          />
          <SelectField
            label={t("order.status")}
            value={params.get("status") ?? ""}
            options={[
              all,
              ...STATUSES.map((value) => ({ value, label: of("status", value) })),
            ]}
            onChange={(status) => change({ status })}
          />
          {isFiltered && (
            <Button
              className={css.narrow}
              variant="tertiary"
              onClick={() => navigate("/orders")}
            >
              {t("orders.clear")}
            </Button>
          )}
        </div>
        {error && !orders && <Problem error={error} onRetry={() => refetch()} />}
        {fetching && !orders && <Loading rows={10} />}
        {orders && orders.edges.length > 0 && (
          <div className={css.scroll}>
            <OrderTable orders={orders.edges.map(({ node }) => node)} />
          </div>
        )}
        {orders && orders.edges.length === 0 && (
          <Empty title={isFiltered ? t("orders.noneFound") : t("orders.none")}>
            <Text as="p" className={css.muted}>
              {isFiltered ? t("orders.noneFoundHelp") : t("orders.noneHelp")}
            </Text>
          </Empty>
        )}
        {orders && (
          <div className={css.footer}>
            <Text size={3} className={css.muted} role="status">
              {orders.totalCount == null
                ? t("orders.countMany")
                : t("orders.count", {
                    count: orders.totalCount,
                    shown: number(orders.totalCount),
                  })}
            </Text>
            <div className={css.actions}>
              <Button
                variant="secondary"
                size="small"
                disabled={!orders.pageInfo.hasPreviousPage}
                onClick={() =>
                  change({ before: orders.pageInfo.startCursor ?? "", after: "" })
                }
              >
                {t("common.previous")}
              </Button>
              <Button
                variant="secondary"
                size="small"
                disabled={!orders.pageInfo.hasNextPage}
                onClick={() =>
                  change({ after: orders.pageInfo.endCursor ?? "", before: "" })
                }
              >
                {t("common.next")}
              </Button>
            </div>
          </div>
        )}
      </section>
    </Page>
  );
}

function Search({ value, onSearch }: { value: string; onSearch: (text: string) => void }) {
  const { t } = useText();
  const [text, setText] = useState(value);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSearch(text.trim());
  };
  return (
    <form onSubmit={submit}>
      <TextField
        label={t("orders.search")}
        value={text}
        onChange={setText}
        onBlur={() => text.trim() !== value && onSearch(text.trim())}
      />
    </form>
  );
}

function ImportNew({ onDone }: { onDone: () => void }) {
  const { t } = useText();
  const [{ fetching }, run] = useMutation(ImportNewDocument);
  const onClick = async () => {
    const { data, error } = await run({});
    const [problem] = data?.amazonOrdersImport?.errors ?? [];
    const message = error?.message ?? problem?.message;
    void notify(message ? "error" : "success", message ?? t("orders.importQueued"));
    onDone();
  };
  return (
    <Button variant="secondary" disabled={fetching} onClick={onClick}>
      {t("orders.import")}
    </Button>
  );
}
