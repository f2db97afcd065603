/**
 * Fields of forms in the Dashboard's looks, on the browser's own controls: what a
 * keyboard, a screen reader and a phone do with those is right, and nothing is added.
 */
import {
  type InputHTMLAttributes,
  type ReactNode,
  type TextareaHTMLAttributes,
  useId,
} from "react";
import { css } from ".";

interface Common {
  label: string;
  error?: string;
  help?: string;
}

interface FrameProps extends Common {
  id: string;
  children: ReactNode;
}

const Frame = ({ id, label, error, help, children }: FrameProps) => (
  <div className={css.field}>
    <label htmlFor={id}>{label}</label>
    {children}
    {(error ?? help) && (
      <p id={`${id}-help`} className={error ? css.fieldError : css.fieldHelp}>
        {error ?? help}
      </p>
    )}
  </div>
);

const described = (id: string, { error, help }: Common) => ({
  id,
  "aria-invalid": error ? true : undefined,
  "aria-describedby": (error ?? help) ? `${id}-help` : undefined,
});

type TextFieldProps = Common &
  Omit<InputHTMLAttributes<HTMLInputElement>, "onChange" | "className"> & {
    onChange: (value: string) => void;
  };

export function TextField({ label, error, help, onChange, ...input }: TextFieldProps) {
  const id = useId();
  return (
    <Frame id={id} label={label} error={error} help={help}>
      <input
        {...input}
        {...described(id, { label, error, help })}
        className={css.control}
        onChange={(event) => onChange(event.target.value)}
      />
    </Frame>
  );
}

type TextAreaFieldProps = Common &
  Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "onChange" | "className"> & {
    onChange: (value: string) => void;
  };

export function TextAreaField(props: TextAreaFieldProps) {
  const { label, error, help, onChange, ...area } = props;
  const id = useId();
  return (
    <Frame id={id} label={label} error={error} help={help}>
      <textarea
        {...area}
        {...described(id, { label, error, help })}
        className={css.control}
        onChange={(event) => onChange(event.target.value)}
      />
    </Frame>
  );
}

interface FileFieldProps extends Common {
  required?: boolean;
  onChange: (files: File[]) => void;
}

export function FileField({ label, error, help, required, onChange }: FileFieldProps) {
  const id = useId();
  return (
    <Frame id={id} label={label} error={error} help={help}>
      <input
        {...described(id, { label, error, help })}
        type="file"
        multiple
        required={required}
        className={css.control}
        onChange={(event) => onChange([...(event.target.files ?? [])])}
      />
    </Frame>
  );
}

interface Option<Value extends string> {
  value: Value;
  label: string;
}

interface SelectFieldProps<Value extends string> extends Common {
  value: Value;
  options: readonly Option<Value>[];
  disabled?: boolean;
  required?: boolean;
  onChange: (value: Value) => void;
}

export function SelectField<Value extends string>(props: SelectFieldProps<Value>) {
  const { label, error, help, value, options, disabled, required, onChange } = props;
  const id = useId();
  return (
    <Frame id={id} label={label} error={error} help={help}>
      <select
        {...described(id, props)}
        className={css.control}
        value={value}
        disabled={disabled}
        required={required}
        onChange={(event) => onChange(event.target.value as Value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </Frame>
  );
}

interface CheckFieldProps {
  label: string;
  isChecked: boolean;
  onChange: (isChecked: boolean) => void;
}

export const CheckField = ({ label, isChecked, onChange }: CheckFieldProps) => (
  <label className={css.check}>
    <input
      type="checkbox"
      checked={isChecked}
      onChange={(event) => onChange(event.target.checked)}
    />
    {label}
  </label>
);
