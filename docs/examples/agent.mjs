// An agent in Node.js without packages: node agent.mjs http://127.0.0.1:50505
//
// It calls master.reportMetric with the load average every second. A token,
// where the master wants one, is taken from VEDETTE_TOKEN. See rpc/PROTOCOL.md.
import os from 'node:os'
import { connect } from './websocket.mjs'

const ws = await connect(process.argv[2], process.env.VEDETTE_TOKEN)
const stop = (why) => { console.error(why); process.exit(1) }
ws.onmessage = ({ data }) => { const { error } = JSON.parse(data); if (error) console.error('refused:', error.message) }
ws.onclose = ({ code, reason }) => stop(`lost the master: ${code} ${reason}`)
let id = 0
setInterval(() => {
  const metric = { ts: Date.now(), key: 'load/average-1', val: os.loadavg()[0] }
  ws.send(JSON.stringify({ jsonrpc: '2.0', id: ++id, method: 'master.reportMetric', params: [os.hostname(), metric] }))
}, 1000)
