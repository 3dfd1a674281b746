import { createHash, timingSafeEqual } from 'node:crypto'
import type { Secret } from '../../shared/secret.ts'
import { type Command, type PartialMessage, parseCommand, RefusedValue } from './command.ts'
import type { AppConnection } from './connection.ts'
import type { Router } from './router.ts'

/** The SIP side of the protocol. Each answers the frame `mid` itself, or throws RefusedValue. */
export interface SipCommands {
  respond(app: AppConnection, mid: string, txn: string, message: PartialMessage): void
  inDialog(app: AppConnection, mid: string, dlg: string, message: PartialMessage): void
  cancel(app: AppConnection, mid: string, txn: string, message: PartialMessage): void
  request(app: AppConnection, mid: string, message: PartialMessage, route: string): void
  /** Name of the dialog a message belongs to by its headers; '' when none. */
  dialogOf(message: PartialMessage): string
}

export interface CommandOptions {
  secret: Secret
  router: Router
  sip: SipCommands
  /** `proto/addr:port` lists for the answer to `authenticate`: external and local addresses. */
  hostports: () => { external: string; local: string }
  /** Version reported to applications, `v0.9.10`. */
  version: string
  /** Called for every refused frame. */
  refused: () => void
}

/** Carries out the frames of applications. */
export function createCommands(
  options: CommandOptions,
): (app: AppConnection, payload: Buffer) => void {
  const expected = digest(options.secret.reveal())

  const refuse = (app: AppConnection, mid: string, reason: string): void => {
    options.refused()
    app.reply(mid, 'NOK', reason)
  }
  /** Protocol errors end the connection. */
  const end = (app: AppConnection, mid: string, reason: string): void => {
    options.refused()
    app.reply(mid, 'NO', reason)
    app.end()
  }

  function authenticate(app: AppConnection, mid: string, secret: string, tags: string): void {
    if (!timingSafeEqual(digest(secret), expected)) {
      end(app, mid, 'incorrect secret')
    } else if (tags !== '') {
      refuse(app, mid, 'tags are not supported by this server')
    } else {
      app.authenticated = true
      const { external, local } = options.hostports()
      app.reply(mid, 'OK', external, options.version, local)
    }
  }

  function subscribe(app: AppConnection, mid: string, verb: string): void {
    if (verb.startsWith('cdr:')) {
      refuse(app, mid, 'CDR events are not supported by this server')
    } else if (!/^[a-z]{1,32}$/.test(verb)) {
      refuse(app, mid, 'invalid method')
    } else {
      options.router.add(verb, app)
      app.reply(mid, 'OK')
    }
  }

  /** Order of classification as applications rely on it. */
  function sip(app: AppConnection, mid: string, command: Command): void {
    const { tokens, message } = command
    const txn = tokens[2] ?? ''
    const dlg = tokens[3] ?? ''
    if (!message) {
      end(app, mid, 'Invalid message format')
    } else if (message.startLine.startsWith('SIP/')) {
      if (txn === '') end(app, mid, 'transaction id missing')
      else options.sip.respond(app, mid, txn, message)
    } else if (dlg !== '') {
      options.sip.inDialog(app, mid, dlg, message)
    } else if (txn !== '') {
      options.sip.cancel(app, mid, txn, message)
    } else {
      const named = options.sip.dialogOf(message)
      if (named !== '') options.sip.inDialog(app, mid, named, message)
      else options.sip.request(app, mid, message, tokens[4] ?? '')
    }
  }

  function execute(app: AppConnection, mid: string, command: Command): void {
    const { tokens } = command
    const argument = (tokens[2] ?? '').toLowerCase()
    switch (tokens[1]) {
      case 'sip':
        sip(app, mid, command)
        break
      case 'ping':
        app.reply(mid, 'OK', 'pong')
        break
      case 'route':
        subscribe(app, mid, argument)
        break
      case 'remove_route':
        options.router.remove(argument, app)
        app.reply(mid, 'OK')
        break
      case 'authenticate':
        authenticate(app, mid, tokens[2] ?? '', tokens[3] ?? '')
        break
      case 'proxy':
        refuse(app, mid, 'proxying is not supported by this server')
        break
      default:
        end(app, mid, 'Unknown message type')
    }
  }

  return (app, payload) => {
    let mid = ''
    try {
      const command = parseCommand(payload, (tokens) => {
        mid = tokens[0] ?? ''
      })
      const { tokens } = command
      if (tokens.length < 2 || mid === '') end(app, mid, 'Invalid message format')
      else if (!app.authenticated && tokens[1] !== 'authenticate') {
        end(app, mid, 'not authenticated')
      } else execute(app, mid, command)
    } catch (error) {
      if (!(error instanceof RefusedValue)) throw error
      if (app.authenticated) refuse(app, mid, error.message)
      else end(app, mid, 'not authenticated')
    }
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
