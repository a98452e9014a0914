"""A badge reader by libosdp, served by TCP to one panel after the other.

usage: libosdp_reader.py PORT ADDRESS KEY-HEX|none
Commands on standard input, one a line: `badge BITS HEX`, `die`. Prints `ready`, then `secured` or `open` when
a session stands, and `taken NAME` for commands.
"""
import socket
import sys
import threading
import time

from osdp import Channel, Event, LibFlag, LogLevel, PDCapabilities, PDInfo, PeripheralDevice


class Line(Channel):
    def __init__(self, port):
        super().__init__()
        self.listener = socket.create_server(("127.0.0.1", port))
        self.peer = None
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.listener.accept()
            peer.setblocking(False)
            self.peer = peer

    def read(self, most):
        try:
            return self.peer.recv(most) if self.peer else b""
        except OSError:
            return b""

    def write(self, data):
        try:
            self.peer.sendall(data)
        except (OSError, AttributeError):
            pass
        return len(data)

    def flush(self):
        pass


port, address, key = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
key = None if key == "none" else bytes.fromhex(key)
flags = [] if key is None else [LibFlag.EnforceSecure]
info = PDInfo(address, Line(port), scbk=key, flags=flags, name="reader")
device = PeripheralDevice(info, PDCapabilities([]), log_level=LogLevel.Error)
device.set_command_handler(lambda command: (print("taken", command.get("command"), flush=True), (0, None))[1])
device.start()
print("ready", flush=True)


def watch():
    was = None
    while True:
        now = "secured" if device.is_sc_active() else "open"
        if now != was:
            print(now, flush=True)
        was = now
        time.sleep(0.1)


threading.Thread(target=watch, daemon=True).start()
for line in sys.stdin:
    match line.split():
        case ["badge", bits, digits]:
            data = bytes.fromhex(digits)
            device.submit_event({
                "event": Event.CardRead, "reader_no": 0, "direction": 0, "format": 1,
                "length": int(bits), "data": data,
            })
        case ["die"]:
            break
device.teardown()
