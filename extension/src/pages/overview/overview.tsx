import { Button, Text } from "@saleor/macaw-ui";
import { ExternalLink } from "lucide-react";
import { useQuery } from "urql";
import {
  type AmazonOrderFilterInput,
  MachineryDocument,
  type MachineryQuery,
  OverviewDocument,
  type OverviewQueryVariables,
} from "../../api/generated/graphql";
import { Badge, Card, css, Empty, Page } from "../../components";
import { useAccounts } from "../../components/accounts";
import { Answer } from "../../components/answer";
import { SelectField } from "../../components/fields";
import { useMay } from "../../dashboard/bridge";
import { address, Link, navigate } from "../../dashboard/router";
import { useText } from "../../i18n";
import { BlockedSummary } from "../blocked/blocked-summary";
import { DEFAULT_COLUMNS } from "../orders/columns";
import { OrderTable } from "../orders/order-table";
import { NoSales, SalesCard } from "./chart";
import { Comparison } from "./comparisons";

const PERIODS = ["7", "30"];
const SHIP_COLUMNS = ["number", "status", "shipBy", "total", "note"] as const;
const RECENT_COLUMNS = DEFAULT_COLUMNS.filter((id) => id !== "shipBy");

export function variablesOf(params: URLSearchParams): OverviewQueryVariables {
  const account = params.get("account");
  const accounts = account ? { accounts: [account] } : {};
  const open: AmazonOrderFilterInput = {
    ...accounts,
    fulfilledBy: "MERCHANT",
    fulfillmentStatus: ["UNSHIPPED", "PARTIALLY_SHIPPED"],
  };
  return {
    ...accounts,
    days: params.get("days") === "7" ? 7 : 30,
    recent: accounts,
    toShip: open,
    atRisk: { ...accounts, isAtRisk: true },
  };
}

/** A store's dashboard, or that of all stores together. */
export default function Overview({ params }: { params: URLSearchParams }) {
  const { t, country } = useText();
  const maySetUp = useMay("MANAGE_PLUGINS");
  const accounts = useAccounts();
  const [answer, refetch] = useQuery({
    query: OverviewDocument,
    variables: variablesOf(params),
  });
  const [machinery] = useQuery({ query: MachineryDocument, pause: !maySetUp });
  const account = params.get("account") ?? "";
  const change = (changes: Record<string, string>) =>
    navigate(address("/overview", { ...Object.fromEntries(params), ...changes }));
  const isShown = ({ id }: { id: string }) => !account || id === account;
  const stores = machinery.data?.amazonAccounts.filter(isShown) ?? [];
  const name = accounts.find(({ id }) => id === account)?.name;
  return (
    <Page
      title={name ?? t("overview.title")}
      actions={
        maySetUp && (
          <>
            <Button variant="secondary" onClick={() => navigate("/settings/log")}>
              {t("log.title")}
            </Button>
            <Button variant="secondary" onClick={() => navigate("/stores")}>
              {t("stores.title")}
            </Button>
          </>
        )
      }
    >
      <BlockedSummary />
      <div className={css.pickers}>
        <SelectField
          label={t("sales.days")}
          value={params.get("days") === "7" ? "7" : "30"}
          options={PERIODS.map((value) => ({
            value,
            label: t("sales.period", { days: Number(value) }),
          }))}
          onChange={(days) => change({ days: days === "30" ? "" : days })}
        />
        {accounts.length > 1 && (
          <SelectField
            label={t("filters.account")}
            value={account}
            options={[
              { value: "", label: t("common.all") },
              ...accounts.map((each) => ({ value: each.id, label: each.name })),
            ]}
            onChange={(id) => change({ account: id })}
          />
        )}
      </div>
      <Answer answer={answer} onRetry={() => refetch()} skeletons={10}>
        {(data) => (
          <>
            <div className={css.grid}>
              {data.amazonSalesSummary.currencies.map((sales) => (
                <SalesCard
                  key={sales.currency}
                  sales={sales}
                  title={t("sales.in", { currency: sales.currency })}
                />
              ))}
              {data.amazonSalesSummary.currencies.length === 0 && <NoSales />}
            </div>
            <Card
              title={t("overview.toShip")}
              isFlush
              actions={
                <div className={css.actions}>
                  {Boolean(data.atRisk?.totalCount) && (
                    <Link
                      className={css.link}
                      to={address("/orders", { risk: "1", account })}
                    >
                      <Badge tone="bad">
                        {t("overview.atRisk", { count: data.atRisk?.totalCount ?? 0 })}
                      </Badge>
                    </Link>
                  )}
                  <Link
                    className={css.link}
                    to={address("/orders", {
                      status: "UNSHIPPED,PARTIALLY_SHIPPED",
                      by: "MERCHANT",
                      sort: "SHIP_BY",
                      account,
                    })}
                  >
                    {t("overview.allToShip")}
                  </Link>
                </div>
              }
            >
              {data.toShip?.edges.length ? (
                <OrderTable
                  caption={t("overview.toShip")}
                  orders={data.toShip.edges.map(({ node }) => node)}
                  columns={SHIP_COLUMNS}
                />
              ) : (
                <Empty title={t("overview.nothingToShip")} />
              )}
            </Card>
            <Card
              title={t("stores.recent")}
              isFlush
              actions={
                <Link className={css.link} to={address("/orders", { account })}>
                  {t("widget.all")}
                </Link>
              }
            >
              {data.recent?.edges.length ? (
                <OrderTable
                  caption={t("stores.recent")}
                  orders={data.recent.edges.map(({ node }) => node)}
                  columns={RECENT_COLUMNS}
                />
              ) : (
                <Empty title={t("orders.none")}>
                  <Text as="p" className={css.muted}>
                    {t("orders.noneHelp")}
                  </Text>
                </Empty>
              )}
            </Card>
          </>
        )}
      </Answer>
      {stores.length > 0 && (
        <div className={css.grid}>
          {stores.map((store) => (
            <Comparison key={store.id} account={store} />
          ))}
        </div>
      )}
      {stores.length > 0 && (
        <Card title={t("overview.sellerCentral")}>
          <ul className={css.inlineList}>
            {stores
              .flatMap(({ marketplaces }) => marketplaces)
              .filter(({ isParticipating }) => isParticipating)
              .map(({ id, countryCode, domain }) => (
                <li key={id}>
                  <Link
                    className={css.link}
                    in="elsewhere"
                    to={`https://sellercentral.${domain}`}
                  >
                    {country(countryCode)} <ExternalLink size={14} aria-hidden />
                  </Link>
                </li>
              ))}
          </ul>
        </Card>
      )}
      {machinery.data?.amazonScheduler.accounts
        .filter(({ accountId }) => !account || accountId === account)
        .map((each) => (
          <Machinery key={each.accountId} account={each} />
        ))}
    </Page>
  );
}

