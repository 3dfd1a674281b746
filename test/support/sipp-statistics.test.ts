import t from 'tap'
import { wholeRow } from '../peers/support/sipp.ts'

const TABLE = 'StartTime;CurrentCall;FailedCall(C);\n1;40;0;\n2;38;1;\n'

t.test('the last line of statistics counts once it is written whole', async (t) => {
  t.match(wholeRow(TABLE), { StartTime: '2', CurrentCall: '38', 'FailedCall(C)': '1' })
  for (const part of ['3', '3;', '3;3', '3;37;1;']) {
    t.equal(wholeRow(TABLE + part)['CurrentCall'], '38', `${part} is on its way`)
  }
})

t.test('there is none before the first', async (t) => {
  for (const table of [
    '',
    'StartTime;Cur',
    'StartTime;CurrentCall;\n',
    'StartTime;CurrentCall;\n1;4',
  ]) {
    t.same(wholeRow(table), {})
  }
})
