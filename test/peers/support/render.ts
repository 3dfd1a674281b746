import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Replaces each `@NAME@` by its value. Throws for a name without one. */
export function render(template: string, values: Record<string, string | number>): string {
  return template.replace(/@([A-Z][A-Z0-9_]*)@/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`no value for @${name}@`)
    return String(value)
  })
}

/** Renders every file of the folders into `target`; a later folder replaces files of an earlier one. */
export function renderFolders(
  folders: readonly string[],
  target: string,
  values: Record<string, string | number>,
): void {
  mkdirSync(target, { recursive: true })
  for (const folder of folders) {
    for (const file of globSync(join(folder, '*.{conf,cfg}'))) {
      writeFileSync(join(target, basename(file)), render(readFileSync(file, 'utf8'), values))
    }
  }
}
