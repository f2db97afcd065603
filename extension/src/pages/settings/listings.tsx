import { Text } from "@saleor/macaw-ui";
import { useQuery } from "urql";
import {
  type AmazonListingState,
  ListingsDocument,
  type ListingsQueryVariables,
} from "../../api/generated/graphql";
import { Badge, css, type Tone } from "../../components";
import { Rows } from "../../components/answer";
import { SelectField } from "../../components/fields";
import { Pager } from "../../components/pager";
import { Scroll } from "../../components/scroll";
import { address, navigate } from "../../dashboard/router";
import { useText } from "../../i18n";
import { MARKETPLACES } from "../../marketplaces";
import { AccountSettingsPage } from "./tabs";

const PAGE_SIZE = 25;

const STATES: Record<AmazonListingState, Tone> = {
  SENT: "good",
  NEW: "busy",
  REFUSED: "bad",
  UNKNOWN_SKU: "attention",
  NOT_LISTED: "attention",
  NOT_FULFILLED: "neutral",
  NOT_COUNTED: "neutral",
  AMAZON_FULFILLED: "neutral",
};

/** What Amazon is told of the shop's stock, by listing. */
export default function Listings({ params }: { params: URLSearchParams }) {
  const { t } = useText();
  return (
    <AccountSettingsPage title={t("listings.title")} params={params}>
      {(accountId) => <OfAccount accountId={accountId} params={params} />}
    </AccountSettingsPage>
  );
}

function OfAccount({ accountId, params }: { accountId: string; params: URLSearchParams }) {
  const { t, of, time, number, country } = useText();
  const [state, before] = ["state", "before"].map((name) => params.get(name));
  const variables: ListingsQueryVariables = {
    filter: {
      accounts: [accountId],
      ...(state && { states: [state as AmazonListingState] }),
    },
    ...(before
      ? { last: PAGE_SIZE, before }
      : { first: PAGE_SIZE, after: params.get("after") ?? undefined }),
  };
  const [answer, refetch] = useQuery({ query: ListingsDocument, variables });
  const listings = answer.data?.amazonListings;
  const change = (changes: Record<string, string | undefined>) =>
    navigate(
      address("/settings/listings", {
        ...Object.fromEntries(params),
        after: "",
        before: "",
        ...changes,
      }),
    );
  const place = (id: string) => {
    const known = MARKETPLACES.find(([each]) => each === id);
    return known ? country(known[1]) : id;
  };
  const count = (value?: number | null) => (value == null ? "–" : number(value));
  return (
    <section className={css.card} aria-label={t("listings.title")}>
      <div className={css.filters}>
        <SelectField
          label={t("order.status")}
          value={state ?? ""}
          options={[
            { value: "", label: t("common.all") },
            ...Object.keys(STATES).map((value) => ({
              value,
              label: of("listing", value),
            })),
          ]}
          onChange={(value) => change({ state: value })}
        />
      </div>
      <Rows
        answer={answer}
        rows={listings?.edges}
        onRetry={() => refetch()}
        skeletons={8}
        none={
          state
            ? { title: t("outbox.noneFound"), help: t("orders.noneFoundHelp") }
            : { title: t("listings.none"), help: t("listings.noneHelp") }
        }
      >
        {(edges) => (
          <Scroll>
            <table className={css.table}>
              <caption>{t("listings.title")}</caption>
              <thead>
                <tr>
                  <th scope="col">{t("item.sku")}</th>
                  <th scope="col">{t("item.title")}</th>
                  <th scope="col">{t("order.marketplace")}</th>
                  <th scope="col">{t("order.status")}</th>
                  <th scope="col" className={css.end}>
                    {t("listings.wanted")}
                  </th>
                  <th scope="col" className={css.end}>
                    {t("listings.sent")}
                  </th>
                  <th scope="col" className={css.end}>
                    {t("listings.amazon")}
                  </th>
                  <th scope="col">{t("order.note")}</th>
                </tr>
              </thead>
              <tbody>
                {edges.map(({ node }) => (
                  <tr key={node.id}>
                    <th scope="row">{node.sellerSku}</th>
                    <td className={css.name}>{node.title ?? "–"}</td>
                    <td>{place(node.marketplaceId)}</td>
                    <td>
                      <Badge tone={STATES[node.state]}>{of("listing", node.state)}</Badge>
                    </td>
                    <td className={css.end}>{count(node.quantity)}</td>
                    <td className={css.end}>
                      {count(node.sentQuantity)}
                      {node.sentAt && (
                        <Text as="p" size={2} className={css.muted}>
                          {time(node.sentAt)}
                        </Text>
                      )}
                    </td>
                    <td className={css.end}>{count(node.amazonQuantity)}</td>
                    <td className={css.note}>{node.note}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        )}
      </Rows>
      {listings && <Pager of={listings} onPage={change} />}
    </section>
  );
}
