export { Instance, type InstanceAddresses, type InstanceOptions } from './instance.ts'
