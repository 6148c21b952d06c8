// A WebSocket client for agent.mjs: that of Node.js 22 and later, or on older
// ones as much of RFC 6455 as a client needs that sends short texts.
import crypto from 'node:crypto'
import http from 'node:http'
import https from 'node:https'

// connect returns a WebSocket that is open, or throws. The token is optional.
export async function connect (address, token) {
  const url = new URL(address.replace(/^ws/, 'http'))
  if (url.pathname === '/') url.pathname = '/rpc'
  const headers = token ? { Authorization: `Bearer ${token}` } : {}
  if (globalThis.WebSocket && !process.env.VEDETTE_OWN_WEBSOCKET) {
    const ws = new WebSocket(url.href.replace(/^http/, 'ws'), { headers })
    await new Promise((resolve, reject) => { ws.onopen = resolve; ws.onerror = () => reject(new Error(`cannot connect to ${url}`)) })
    return ws
  }
  return new Promise((resolve, reject) => {
    const key = crypto.randomBytes(16).toString('base64')
    Object.assign(headers, { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13, 'Sec-WebSocket-Key': key })
    const request = (url.protocol === 'https:' ? https : http).get(url, { headers })
    request.on('upgrade', (_, socket, head) => resolve(new Client(socket, head)))
    request.on('response', (res) => res.on('data', (text) => reject(new Error(`refused: ${res.statusCode} ${text}`))))
    request.on('error', reject)
  })
}

class Client {
  constructor (socket, head) {
    this.socket = socket
    this.received = head
    socket.setTimeout(15_000, () => socket.destroy(new Error('the master is silent'))) // it pings every 5 s
    socket.on('data', (data) => { this.received = Buffer.concat([this.received, data]); this.read() })
    socket.on('error', (error) => { this.error = error })
    socket.on('close', () => this.onclose?.({ code: 1006, reason: this.error?.message ?? 'hung up' }))
    setImmediate(() => this.read()) // what came with the handshake, once the callbacks are set
  }

  // read takes whole frames off what was received.
  read () {
    for (let b = this.received; b.length >= 2; b = this.received) {
      const long = { 126: 2, 127: 8 }[b[1]] ?? 0
      if (b.length < 2 + long) return
      const size = long === 2 ? b.readUInt16BE(2) : long === 8 ? Number(b.readBigUInt64BE(2)) : b[1]
      if (b.length < 2 + long + size) return
      const data = b.subarray(2 + long, 2 + long + size)
      this.received = b.subarray(2 + long + size)
      if (b[0] === 0x81) this.onmessage?.({ data: data.toString() })
      if (b[0] === 0x89) this.send(data, 0xa) // ping
      if (b[0] === 0x88) this.onclose?.({ code: size ? data.readUInt16BE() : 1005, reason: data.subarray(2).toString() })
    }
  }

  send (text, opcode = 1) {
    const data = Buffer.from(text)
    const mask = crypto.randomBytes(4)
    const head = data.length < 126 ? [0x80 | opcode, 0x80 | data.length] : [0x80 | opcode, 0xfe, data.length >> 8, data.length & 255]
    this.socket.write(Buffer.concat([Buffer.from(head), mask, data.map((byte, i) => byte ^ mask[i % 4])]))
  }
}
