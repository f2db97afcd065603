import { useState } from "react";
import { css } from "../../components";
import { useAccounts } from "../../components/accounts";
import { CheckField, SelectField, TextField } from "../../components/fields";
import { STATUSES } from "../../components/states";
import { useText } from "../../i18n";
import { CURRENCIES, MARKETPLACES } from "../../marketplaces";
import { amountOf, type Filter, GROUPS, isDay, listOf, STATES } from "./filters";

export type Changes = Partial<Record<Filter, string>>;

interface Props {
  params: URLSearchParams;
  onChange: (changes: Changes) => void;
}

export function FilterPanel({ params, onChange }: Props) {
  const { t, of, country } = useText();
  const accounts = useAccounts();
  const get = (name: Filter) => params.get(name) ?? "";
  const all = { label: t("common.all"), value: "" };
  return (
    <section id="filters" className={css.filterPanel} aria-label={t("filters.title")}>
      <Choices
        title={t("order.inShop")}
        name="state"
        options={STATES.map((value) => [value, of("state", value)])}
        params={params}
        onChange={onChange}
      />
      <Choices
        title={t("order.status")}
        name="status"
        options={STATUSES.map((value) => [value, of("status", value)])}
        params={params}
        onChange={onChange}
      />
      <div className={css.stack}>
        <Written
          label={t("order.buyer")}
          value={get("buyer")}
          help={t("filters.buyerHelp")}
          onWrite={(buyer) => onChange({ buyer })}
        />
        <SelectField
          label={t("order.marketplace")}
          value={get("marketplace")}
          options={[
            all,
            ...MARKETPLACES.map(([value, code]) => ({ value, label: country(code) })).sort(
              (one, other) => one.label.localeCompare(other.label),
            ),
          ]}
          onChange={(marketplace) => onChange({ marketplace })}
        />
        {accounts.length > 0 && (
          <SelectField
            label={t("filters.account")}
            value={get("account")}
            options={[all, ...accounts.map(({ id, name }) => ({ value: id, label: name }))]}
            onChange={(account) => onChange({ account })}
          />
        )}
        <SelectField
          label={t("order.fulfilledBy")}
          value={get("by")}
          options={[
            all,
            ...["MERCHANT", "AMAZON"].map((value) => ({
              value,
              label: of("fulfilledBy", value),
            })),
          ]}
          onChange={(by) => onChange({ by })}
        />
      </div>
      <div className={css.stack}>
        <Range
          title={t("order.placed")}
          names={["from", "to"]}
          params={params}
          onChange={onChange}
        />
        <Range
          title={t("order.shipBy")}
          names={["shipFrom", "shipTo"]}
          params={params}
          onChange={onChange}
        />
        <CheckField
          label={t("filters.risk")}
          isChecked={Boolean(get("risk"))}
          onChange={(isChecked) => onChange({ risk: isChecked ? "1" : "" })}
        />
        <CheckField
          label={t("order.cancellationRequested")}
          isChecked={Boolean(get("cancelling"))}
          onChange={(isChecked) => onChange({ cancelling: isChecked ? "1" : "" })}
        />
      </div>
      <fieldset className={css.fieldset}>
        <legend>{t("order.total")}</legend>
        <SelectField
          label={t("filters.currency")}
          value={get("currency")}
          options={[
            { label: "–", value: "" },
            ...CURRENCIES.map((value) => ({ value, label: value })),
          ]}
          onChange={(currency) =>
            onChange(currency ? { currency } : { currency, min: "", max: "" })
          }
        />
        {(["min", "max"] as const).map((name) => (
          <Written
            key={name}
            label={t(name === "min" ? "filters.from" : "filters.to")}
            value={get(name)}
            inputMode="decimal"
            disabled={!get("currency")}
            error={get(name) && !amountOf(get(name)) ? t("filters.amountError") : undefined}
            onWrite={(value) => onChange({ [name]: value })}
          />
        ))}
      </fieldset>
    </section>
  );
}

interface ChoicesProps extends Props {
  title: string;
  name: Filter;
  options: [string, string][];
}

function Choices({ title, name, options, params, onChange }: ChoicesProps) {
  const chosen = listOf(params.get(name));
  return (
    <fieldset className={css.fieldset}>
      <legend>{title}</legend>
      {options.map(([value, label]) => (
        <CheckField
          key={value}
          label={label}
          isChecked={chosen.includes(value)}
          onChange={(isChecked) =>
            onChange({
              [name]: options
                .map(([each]) => each)
                .filter((each) => (each === value ? isChecked : chosen.includes(each)))
                .join(","),
            })
          }
        />
      ))}
    </fieldset>
  );
}

