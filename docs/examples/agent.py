"""An agent in Python's standard library: python3 agent.py http://127.0.0.1:50505

It calls master.reportMetric with the load average every second. A token, where
the master wants one, is taken from VEDETTE_TOKEN. See rpc/PROTOCOL.md.
"""
import base64, json, os, socket, ssl, struct, sys, threading, time, urllib.parse


class WebSocket:
    """As much of RFC 6455 as a client needs that sends short texts."""

    def __init__(self, url, token=""):
        u = urllib.parse.urlsplit(url)
        tls = u.scheme in ("https", "wss")
        self.sock = socket.create_connection((u.hostname, u.port or (443 if tls else 80)), timeout=10)
        if tls:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=u.hostname)
        path = u.path if u.path not in ("", "/") else "/rpc"
        auth = f"Authorization: Bearer {token}\r\n" if token else ""
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {u.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                          f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{auth}\r\n".encode())
        self.file, self.lock = self.sock.makefile("rb"), threading.Lock()
        status = self.file.readline().decode().strip()
        while self.file.readline().strip():
            pass  # the other headers
        if " 101 " not in status:
            sys.exit(f"refused: {status} {self.file.readline().decode().strip()}")
        self.sock.settimeout(15)  # the master pings every 5 s, so silence means that it is gone

    def send(self, data, opcode=1):
        mask, size = os.urandom(4), len(data)
        head = bytes([0x80 | opcode]) + (bytes([0x80 | size]) if size < 126 else struct.pack(">BH", 0xFE, size))
        with self.lock:
            self.sock.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        """Returns the next text, and answers pings until it comes."""
        while True:
            opcode, size = self.file.read(2)
            if size >= 126:
                size = int.from_bytes(self.file.read(2 if size == 126 else 8), "big")
            data = self.file.read(size)
            if opcode == 0x89:  # ping
                self.send(data, opcode=0xA)
            elif opcode == 0x88:  # close
                raise ConnectionError(f"closed by the master: {data[2:].decode()}")
            elif opcode == 0x81:  # text
                return data.decode()


def listen(ws):
    try:
        while True:
            answer = json.loads(ws.receive())
            if "error" in answer:
                print("refused:", answer["error"]["message"], file=sys.stderr)
    except (OSError, ValueError) as e:
        print("lost the master:", e or "no answer", file=sys.stderr)
        os._exit(1)


# The agent: ten lines.
ws = WebSocket(sys.argv[1], os.environ.get("VEDETTE_TOKEN", ""))
threading.Thread(target=listen, args=[ws], daemon=True).start()
host, calls = socket.gethostname(), 0
while True:
    calls += 1
    metric = {"ts": int(time.time() * 1000), "key": "load/average-1", "val": os.getloadavg()[0]}
    call = {"jsonrpc": "2.0", "id": calls, "method": "master.reportMetric", "params": [host, metric]}
    ws.send(json.dumps(call).encode())
    time.sleep(1)
