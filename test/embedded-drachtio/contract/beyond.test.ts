import t from 'tap'
import { openServer } from '../support.ts'
import { beyondSuite } from './beyond.ts'

const { server, address } = await openServer()
t.teardown(() => server.close())
await beyondSuite(t, address)
