/** Checks that find what is wrong before a caller does: read-only, each with evidence and fix. */
export { checks } from './checks/index.ts'
export { type ContextOptions, createContext, type DoctorContext } from './context.ts'
export { fromError, skip, worst } from './finding.ts'
export { type Pitfall, pitfalls } from './pitfalls.ts'
export { type RunOptions, runChecks } from './run.ts'
export { type System, thisSystem } from './system.ts'
export type {
  Area,
  Check,
  CheckResult,
  Finding,
  Verdict,
} from './types.ts'
