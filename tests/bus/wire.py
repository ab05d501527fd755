# SPDX-License-Identifier: GPL-2.0-or-later
"""Wire: as much of D-Bus as the tests need, written from the specification and not on sd-bus

A second implementation of the protocol, so that a test does not ask sd-bus whether sd-bus is right.
Variants are (signature, value), dictionaries are dict.
"""
import os
import socket
import struct
import time

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
FIELDS = {1: "o", 2: "s", 3: "s", 4: "s", 5: "u", 6: "s", 7: "s", 8: "g", 9: "u"}
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY, DESTINATION, SENDER, SIGNATURE, UNIX_FDS = range(1, 10)
FIXED = {"y": "B", "n": "h", "q": "H", "i": "i", "u": "I", "x": "q", "t": "Q", "d": "d", "b": "I", "h": "I"}
ALIGN = {"y": 1, "n": 2, "q": 2, "g": 1, "v": 1, "x": 8, "t": 8, "d": 8, "(": 8, "{": 8}


class BusError(Exception):
    def __init__(self, name, message):
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


def split(signature):
    """The complete types that a signature is made of."""
    types, i = [], 0
    while i < len(signature):
        start = i
        while signature[i] == "a":
            i += 1
        if signature[i] in "({":
            depth = 0
            while True:
                depth += (signature[i] in "({") - (signature[i] in ")}")
                i += 1
                if depth == 0:
                    break
        else:
            i += 1
        types.append(signature[start:i])
    return types


class Writer:
    def __init__(self):
        self.data = bytearray()

    def pad(self, n):
        self.data += bytes(-len(self.data) % n)

    def put(self, t, value):
        c = t[0]
        self.pad(ALIGN.get(c, 4))
        if c in FIXED:
            self.data += struct.pack("<" + FIXED[c], value)
        elif c in "so":
            raw = value.encode()
            self.data += struct.pack("<I", len(raw)) + raw + b"\0"
        elif c == "g":
            self.data += bytes([len(value)]) + value.encode() + b"\0"
        elif c == "v":
            self.put("g", value[0])
            self.put(value[0], value[1])
        elif c == "(":
            for part, v in zip(split(t[1:-1]), value):
                self.put(part, v)
        elif c == "{":
            for part, v in zip(split(t[1:-1]), value):
                self.put(part, v)
        elif c == "a":
            self.put_array(t[1:], value.items() if isinstance(value, dict) else value)

    def put_array(self, t, values):
        at = len(self.data)
        self.data += bytes(4)
        self.pad(ALIGN.get(t[0], 4))
        start = len(self.data)
        for v in values:
            self.put(t, v)
        self.data[at:at + 4] = struct.pack("<I", len(self.data) - start)


class Reader:
    def __init__(self, data, order="<"):
        self.data, self.at, self.order = data, 0, order

    def pad(self, n):
        self.at += -self.at % n

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def get(self, t):
        c = t[0]
        self.pad(ALIGN.get(c, 4))
        if c in FIXED:
            f = self.order + FIXED[c]
            v = struct.unpack(f, self.take(struct.calcsize(f)))[0]
            return bool(v) if c == "b" else v
        if c in "so":
            n = self.get("u")
            return self.take(n + 1)[:-1].decode()
        if c == "g":
            n = self.take(1)[0]
            return self.take(n + 1)[:-1].decode()
        if c == "v":
            s = self.get("g")
            return (s, self.get(s))
        if c in "({":
            return tuple(self.get(part) for part in split(t[1:-1]))
        n = self.get("u")
        self.pad(ALIGN.get(t[1], 4))
        end = self.at + n
        values = []
        while self.at < end:
            values.append(self.get(t[1:]))
        return dict(values) if t[1] == "{" else values


class Message:
    def __init__(self, kind, fields, body, fds=()):
        self.kind, self.fields, self.body, self.fds = kind, fields, body, fds
        self.path, self.interface = fields.get(PATH), fields.get(INTERFACE)
        self.member = fields.get(MEMBER)


