export { catalogue, definitionOf, type ErrorCode } from './catalogue.ts'
export { CausewayError, type ErrorContext, isCausewayError } from './causeway-error.ts'
export type { ErrorDefinition, Owner } from './definition.ts'
