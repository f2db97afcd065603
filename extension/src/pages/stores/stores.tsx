import { Button, Text } from "@saleor/macaw-ui";
import { useMutation, useQuery } from "urql";
import {
  type AccountFragment,
  PauseAccountDocument,
  RecentDocument,
  SchedulerDocument,
  StoresDocument,
} from "../../api/generated/graphql";
import {
  Badge,
  Card,
  css,
  Empty,
  Fields,
  Loading,
  Notice,
  Page,
  Problem,
} from "../../components";
import { AccountState } from "../../components/states";
import { useMay } from "../../dashboard/bridge";
import { notify } from "../../dashboard/notify";
import { address, Link, navigate } from "../../dashboard/router";
import { useText } from "../../i18n";
import { BlockedSummary } from "../blocked/blocked-summary";
import { OrderTable } from "../orders/order-table";

/** Amazon stores, with what came last and what is in the way. */
export default function Stores() {
  const { t } = useText();
  const maySeeOrders = useMay("MANAGE_ORDERS");
  const [{ data, error, fetching }, refetch] = useQuery({ query: StoresDocument });
  const accounts = data?.amazonAccounts;
  return (
    <Page
      title={t("stores.title")}
      actions={<Button onClick={() => navigate("/connect")}>{t("connect.action")}</Button>}
    >
      <ChannelState />
      {maySeeOrders && <BlockedSummary />}
      {fetching && !accounts && <Loading />}
      {error && !accounts && <Problem error={error} onRetry={() => refetch()} />}
      {accounts?.length === 0 && (
        <section className={css.card}>
          <Empty title={t("stores.none")}>
            <Text as="p" className={css.muted}>
              {t("stores.noneHelp")}
            </Text>
            <Button onClick={() => navigate("/connect")}>{t("connect.action")}</Button>
          </Empty>
        </section>
      )}
      <div className={css.grid}>
        {accounts?.map((account) => (
          <Account
            key={account.id}
            account={account}
            onChange={() => refetch({ requestPolicy: "network-only" })}
          />
        ))}
      </div>
      {maySeeOrders && Boolean(accounts?.length) && <RecentOrders />}
    </Page>
  );
}

function ChannelState() {
  const { t } = useText();
  const [{ data }] = useQuery({ query: SchedulerDocument });
  if (!data) return null;
  const { isActive, isReadOnly } = data.amazonScheduler;
  if (isActive && !isReadOnly) return null;
  return (
    <Notice tone="warning">
      <Text as="p" size={3}>
        {isActive ? t("stores.readOnly") : t("stores.inactive")}
      </Text>
    </Notice>
  );
}

function Account({
  account,
  onChange,
}: {
  account: AccountFragment;
  onChange: () => void;
}) {
  const { t, time, date } = useText();
  const [{ fetching }, pause] = useMutation(PauseAccountDocument);
  const isPaused = account.state === "PAUSED";
  const onPause = async () => {
    const { data, error } = await pause({ id: account.id, isPaused: !isPaused });
    const message = error?.message ?? data?.amazonAccountUpdate?.errors[0]?.message;
    if (message) void notify("error", message);
    onChange();
  };
  const mapped = account.marketplaces.filter(({ isMapped }) => isMapped);
  const unmapped = account.marketplaces.filter(({ isMapped }) => !isMapped);
  const needsCredentials = ["NEEDS_REAUTHORIZATION", "DISCONNECTED"].includes(
    account.state,
  );
  return (
    <Card title={account.name} actions={<AccountState state={account.state} />}>
      <div className={css.list}>
        {[account.stateReason, account.secretWarning, account.lastPullError]
          .filter((text): text is string => Boolean(text))
          .map((text) => (
            <Notice key={text} tone="warning">
              <Text as="p" size={3}>
                {text}
              </Text>
            </Notice>
          ))}
        <Fields
          rows={[
            [t("stores.seller"), `${account.sellerId} · ${account.region}`],
            [t("stores.created"), date(account.createdAt)],
            [t("stores.lastPull"), time(account.lastPullAt)],
            [t("stores.nextPull"), account.nextPullAt && time(account.nextPullAt)],
          ]}
        />
        <Marketplaces marketplaces={mapped} />
        {unmapped.length > 0 && (
          <details className={css.more} open={mapped.length === 0}>
            <summary>{t("stores.unmapped", { count: unmapped.length })}</summary>
            <Marketplaces marketplaces={unmapped} />
          </details>
        )}
        <div className={css.actions}>
          <Button
            variant="secondary"
            size="small"
            aria-label={t("stores.overviewOf", { name: account.name })}
            onClick={() => navigate(address("/overview", { account: account.id }))}
          >
            {t("nav.overview")}
          </Button>
          {needsCredentials ? (
            <Button variant="secondary" size="small" onClick={() => navigate("/connect")}>
              {t("stores.newCredentials")}
            </Button>
          ) : (
            <Button variant="secondary" size="small" disabled={fetching} onClick={onPause}>
              {isPaused ? t("stores.resume") : t("stores.pause")}
            </Button>
          )}
        </div>
      </div>
    </Card>
  );
}

function Marketplaces({ marketplaces }: Pick<AccountFragment, "marketplaces">) {
  const { t } = useText();
  return (
    <ul className={css.marketplaces}>
      {marketplaces.map((marketplace) => (
        <li key={marketplace.id}>
          <Link
            className={css.link}
            to={`/marketplaces/${encodeURIComponent(marketplace.id)}`}
          >
            {marketplace.name}
          </Link>
          <span className={css.muted}>
            {marketplace.channelSlug ?? marketplace.currency}
          </span>
          {!marketplace.isMapped ? (
            <Badge tone="attention">{t("stores.notMapped")}</Badge>
          ) : marketplace.importOrders ? (
            <Badge tone="good">{t("stores.importing")}</Badge>
          ) : (
            <Badge>{t("stores.importOff")}</Badge>
          )}
        </li>
      ))}
    </ul>
  );
}

function RecentOrders() {
  const { t } = useText();
  const [{ data, error, fetching }, refetch] = useQuery({ query: RecentDocument });
  const orders = data?.amazonOrders?.edges.map(({ node }) => node);
  return (
    <Card
      title={t("stores.recent")}
      isFlush
      actions={
        <Link className={css.link} to="/orders">
          {t("widget.all")}
        </Link>
      }
    >
      {fetching && !orders && <Loading />}
      {error && !orders && <Problem error={error} onRetry={() => refetch()} />}
      {orders?.length === 0 && (
        <Empty title={t("orders.none")}>
          <Text as="p" className={css.muted}>
            {t("orders.noneHelp")}
          </Text>
        </Empty>
      )}
      {orders && orders.length > 0 && <OrderTable orders={orders} />}
    </Card>
  );
}
