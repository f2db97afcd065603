import { Button, Text } from "@saleor/macaw-ui";
import { useMutation } from "urql";
import { type AddressFragment, PushInvoiceDocument } from "../../api/generated/graphql";
import { Badge, Card, css, Fields, Notice } from "../../components";
import { Failure, OutboxState } from "../../components/states";
import { notify } from "../../dashboard/notify";
import { useText } from "../../i18n";
import { useTold } from "../../i18n/told";
import type { Order } from "./order-details";
import { Redact } from "./redact";

interface Props {
  order: Order;
}

export function Shipping({ order, onChange }: Props & { onChange: () => void }) {
  const { t, of, money, time, deadline, marketplace } = useText();
  const taxNumbers = order.buyer?.taxRegistrations.map(
    ({ type, number }) => `${type} ${number}`,
  );
  return (
    <>
      {order.fulfilledBy === "AMAZON" && (
        <Notice>
          <Text as="p" size={3}>
            {t("order.fba")}
          </Text>
        </Notice>
      )}
      <div className={css.grid}>
        <Card title={t("order.title")}>
          <Fields
            rows={[
              [t("order.number"), order.amazonOrderId],
              [t("order.shopNumber"), order.orderNumber],
              [
                t("order.marketplace"),
                marketplace(order.marketplaceId) ?? order.marketplaceName,
              ],
              [t("order.placed"), time(order.createdAt)],
              [t("order.shipBy"), order.shipBy && deadline(order.shipBy)],
              [t("order.fulfilledBy"), of("fulfilledBy", order.fulfilledBy)],
              [t("order.programs"), order.programs.join(", ")],
              [t("order.total"), money(order.total)],
              [t("order.payment"), t("order.paidToAmazon")],
              [t("order.importedAt"), order.importedAt && time(order.importedAt)],
              [t("order.replacementOf"), order.replacementOf],
            ]}
          />
        </Card>
        <Card
          title={t("order.buyerAndAddress")}
          actions={!order.isRedacted && <Redact order={order} onChange={onChange} />}
        >
          {order.isRedacted ? (
            <Text as="p" size={3} className={css.muted}>
              {t("order.redacted")}
            </Text>
          ) : (
            <Fields
              rows={[
                [t("order.buyer"), order.buyerName],
                [t("order.company"), order.buyer?.companyName],
                [t("order.purchaseOrder"), order.buyer?.purchaseOrderNumber],
                [t("order.taxNumber"), taxNumbers?.join(", ")],
                [
                  t("order.shipTo"),
                  order.shippingAddress && <Address address={order.shippingAddress} />,
                ],
                [t("order.phone"), order.shippingAddress?.phone],
                [t("order.instructions"), order.deliveryInstructions],
              ]}
            />
          )}
          {order.isShippingAddressEdited && (
            <Text as="p" size={2} className={css.muted}>
              {t("address.edited")}
            </Text>
          )}
        </Card>
      </div>
    </>
  );
}

export function Address({ address }: { address: AddressFragment }) {
  const lines = [
    `${address.firstName} ${address.lastName}`.trim(),
    address.companyName,
    address.streetAddress1,
    address.streetAddress2,
    [address.postalCode, address.city].filter(Boolean).join(" "),
    [address.cityArea, address.countryArea].filter(Boolean).join(", "),
    address.country,
  ].filter(Boolean);
  return (
    <address className={css.address}>
      {lines.map((line) => (
        <span key={line}>{line}</span>
      ))}
    </address>
  );
}