interface RangeProps extends Props {
  title: string;
  names: [Filter, Filter];
}

function Range({ title, names, params, onChange }: RangeProps) {
  const { t } = useText();
  return (
    <fieldset className={css.fieldset}>
      <legend>{title}</legend>
      <div className={css.pair}>
        {names.map((name, index) => (
          <TextField
            key={name}
            label={t(index ? "filters.to" : "filters.from")}
            type="date"
            value={params.get(name) ?? ""}
            onChange={(value) => onChange({ [name]: value })}
          />
        ))}
      </div>
    </fieldset>
  );
}

interface WrittenProps {
  label: string;
  value: string;
  help?: string;
  error?: string;
  disabled?: boolean;
  inputMode?: "decimal";
  onWrite: (text: string) => void;
}

/** Taken when it is left, or by Enter: not with each letter. */
export function Written({ value, onWrite, ...field }: WrittenProps) {
  const [text, setText] = useState(value);
  const [given, setGiven] = useState(value);
  if (given !== value) {
    setGiven(value);
    setText(value);
  }
  const write = () => text.trim() !== value && onWrite(text.trim());
  return (
    <TextField
      {...field}
      value={text}
      onChange={setText}
      onBlur={write}
      onKeyDown={(event) => event.key === "Enter" && write()}
    />
  );
}

interface ChipsProps extends Props {
  onClear: () => void;
}

/** What is filtered by, each to be taken away. */
export function Chips({ params, onChange, onClear }: ChipsProps) {
  const { t, of, country, date } = useText();
  const accounts = useAccounts();
  const get = (name: Filter) => params.get(name);
  const many = (kind: string, name: Filter) =>
    listOf(get(name))
      .map((value) => of(kind, value))
      .join(", ");
  /** Of what is filtered by: words that say no amount, or no day, do nothing. */
  const range = (from: Filter, to: Filter, say: (value: string) => string | undefined) =>
    [from, to]
      .map((name, index) => {
        const said = say(get(name) ?? "");
        return said && `${index ? "≤" : "≥"} ${said}`;
      })
      .filter(Boolean)
      .join(", ");
  const day = (value: string) => (isDay(value) ? date(`${value}T00:00`) : undefined);
  const amount = (value: string) =>
    amountOf(value) && `${value} ${get("currency") ?? ""}`.trim();
  const marketplace = MARKETPLACES.find(([id]) => id === get("marketplace"));
  const said: Record<(typeof GROUPS)[number][0], [string, string]> = {
    q: [t("orders.search"), get("q") ?? ""],
    buyer: [t("order.buyer"), get("buyer") ?? ""],
    state: [t("order.inShop"), many("state", "state")],
    status: [t("order.status"), many("status", "status")],
    by: [t("order.fulfilledBy"), many("fulfilledBy", "by")],
    account: [
      t("filters.account"),
      accounts.find(({ id }) => id === get("account"))?.name ?? get("account") ?? "",
    ],
    marketplace: [
      t("order.marketplace"),
      marketplace ? country(marketplace[1]) : (get("marketplace") ?? ""),
    ],
    from: [t("order.placed"), range("from", "to", day)],
    shipFrom: [t("order.shipBy"), range("shipFrom", "shipTo", day)],
    risk: [t("filters.risk"), ""],
    cancelling: [t("order.cancellationRequested"), ""],
    currency: [t("order.total"), range("min", "max", amount)],
    code: [
      t("blocked.cause"),
      [many("blocker", "code"), get("cause")].filter(Boolean).join(": "),
    ],
  };
  const active = GROUPS.filter((group) => group.some((name) => params.get(name)));
  if (!active.length) return null;
  return (
    <ul className={css.chips} aria-label={t("filters.applied")}>
      {active.map((group) => {
        const [name, value] = said[group[0]];
        const text = value ? `${name}: ${value}` : name;
        return (
          <li key={group[0]}>
            <button
              type="button"
              className={css.chip}
              aria-label={t("filters.remove", { filter: text })}
              onClick={() => onChange(Object.fromEntries(group.map((each) => [each, ""])))}
            >
              {text} <span aria-hidden>×</span>
            </button>
          </li>
        );
      })}
      <li>
        <button type="button" className={css.chipClear} onClick={onClear}>
          {t("orders.clear")}
        </button>
      </li>
    </ul>
  );
}
