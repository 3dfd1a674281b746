import t from 'tap'
import { openServer } from '../support.ts'
import { contractSuite } from './suite.ts'

const { server, address } = await openServer()
t.teardown(() => server.close())
await contractSuite(t, address)
