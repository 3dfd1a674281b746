export { Instance, type InstanceAddresses, type InstanceOptions } from './instance.ts'
export { openRecords, type Records } from './records.ts'
