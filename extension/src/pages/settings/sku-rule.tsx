import { Button, Text } from "@saleor/macaw-ui";
import { type FormEvent, useState } from "react";
import { useMutation, useQuery } from "urql";
import { SetSkuRuleDocument, SkuRuleDocument } from "../../api/generated/graphql";
import { byField, Card, css, FormError } from "../../components";
import { Answer } from "../../components/answer";
import { TextField } from "../../components/fields";
import { notify } from "../../dashboard/notify";
import { useText } from "../../i18n";

const MOST_EXAMPLES = 5;

export interface Rule {
  prefix: string;
  suffix: string;
}

/** The SKU that is looked for in the shop: as `importing/skus.py` does it. */
export function applied(sku: string, { prefix, suffix }: Rule): string {
  const begun = sku.startsWith(prefix) ? sku.slice(prefix.length) : sku;
  const ended = suffix && begun.endsWith(suffix) ? begun.slice(0, -suffix.length) : begun;
  return ended || sku;
}

interface Props {
  accountId: string;
  /** SKUs that orders wait for. */
  examples: string[];
}

/** What is left out of all of the account's SKUs that are not known as they are. */
export function SkuRule({ accountId, examples }: Props) {
  const { t } = useText();
  const [answer, refetch] = useQuery({ query: SkuRuleDocument });
  const rule = answer.data?.amazonAccounts.find(({ id }) => id === accountId);
  return (
    <Card title={t("skuRule.title")}>
      <Answer answer={{ ...answer, data: rule }} onRetry={() => refetch()} skeletons={3}>
        {({ skuPrefix, skuSuffix }) => (
          <Form
            accountId={accountId}
            rule={{ prefix: skuPrefix, suffix: skuSuffix }}
            examples={examples}
          />
        )}
      </Answer>
    </Card>
  );
}

function Form({ accountId, rule, examples }: Props & { rule: Rule }) {
  const { t } = useText();
  const [values, setValues] = useState(rule);
  const [{ data, error, fetching }, save] = useMutation(SetSkuRuleDocument);
  const errors = byField(data?.amazonSkuRuleSet?.errors ?? [], ["prefix", "suffix"]);
  const set = (changes: Partial<Rule>) => setValues({ ...values, ...changes });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const result = await save({ accountId, ...values });
    if (result.error || result.data?.amazonSkuRuleSet?.errors.length) return;
    void notify("success", t("skuRule.saved"));
  };
  const shown = [`${values.prefix}1234${values.suffix}`, ...examples];
  return (
    <form className={css.form} onSubmit={submit}>
      <Text as="p" size={3} className={css.muted}>
        {t("skuRule.help")}
      </Text>
      <FormError text={error?.message ?? errors[""]} />
      <div className={css.pair}>
        <TextField
          label={t("skuRule.prefix")}
          maxLength={50}
          value={values.prefix}
          onChange={(prefix) => set({ prefix })}
          error={errors.prefix}
        />
        <TextField
          label={t("skuRule.suffix")}
          maxLength={50}
          value={values.suffix}
          onChange={(suffix) => set({ suffix })}
          error={errors.suffix}
        />
      </div>
      <div role="status">
        <Text as="p" size={3} className={css.muted}>
          {values.prefix || values.suffix ? t("skuRule.examples") : t("skuRule.none")}
        </Text>
        {(values.prefix || values.suffix) && (
          <ul className={css.inlineList}>
            {shown.slice(0, MOST_EXAMPLES).map((sku) => {
              const found = applied(sku, values);
              return (
                <li key={sku}>
                  {found === sku
                    ? t("skuRule.same", { sku })
                    : t("skuRule.example", { sku, found })}
                </li>
              );
            })}
          </ul>
        )}
      </div>
      <div>
        <Button type="submit" disabled={fetching}>
          {t("common.save")}
        </Button>
      </div>
    </form>
  );
}
