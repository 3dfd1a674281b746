/** What a template may name. Values are `+E.164` or a BSUID; `dialed` is as the PBX dialled. */
export interface TemplateValues {
  business: string
  caller: string
  dialed?: string
}

const PLACE = /\{(business|caller|dialed)(:digits)?\}/g

/**
 * Fills `{business}`, `{caller}`, `{dialed}`; `:digits` drops the plus. An unknown place stays as
 * written: the configuration has been checked before.
 */
export function fillTemplate(template: string, values: TemplateValues): string {
  return template.replace(PLACE, (_, name: keyof TemplateValues, digits: string | undefined) => {
    const value = values[name] ?? ''
    return digits !== undefined && value.startsWith('+') ? value.slice(1) : value
  })
}
