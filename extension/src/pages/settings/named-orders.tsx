import { Button, Text } from "@saleor/macaw-ui";
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";
import { ImportNamedDocument, type ImportNamedMutation } from "../../api/generated/graphql";
import { byField, css, FormError } from "../../components";
import { TextAreaField } from "../../components/fields";
import { Scroll } from "../../components/scroll";
import { ImportState } from "../../components/states";
import { Link } from "../../dashboard/router";
import { useText } from "../../i18n";

type Result = NonNullable<ImportNamedMutation["amazonOrdersImport"]>["results"][number];

/** The numbers in a text, each once, however they are set apart. */
export const numbersIn = (text: string) => [
  ...new Set(text.split(/[\s,;]+/).filter(Boolean)),
];

/** Imports single orders by Amazon's numbers, however old they are. */
export function NamedOrders({ accountId }: { accountId: string }) {
  const { t } = useText();
  const [text, setText] = useState("");
  const [{ data, error, fetching }, run] = useMutation(ImportNamedDocument);
  const answer = data?.amazonOrdersImport;
  const errors = byField(answer?.errors ?? [], ["amazonOrderIds"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run({ accountId, amazonOrderIds: numbersIn(text) });
  };
  return (
    <>
      <form className={css.form} onSubmit={submit}>
        <Text as="p" size={3} className={css.muted}>
          {t("named.help")}
        </Text>
        <FormError text={error?.message ?? errors[""]} />
        <TextAreaField
          label={t("named.numbers")}
          rows={3}
          required
          value={text}
          onChange={setText}
          error={errors.amazonOrderIds}
          help={t("named.numbersHelp")}
        />
        <div>
          <Button type="submit" disabled={fetching || !numbersIn(text).length}>
            {fetching ? t("connect.busy") : t("named.action")}
          </Button>
        </div>
      </form>
      {Boolean(answer?.results.length) && <Results results={answer?.results ?? []} />}
    </>
  );
}

function Results({ results }: { results: Result[] }) {
  const { t } = useText();
  return (
    <div role="status">
      <Scroll>
        <table className={css.table}>
          <caption>{t("named.title")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("order.number")}</th>
              <th scope="col">{t("order.inShop")}</th>
              <th scope="col">{t("order.note")}</th>
            </tr>
          </thead>
          <tbody>
            {results.map(({ amazonOrderId, state, note, errors }) => (
              <tr key={amazonOrderId}>
                <th scope="row" className={css.nowrap}>
                  {state ? (
                    <Link
                      className={css.link}
                      to={`/orders/${encodeURIComponent(amazonOrderId)}`}
                    >
                      {amazonOrderId}
                    </Link>
                  ) : (
                    amazonOrderId
                  )}
                </th>
                <td>{state ? <ImportState state={state} /> : "–"}</td>
                <td className={css.note}>{errors[0]?.message ?? note}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </div>
  );
}