class Bus:
    """A connection. With hello=False it is one to a peer: no bus, no names."""

    def __init__(self, path, hello=True):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.serial, self.buffer, self.signals, self.fds = 0, b"", [], []
        self.destination = "org.sriovd1" if hello else None
        uid = str(os.geteuid()).encode().hex()
        self.socket.sendall(f"\0AUTH EXTERNAL {uid}\r\n".encode())
        answer = self.line()
        if not answer.startswith(b"OK"):
            raise BusError("auth", answer.decode())
        self.socket.sendall(b"NEGOTIATE_UNIX_FD\r\n")
        self.line()
        self.socket.sendall(b"BEGIN\r\n")
        # sd-bus as a server looks at what came in one piece with BEGIN only when more comes.
        time.sleep(0 if hello else 0.1)
        if hello:
            self.call("Hello", path="/org/freedesktop/DBus", interface="org.freedesktop.DBus",
                      destination="org.freedesktop.DBus")

    def close(self):
        self.socket.close()

    def line(self):
        while b"\r\n" not in self.buffer:
            more = self.socket.recv(4096)
            if not more:
                raise BusError("closed", "while authenticating")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def receive(self, n):
        while len(self.buffer) < n:
            more, fds, _, _ = socket.recv_fds(self.socket, 65536, 16)
            if not more:
                raise BusError("closed", "by the other end")
            self.buffer += more
            self.fds += fds

    def message(self):
        self.receive(16)
        order = "<" if self.buffer[:1] == b"l" else ">"
        body, _, fields = struct.unpack(order + "III", self.buffer[4:16])
        head = 16 + fields + (-fields % 8)
        self.receive(head + body)
        data, self.buffer = self.buffer[:head + body], self.buffer[head + body:]
        reader = Reader(data[:head], order)
        reader.at = 12
        values = {code: v[1] for code, v in reader.get("a(yv)")}
        reader = Reader(data[head:], order)
        n = values.get(UNIX_FDS, 0)
        fds, self.fds = self.fds[:n], self.fds[n:]
        return Message(data[1], values, [reader.get(t) for t in split(values.get(SIGNATURE, ""))], fds)

    def send(self, member, path, interface, destination, signature, args):
        self.serial += 1
        body = Writer()
        for t, v in zip(split(signature), args):
            body.put(t, v)
        fields = [(PATH, ("o", path)), (MEMBER, ("s", member)), (INTERFACE, ("s", interface))]
        if destination:
            fields.append((DESTINATION, ("s", destination)))
        if signature:
            fields.append((SIGNATURE, ("g", signature)))
        head = Writer()
        for t, v in (("y", ord("l")), ("y", CALL), ("y", 0), ("y", 1), ("u", len(body.data)), ("u", self.serial)):
            head.put(t, v)
        head.put("a(yv)", fields)
        head.pad(8)
        self.socket.sendall(bytes(head.data + body.data))
        return self.serial

    def call(self, member, signature="", *args, path="/org/sriovd1", interface="org.sriovd1.Manager",
             destination=None):
        """The reply's values: one as itself, several as a list; a descriptor as a file descriptor of ours."""
        serial = self.send(member, path, interface, destination or self.destination, signature, args)
        while True:
            m = self.message()
            if m.kind == SIGNAL:
                self.signals.append(m)
            elif m.fields.get(REPLY) == serial:
                if m.kind == ERROR:
                    raise BusError(m.fields[ERROR_NAME], m.body[0] if m.body else "")
                if m.fields.get(SIGNATURE) == "h":
                    return m.fds[m.body[0]]
                return m.body[0] if len(m.body) == 1 else m.body

    def match(self, rule="type='signal',sender='org.sriovd1'"):
        self.call("AddMatch", "s", rule, path="/org/freedesktop/DBus", interface="org.freedesktop.DBus",
                  destination="org.freedesktop.DBus")

    def get(self, path, interface, name):
        return self.call("Get", "ss", interface, name, path=path, interface="org.freedesktop.DBus.Properties")[1]

    def get_all(self, path, interface):
        values = self.call("GetAll", "s", interface, path=path, interface="org.freedesktop.DBus.Properties")
        return {k: v[1] for k, v in values.items()}

    def introspect(self, path):
        return self.call("Introspect", path=path, interface="org.freedesktop.DBus.Introspectable")

    def wait_signal(self, member, test=lambda m: True, seconds=20):
        until = time.monotonic() + seconds
        while True:
            for m in self.signals:
                if m.member == member and test(m):
                    return m
            if time.monotonic() > until:
                raise TimeoutError(f"no {member} among {[m.member for m in self.signals]}")
            self.socket.settimeout(max(0.05, until - time.monotonic()))
            try:
                m = self.message()
            except socket.timeout:
                continue
            finally:
                self.socket.settimeout(20)
            if m.kind == SIGNAL:
                self.signals.append(m)