export function Items({ order }: Props) {
  const { t, money, number } = useText();
  return (
    <Card title={t("order.tabItems")} isFlush>
      <table className={css.table}>
        <caption>{t("order.tabItems")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("item.title")}</th>
            <th scope="col">{t("item.sku")}</th>
            <th scope="col">ASIN</th>
            <th scope="col" className={css.end}>
              {t("item.ordered")}
            </th>
            <th scope="col" className={css.end}>
              {t("item.shipped")}
            </th>
            <th scope="col" className={css.end}>
              {t("order.total")}
            </th>
          </tr>
        </thead>
        <tbody>
          {order.items.map((item) => (
            <tr key={item.id}>
              <td>
                {item.title ?? "–"}
                {item.giftMessage && (
                  <Text as="p" size={2} className={css.muted}>
                    {t("item.gift", { message: item.giftMessage })}
                  </Text>
                )}
              </td>
              <td className={css.nowrap}>{item.sellerSku ?? "–"}</td>
              <td className={css.nowrap}>{item.asin ?? "–"}</td>
              <td className={css.end}>{number(item.quantityOrdered)}</td>
              <td className={css.end}>{number(item.quantityShipped)}</td>
              <td className={css.end}>{money(item.total)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

export function Tracking({ order }: Props) {
  const { t, time, number } = useText();
  const titles = new Map(
    order.items.map((item) => [item.orderItemId, item.title ?? item.sellerSku]),
  );
  if (order.packages.length === 0) {
    return (
      <Card title={t("order.tabTracking")}>
        <Text as="p" size={3} className={css.muted}>
          {t("package.none")}
        </Text>
      </Card>
    );
  }
  return (
    <div className={css.grid}>
      {order.packages.map((each) => (
        <Card
          key={each.id}
          title={t("package.title", { number: each.packageReferenceId })}
          actions={
            <Badge tone={each.isConfirmed ? "good" : "busy"}>
              {each.isConfirmed ? t("package.confirmed") : t("package.unconfirmed")}
            </Badge>
          }
        >
          <Fields
            rows={[
              [t("package.carrier"), each.carrierName],
              [t("package.trackingNumber"), each.trackingNumber],
              [t("package.shipped"), time(each.shipDate)],
              [
                t("package.content"),
                <ul key="content" className={css.plain}>
                  {each.items.map((item) => (
                    <li key={item.orderItemId}>
                      {number(item.quantity)} × {titles.get(item.orderItemId)}
                    </li>
                  ))}
                </ul>,
              ],
            ]}
          />
        </Card>
      ))}
    </div>
  );
}

export function Activity({ order, onChange }: Props & { onChange: () => void }) {
  const { t, of, money, time } = useText();
  const told = useTold();
  return (
    <>
      <Card title={t("activity.toAmazon")} isFlush>
        {order.outboxEntries.length === 0 ? (
          <Nothing text={t("activity.nothingTold")} />
        ) : (
          <table className={css.table}>
            <caption>{t("activity.toAmazon")}</caption>
            <thead>
              <tr>
                <th scope="col">{t("activity.what")}</th>
                <th scope="col">{t("order.status")}</th>
                <th scope="col">{t("activity.written")}</th>
                <th scope="col">{t("activity.settled")}</th>
                <th scope="col">{t("activity.who")}</th>
                <th scope="col">{t("order.note")}</th>
              </tr>
            </thead>
            <tbody>
              {order.outboxEntries.map((entry) => (
                <tr key={entry.id}>
                  <td>
                    {of("kind", entry.kind)}
                    <Text as="p" size={2} className={css.muted}>
                      {entry.description}
                    </Text>
                    {entry.buyerMessage && (
                      <Text as="p" size={2} className={css.written}>
                        {[entry.buyerMessage.text, entry.buyerMessage.fileNames.join(", ")]
                          .filter(Boolean)
                          .join(" · ")}
                      </Text>
                    )}
                  </td>
                  <td>
                    <OutboxState state={entry.state} />
                  </td>
                  <td className={css.nowrap}>{time(entry.createdAt)}</td>
                  <td className={css.nowrap}>{time(entry.settledAt)}</td>
                  <td>{entry.actor ?? "–"}</td>
                  <td>
                    <Failure {...entry} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Card>
      {order.refunds.length > 0 && (
        <Card title={t("refund.title")} isFlush>
          <table className={css.table}>
            <caption>{t("refund.title")}</caption>
            <thead>
              <tr>
                <th scope="col">{t("refund.posted")}</th>
                <th scope="col" className={css.end}>
                  {t("refund.amount")}
                </th>
                <th scope="col">{t("refund.settled")}</th>
                <th scope="col">{t("order.inShop")}</th>
                <th scope="col" className={css.end}>
                  {t("refund.amountInShop")}
                </th>
                <th scope="col">{t("order.note")}</th>
              </tr>
            </thead>
            <tbody>
              {order.refunds.map((refund) => (
                <tr key={refund.id}>
                  <td className={css.nowrap}>{time(refund.postedAt)}</td>
                  <td className={css.end}>{money(refund.amount)}</td>
                  <td>{of("refundStatus", refund.status)}</td>
                  <td>
                    <Badge tone={refund.state === "NOT_RECORDED" ? "bad" : "good"}>
                      {of("refundState", refund.state)}
                    </Badge>
                  </td>
                  <td className={css.end}>{money(refund.amountInShop)}</td>
                  <td>{refund.note}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Card>
      )}
      {order.invoices.length > 0 && <Invoices order={order} onChange={onChange} />}
      <Card title={t("activity.timeline")}>
        <ol className={css.timeline}>
          {[...order.events].reverse().map((event) => (
            <li key={event.id}>
              {told.event(event.type) && (
                <Text as="p" size={3} fontWeight="medium">
                  {told.event(event.type)}
                </Text>
              )}
              <Text as="p" size={3} lang="en">
                {event.message}
              </Text>
              <Text as="p" size={2} className={css.muted}>
                {[time(event.date), event.actor].filter(Boolean).join(" · ")}
              </Text>
            </li>
          ))}
        </ol>
      </Card>
    </>
  );
}

const Nothing = ({ text }: { text: string }) => (
  <div className={css.cardBody}>
    <Text as="p" size={3} className={css.muted}>
      {text}
    </Text>
  </div>
);

function Invoices({ order, onChange }: Props & { onChange: () => void }) {
  const { t, money, time } = useText();
  const { refusal } = useTold();
  const [{ fetching }, push] = useMutation(PushInvoiceDocument);
  const onPush = async (id: string) => {
    const { data, error } = await push({ id });
    const message = error?.message ?? refusal(data?.amazonInvoicePush?.errors[0]);
    void notify(message ? "error" : "success", message ?? t("invoice.queued"));
    onChange();
  };
  return (
    <Card title={t("invoice.title")} isFlush>
      <table className={css.table}>
        <caption>{t("invoice.title")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("invoice.number")}</th>
            <th scope="col">{t("invoice.seen")}</th>
            <th scope="col" className={css.end}>
              {t("order.total")}
            </th>
            <th scope="col">{t("invoice.onAmazon")}</th>
            <th scope="col">{t("order.note")}</th>
            <th scope="col">
              <span className={css.hidden}>{t("blocked.action")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {order.invoices.map((invoice) => (
            <tr key={invoice.id}>
              <th scope="row">{invoice.number}</th>
              <td className={css.nowrap}>{time(invoice.createdAt)}</td>
              <td className={css.end}>{money(invoice.total)}</td>
              <td>
                {invoice.push ? (
                  <OutboxState state={invoice.push.state} />
                ) : (
                  t("invoice.stays")
                )}
              </td>
              <td>{invoice.push && <Failure {...invoice.push} />}</td>
              <td>
                {(!invoice.push || invoice.push.state === "FAILED") && (
                  <Button
                    variant="secondary"
                    size="small"
                    disabled={fetching}
                    onClick={() => onPush(invoice.id)}
                  >
                    {t("invoice.send")}
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
