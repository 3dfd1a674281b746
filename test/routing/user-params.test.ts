import t from 'tap'
import { userParamsOf } from '../../src/routing/index.ts'

t.test('parameters of the user part', async (t) => {
  const rows: [uri: string, params: Record<string, string>][] = [
    ['sip:+441632960123@sip.example.com;transport=tls', {}],
    ['sip:+441632960123;tgrp=sales@sip.example.com;transport=tls', { tgrp: 'sales' }],
    [
      'sip:+441632960123;tgrp=wacall;trunk-context=byoc.example.com@h;transport=tls',
      { tgrp: 'wacall', 'trunk-context': 'byoc.example.com' },
    ],
    ['sips:+441632960123;TGRP=Sales@h', { tgrp: 'Sales' }],
    ['sip:+441632960123;tgrp=a%3Bb%20c;n%61me=x@h', { tgrp: 'a;b c', name: 'x' }],
    ['sip:+441632960123;tgrp=first;tgrp=second@h', { tgrp: 'first' }],
    ['sip:+441632960123;flag;empty=@h', { flag: '', empty: '' }],
    ['sip:+441632960123;tgrp=a=b@h', { tgrp: 'a=b' }],
    ['sip:+441632960123;tgrp=x:secret@h', { tgrp: 'x' }],
    ['sip:+441632960123;;=y@h', {}],
    ['sip:+441632960123;tgrp=%zz@h', { tgrp: '%zz' }],
    ['sip:host;tgrp=no', {}],
    ['tgrp=no', {}],
    ['', {}],
  ]
  for (const [uri, params] of rows) t.same(Object.fromEntries(userParamsOf(uri)), params, uri)
})
