import { Button, Text } from "@saleor/macaw-ui";
import { useQuery } from "urql";
import {
  type AccountFragment,
  RecentDocument,
  SchedulerDocument,
  StoresDocument,
} from "../../api/generated/graphql";
import { Card, css, Fields, Notice, Page } from "../../components";
import { Rows } from "../../components/answer";
import { Marketplaces } from "../../components/marketplaces";
import { AccountState } from "../../components/states";
import { useMay } from "../../dashboard/bridge";
import { address, Link, navigate } from "../../dashboard/router";
import { useText } from "../../i18n";
import { accountPath, needsCredentials, PauseButton } from "../account/pause-button";
import { BlockedSummary } from "../blocked/blocked-summary";
import { OrderTable } from "../orders/order-table";

/** Amazon stores, with what came last and what is in the way. */
export default function Stores() {
  const { t } = useText();
  const maySeeOrders = useMay("MANAGE_ORDERS");
  const [answer, refetch] = useQuery({ query: StoresDocument });
  const accounts = answer.data?.amazonAccounts;
  return (
    <Page
      title={t("stores.title")}
      actions={<Button onClick={() => navigate("/connect")}>{t("connect.action")}</Button>}
    >
      <ChannelState />
      {maySeeOrders && <BlockedSummary />}
      <Rows
        answer={answer}
        rows={accounts}
        isAlone
        onRetry={() => refetch()}
        none={{
          title: t("stores.none"),
          help: t("stores.noneHelp"),
          action: (
            <Button onClick={() => navigate("/connect")}>{t("connect.action")}</Button>
          ),
        }}
      >
        {(all) => (
          <div className={css.grid}>
            {all.map((account) => (
              <Account
                key={account.id}
                account={account}
                onChange={() => refetch({ requestPolicy: "network-only" })}
              />
            ))}
          </div>
        )}
      </Rows>
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

interface AccountProps {
  account: AccountFragment;
  onChange: () => void;
}

function Account({ account, onChange }: AccountProps) {
  const { t, time, date } = useText();
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
        <Marketplaces {...account} />
        <div className={css.actions}>
          <Button
            variant="secondary"
            size="small"
            aria-label={t("stores.overviewOf", { name: account.name })}
            onClick={() => navigate(address("/overview", { account: account.id }))}
          >
            {t("nav.overview")}
          </Button>
          <PauseButton account={account} onChange={onChange} />
          <Button
            variant="secondary"
            size="small"
            aria-label={t("stores.manageOf", { name: account.name })}
            onClick={() => navigate(accountPath(account.id))}
          >
            {needsCredentials(account) ? t("stores.newCredentials") : t("stores.manage")}
          </Button>
        </div>
      </div>
    </Card>
  );
}

function RecentOrders() {
  const { t } = useText();
  const [answer, refetch] = useQuery({ query: RecentDocument });
  const orders = answer.data?.amazonOrders?.edges.map(({ node }) => node);
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
      <Rows
        answer={answer}
        rows={orders}
        onRetry={() => refetch()}
        none={{ title: t("orders.none"), help: t("orders.noneHelp") }}
      >
        {(those) => <OrderTable orders={those} />}
      </Rows>
    </Card>
  );
}
