import { reportWidgetHeightFromElement } from "@saleor/app-sdk/app-bridge";
import { Button, Text } from "@saleor/macaw-ui";
import { useEffect, useRef } from "react";
import { useQuery } from "urql";
import { WidgetDocument, type WidgetQuery } from "../../api/generated/graphql";
import { Badge, css, Fields, Loading, Problem } from "../../components";
import { Failure, OutboxState, Status } from "../../components/states";
import { bridge } from "../../dashboard/bridge";
import { openInDashboard, ownPage } from "../../dashboard/router";
import { useText } from "../../i18n";
import { canCancel } from "../order-details/cancel-dialog";

/** The box on the order page of the Dashboard. */
export function Widget({ orderId }: { orderId: string }) {
  const { t } = useText();
  const box = useRef<HTMLDivElement>(null);
  const [{ data, error, fetching }, refetch] = useQuery({
    query: WidgetDocument,
    variables: { orderId },
  });
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      void reportWidgetHeightFromElement(bridge, element);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={box} className={css.widget}>
      {fetching && !data && <Loading rows={3} />}
      {error && !data && <Problem error={error} onRetry={() => refetch()} />}
      {data && !data.amazonOrder && (
        <Text as="p" size={3} className={css.muted}>
          {t("order.notAmazon")}
        </Text>
      )}
      {data?.amazonOrder && <Content order={data.amazonOrder} orderId={orderId} />}
    </div>
  );
}

type Order = NonNullable<WidgetQuery["amazonOrder"]>;

function Content({ order, orderId }: { order: Order; orderId: string }) {
  const { t, of, deadline, marketplace } = useText();
  const isOpen = ["UNSHIPPED", "PARTIALLY_SHIPPED"].includes(order.fulfillmentStatus);
  const failed = order.outboxEntries.find(({ state }) => state === "FAILED");
  const details = `/order?orderId=${encodeURIComponent(orderId)}`;
  return (
    <>
      <Fields
        rows={[
          [t("order.number"), order.amazonOrderId],
          [
            t("order.marketplace"),
            marketplace(order.marketplaceId) ?? order.marketplaceName,
          ],
          [t("order.status"), <Status key="status" status={order.fulfillmentStatus} />],
          [t("order.shipBy"), isOpen && order.shipBy ? deadline(order.shipBy) : null],
          [
            failed ? of("kind", failed.kind) : "",
            failed && <OutboxState key="failed" state={failed.state} />,
          ],
        ]}
      />
      {order.isCancellationRequested && (
        <div>
          <Badge tone="attention">{t("order.cancellationRequested")}</Badge>
        </div>
      )}
      {failed?.errorMessage && (
        <Text as="p" size={2}>
          <Failure {...failed} />
        </Text>
      )}
      <div className={css.actions}>
        <Button
          variant="secondary"
          size="small"
          onClick={() => openInDashboard(ownPage(details))}
        >
          {canCancel(order) ? t("widget.viewOrCancel") : t("widget.view")}
        </Button>
        <Button
          variant="tertiary"
          size="small"
          onClick={() => openInDashboard(ownPage("/orders"))}
        >
          {t("widget.all")}
        </Button>
      </div>
    </>
  );
}
