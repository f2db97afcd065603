import { Button, Text } from "@saleor/macaw-ui";
import { useState } from "react";
import { useMutation, useQuery } from "urql";
import {
  OrderDetailsDocument,
  type OrderDetailsQuery,
  type OrderDetailsQueryVariables,
  RetryImportDocument,
} from "../../api/generated/graphql";
import { usePolling } from "../../api/polling";
import {
  Badge,
  css,
  Empty,
  InEnglish,
  Loading,
  Notice,
  Page,
  Problem,
} from "../../components";
import { ImportState, Status } from "../../components/states";
import { notify } from "../../dashboard/notify";
import {
  address,
  Link,
  navigate,
  openElsewhere,
  openInDashboard,
  shopOrderPath,
  useRoute,
} from "../../dashboard/router";
import { type MessageId, useText } from "../../i18n";
import { useTold } from "../../i18n/told";
import { Fix } from "../blocked/fix";
import { AddressDialog } from "./address-dialog";
import { CancelDialog, canCancel } from "./cancel-dialog";
import { MessageDialog } from "./message-dialog";
import { Activity, Items, Shipping, Tracking } from "./tabs";

export type Order = NonNullable<OrderDetailsQuery["amazonOrder"]>;

/** From the Saleor order page: the Amazon order behind the shop's order. */
export function OrderOfShop({ orderId }: { orderId: string }) {
  return (
    <OrderDetails by={{ orderId }} back={{ to: shopOrderPath(orderId), in: "dashboard" }} />
  );
}

interface Props {
  by: OrderDetailsQueryVariables;
  back?: { to: string; in: "dashboard" };
}

export function OrderDetails({ by, back }: Props) {
  const { t } = useText();
  const [{ data, error, fetching }, refetch] = useQuery({
    query: OrderDetailsDocument,
    variables: by,
  });
  const backTo = back
    ? { ...back, label: t("order.backToShopOrder") }
    : { to: "/orders", label: t("order.back") };
  const order = data?.amazonOrder;
  if (order)
    return (
      <Details
        order={order}
        back={backTo}
        onChange={() => refetch({ requestPolicy: "network-only" })}
      />
    );
  return (
    <Page title={by.amazonOrderId ?? t("order.title")} back={backTo}>
      {fetching && <Loading rows={10} />}
      {error && <Problem error={error} onRetry={() => refetch()} />}
      {data && !order && (
        <Empty title={by.orderId ? t("order.notAmazon") : t("order.unknown")}>
          <Link className={css.link} to="/orders">
            {t("orders.title")}
          </Link>
        </Empty>
      )}
    </Page>
  );
}

const TABS = [
  ["shipping", "order.tabShipping", Shipping],
  ["items", "order.tabItems", Items],
  ["tracking", "order.tabTracking", Tracking],
  ["activity", "order.tabActivity", Activity],
] as const satisfies readonly [
  string,
  MessageId,
  (props: { order: Order; onChange: () => void }) => JSX.Element,
][];

interface DetailsProps {
  order: Order;
  back: { to: string; label: string; in?: "app" | "dashboard" };
  onChange: () => void;
}

function Details({ order, back, onChange }: DetailsProps) {
  const { t } = useText();
  const { path, params } = useRoute();
  const [dialog, setDialog] = useState<"cancel" | "address" | "message">();
  const chosen = TABS.find(([name]) => name === params.get("tab")) ?? TABS[0];
  const [, , Tab] = chosen;
  // Whoever had it retried sees what came of it.
  usePolling(order.importState === "READY", onChange);
  const close = () => setDialog(undefined);
  const done = () => {
    close();
    onChange();
  };
  return (
    <Page
      title={order.amazonOrderId}
      back={back}
      badges={
        <>
          <Status status={order.fulfillmentStatus} />
          <ImportState state={order.importState} />
          {order.isCancellationRequested && (
            <Badge tone="attention">{t("order.cancellationRequested")}</Badge>
          )}
        </>
      }
      actions={
        <>
          {order.sellerCentralUrl && (
            <Button
              variant="secondary"
              onClick={() => openElsewhere(order.sellerCentralUrl ?? "")}
            >
              {t("order.sellerCentral")}
            </Button>
          )}
          {order.orderId && (
            <Button
              variant="secondary"
              onClick={() => openInDashboard(shopOrderPath(order.orderId ?? ""))}
            >
              {t("order.openShopOrder", { number: order.orderNumber ?? "" })}
            </Button>
          )}
          <Button variant="secondary" onClick={() => setDialog("message")}>
            {t("message.title")}
          </Button>
          {canCancel(order) && (
            <Button
              variant="secondary"
              className={css.danger}
              onClick={() => setDialog("cancel")}
            >
              {t("cancel.action")}
            </Button>
          )}
        </>
      }
    >
      <Blockers
        order={order}
        onChange={onChange}
        onEditAddress={() => setDialog("address")}
      />
      <nav className={css.tabs} aria-label={t("order.sections")}>
        {TABS.map(([name, label]) => (
          <a
            key={name}
            href={`#${name}`}
            aria-current={name === chosen[0] ? "true" : undefined}
            onClick={(event) => {
              event.preventDefault();
              navigate(address(path, { ...Object.fromEntries(params), tab: name }));
            }}
          >
            {t(label)}
          </a>
        ))}
      </nav>
      <Tab order={order} onChange={onChange} />
      {dialog === "cancel" && <CancelDialog order={order} onClose={close} onDone={done} />}
      {dialog === "message" && (
        <MessageDialog order={order} onClose={close} onDone={done} />
      )}
      {dialog === "address" && (
        <AddressDialog order={order} onClose={close} onDone={done} />
      )}
    </Page>
  );
}

interface BlockersProps {
  order: Order;
  onChange: () => void;
  onEditAddress: () => void;
}

/** What keeps the order out of the shop, and what can be done about it here. */
function Blockers({ order, onChange, onEditAddress }: BlockersProps) {
  const { t, of } = useText();
  const told = useTold();
  const [{ fetching }, retry] = useMutation(RetryImportDocument);
  if (order.importState !== "BLOCKED") {
    return order.note ? (
      <Notice>
        <Text as="p" size={3} lang="en">
          {order.note}
        </Text>
      </Notice>
    ) : null;
  }
  const hasBadAddress = order.blockers.some(({ code }) => code === "BAD_ADDRESS");
  const onRetry = async () => {
    const { data, error } = await retry({ ids: [order.id] });
    const message = error?.message ?? told.refusal(data?.amazonOrderRetryImport?.errors[0]);
    void notify(message ? "error" : "success", message ?? t("order.retryQueued"));
    onChange();
  };
  return (
    <Notice
      tone="critical"
      action={
        <div className={css.actions}>
          {hasBadAddress && (
            <Button variant="secondary" onClick={onEditAddress}>
              {t("address.edit")}
            </Button>
          )}
          <Button variant="secondary" disabled={fetching} onClick={onRetry}>
            {t("order.retry")}
          </Button>
        </div>
      }
    >
      <Text as="h2" size={4} fontWeight="medium">
        {t("order.blocked")}
      </Text>
      <ul className={css.reasons}>
        {order.blockers.map((blocker) => (
          <li key={`${blocker.code} ${blocker.subject}`}>
            <Text size={3}>
              <strong>{of("blocker", blocker.code)}</strong>: {told.blocker(blocker)}
              <Fix cause={{ ...blocker, accountId: order.accountId }} />
            </Text>
            <InEnglish text={blocker.message} />
          </li>
        ))}
      </ul>
    </Notice>
  );
}