/** Why it does not run, unless its time is all it waits for: that has a column. */
export const whyNot = (stream: { waitsFor?: string | null; nextRunAt?: string | null }) =>
  stream.nextRunAt && stream.waitsFor?.startsWith("It runs next at ")
    ? undefined
    : stream.waitsFor;

type AccountSchedule = MachineryQuery["amazonScheduler"]["accounts"][number];

/** What runs when, and what is left of Amazon's usage plans. */
function Machinery({ account }: { account: AccountSchedule }) {
  const { t, of, time, number } = useText();
  return (
    <Card title={t("budget.title", { name: account.name })} isFlush>
      <table className={css.table}>
        <caption>{t("budget.streams")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("activity.what")}</th>
            <th scope="col">{t("budget.last")}</th>
            <th scope="col">{t("budget.next")}</th>
            <th scope="col">{t("order.note")}</th>
          </tr>
        </thead>
        <tbody>
          {account.streams.map((stream) => (
            <tr key={stream.name}>
              <th scope="row">{of("stream", stream.name)}</th>
              <td className={css.nowrap}>{time(stream.lastRunAt)}</td>
              <td className={css.nowrap}>{time(stream.nextRunAt)}</td>
              <td>{[stream.lastError, whyNot(stream)].filter(Boolean).join(" ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {account.budgets.length > 0 && (
        <table className={css.table}>
          <caption>{t("budget.plans")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("budget.operation")}</th>
              <th scope="col">{t("budget.left")}</th>
              <th scope="col">{t("budget.rate")}</th>
              <th scope="col">{t("order.note")}</th>
            </tr>
          </thead>
          <tbody>
            {account.budgets.map((budget) => (
              <tr key={budget.operation}>
                <th scope="row">{budget.operation}</th>
                <td className={css.nowrap}>
                  <meter
                    aria-label={budget.operation}
                    min={0}
                    max={budget.burst}
                    low={budget.burst / 5}
                    value={budget.callsLeft}
                  />{" "}
                  {t("work.of", {
                    done: number(Math.floor(budget.callsLeft)),
                    total: number(budget.burst),
                  })}
                </td>
                <td className={css.nowrap}>
                  {t("budget.perMinute", { calls: number(budget.rate * 60) })}
                </td>
                <td>
                  {budget.blockedUntil &&
                    t("budget.blocked", { time: time(budget.blockedUntil) })}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}
