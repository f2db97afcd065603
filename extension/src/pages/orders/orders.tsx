import { Button, Text } from "@saleor/macaw-ui";
import { SlidersHorizontal } from "lucide-react";
import { useState } from "react";
import { useMutation, useQuery } from "urql";
import { ImportNewDocument, OrdersDocument } from "../../api/generated/graphql";
import { usePolling } from "../../api/polling";
import { css, Empty, Loading, Page, Problem } from "../../components";
import { Pager } from "../../components/pager";
import { Scroll } from "../../components/scroll";
import { useMay } from "../../dashboard/bridge";
import { notify } from "../../dashboard/notify";
import { address, Link, navigate } from "../../dashboard/router";
import { useText } from "../../i18n";
import { BlockedSummary } from "../blocked/blocked-summary";
import { columnsOf } from "./columns";
import { collect, download } from "./export";
import { Chips, FilterPanel, Written } from "./filter-panel";
import { FILTERS, filterOf, listOf, NEWEST_FIRST, sortOf, variablesOf } from "./filters";
import { Progress, retry, retryAll, useLongWork } from "./long-work";
import { isBlocked, OrderTable } from "./order-table";
import { usePreferences } from "./preferences";
import { ColumnMenu, ViewMenu } from "./views";

const NO_ONE: ReadonlySet<string> = new Set();

export function Orders({ params }: { params: URLSearchParams }) {
  const { t } = useText();
  const preferences = usePreferences();
  const columns = columnsOf(
    params.has("columns") ? listOf(params.get("columns")) : preferences.columns,
  );
  const withBuyer = columns.includes("buyer");
  const [{ data, error, fetching }, refetch] = useQuery({
    query: OrdersDocument,
    // A buyer whose column is known not to be shown is not asked for.
    variables: { ...variablesOf(params), withBuyer },
  });
  const work = useLongWork();
  const [isFiltering, setFiltering] = useState(false);
  const [chosen, setChosen] = useState(NO_ONE);
  const orders = data?.amazonOrders;
  const rows = orders?.edges.map(({ node }) => node) ?? [];
  const isFiltered = FILTERS.some((name) => params.has(name));
  const again = () => refetch({ requestPolicy: "network-only" });

  // The first orders, and those that are being imported, appear by themselves.
  const isComing = orders && !isFiltered && !rows.length;
  usePolling(
    Boolean(isComing) || rows.some(({ importState }) => importState === "READY"),
    again,
  );

  /** Other filters and another sort mean the first page. */
  const change = (changes: Record<string, string | undefined>) => {
    setChosen(NO_ONE);
    const kept = Object.fromEntries(params);
    navigate(address("/orders", { ...kept, after: "", before: "", ...changes }));
  };
  const clear = () =>
    change(Object.fromEntries(FILTERS.map((name) => [name, ""] as const)));
  const view = new URLSearchParams(params);
  for (const place of ["after", "before"]) view.delete(place);

  const onColumns = (ids: readonly string[]) => {
    void preferences.change({ columns: [...ids] });
    change({ columns: ids.join(",") });
  };
  const onExport = () =>
    work.start(
      t("export.title"),
      orders?.totalCount,
      async (client, signal, onProgress) => {
        const wanted = { filter: filterOf(params), sortBy: sortOf(params), withBuyer };
        const file = await collect(client, wanted, signal, onProgress);
        download(file, `amazon-orders-${new Date().toISOString().slice(0, 10)}.csv`);
        return t("export.done");
      },
    );
  const onRetryChosen = () =>
    work.start(t("retry.title"), chosen.size, async (client) => {
      const count = await retry(client, [...chosen]);
      setChosen(NO_ONE);
      again();
      return t("retry.done", { count });
    });
  const onRetryAll = () =>
    work.start(t("retry.title"), null, async (client, signal, onProgress) => {
      const count = await retryAll(client, filterOf(params), signal, onProgress);
      setChosen(NO_ONE);
      again();
      return t("retry.done", { count });
    });

  return (
    <Page
      title={t("orders.title")}
      actions={
        <>
          <ImportNew onDone={again} />
          <Button
            variant="secondary"
            disabled={!rows.length || Boolean(work.running)}
            onClick={onExport}
          >
            {t("export.action")}
          </Button>
        </>
      }
    >
      {/* The orders first: all requests share the shop. */}
      {orders && <BlockedSummary />}
      <Progress work={work} />
      <section className={css.card} aria-label={t("orders.title")}>
        <div className={css.filters}>
          <Written
            label={t("orders.search")}
            value={params.get("q") ?? ""}
            onWrite={(q) => change({ q })}
          />
          <div className={css.toolbar}>
            <Button
              type="button"
              variant="secondary"
              aria-expanded={isFiltering}
              aria-controls="filters"
              onClick={() => setFiltering(!isFiltering)}
            >
              <SlidersHorizontal size={16} aria-hidden />
              {t("filters.title")}
            </Button>
            <ViewMenu
              views={preferences.views}
              query={view.toString()}
              onSave={preferences.change}
            />
            <ColumnMenu columns={columns} onChange={onColumns} />
          </div>
        </div>
        {isFiltering && <FilterPanel params={params} onChange={change} />}
        <Chips params={params} onChange={change} onClear={clear} />
        {rows.some(isBlocked) && (
          <div className={css.bulk}>
            <Text size={3} className={css.muted}>
              {t("retry.chosen", { count: chosen.size })}
            </Text>
            <Button
              variant="secondary"
              size="small"
              disabled={!chosen.size || Boolean(work.running)}
              onClick={onRetryChosen}
            >
              {t("order.retry")}
            </Button>
            <Button
              variant="tertiary"
              size="small"
              disabled={Boolean(work.running)}
              onClick={onRetryAll}
            >
              {t("retry.all")}
            </Button>
          </div>
        )}
        {error && !orders && <Problem error={error} onRetry={again} />}
        {((fetching && !orders) || preferences.isLoading) && <Loading rows={10} />}
        {rows.length > 0 && !preferences.isLoading && (
          <Scroll>
            <OrderTable
              orders={rows}
              columns={columns}
              sort={params.get("sort") ?? NEWEST_FIRST}
              onSort={(sort) => change({ sort: sort === NEWEST_FIRST ? "" : sort })}
              chosen={chosen}
              onChoose={setChosen}
            />
          </Scroll>
        )}
        {orders && rows.length === 0 && <NoOrders isFiltered={isFiltered} />}
        {orders && <Pager of={orders} what="orders" onPage={change} />}
      </section>
    </Page>
  );
}

function NoOrders({ isFiltered }: { isFiltered: boolean }) {
  const { t } = useText();
  const maySetUp = useMay("MANAGE_PLUGINS");
  return (
    <Empty title={isFiltered ? t("orders.noneFound") : t("orders.none")}>
      <Text as="p" className={css.muted}>
        {isFiltered ? t("orders.noneFoundHelp") : t("orders.noneHelp")}
      </Text>
      {!isFiltered && maySetUp && (
        <Link className={css.link} to="/stores">
          {t("stores.title")}
        </Link>
      )}
    </Empty>
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
