# SPDX-License-Identifier: GPL-2.0-or-later
"""Stub: as much of sriovd as sriovctl can see, told beforehand what to answer

It stands on the private socket for root and in the place of the bus for others, and keeps every call that it got.
"""
import fcntl
import os
import socket
import struct
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bus"))
import wire  # noqa: E402

MANAGER, PF, VF, JOB = ("org.sriovd1." + s for s in ("Manager", "PF", "VF", "Job"))
UNIX_FDS = 9
VARIANTS = "a{sv}"

PF_TYPES = {"Address": "s", "Driver": "s", "Vendor": "s", "Device": "s", "Class": "u", "NetDevs": "as", "TotalVFs": "u",
            "VFs": "u", "Autoprobe": "b", "State": "s", "NUMANode": "i", "IOMMUGroup": "i", "EswitchMode": "s", "Policy": "s",
            "PolicyState": "s", "Ready": "b"}
VF_TYPES = {"Address": "s", "Index": "u", "PF": "o", "Driver": "s", "NetDevs": "as", "IOMMUGroup": "i", "MAC": "s", "VLAN": "u",
            "Attributes": "a{ss}", "Ready": "b"}
JOB_TYPES = {"Id": "u", "Operation": "s", "Object": "s", "State": "s", "Result": "s", "Stage": "s", "Stages": "as",
             "Progress": "d", "ProgressValid": "b", "UID": "u", "PID": "u", "Reason": "s", "Created": "t", "Started": "t",
             "Ended": "t", "Cancelable": "b", "Warnings": "as", "Holders": "aa{sv}", "Opener": "a{sv}", "Stuck": "s", "Results": "aa{sv}",
             "Error": "s", "Message": "s"}


def typed(values, types):
    return {k: (types[k], v) for k, v in values.items()}


def holder(function, kind, pid=0, command="", detail="", force="in-use"):
    return {"function": ("s", function), "kind": ("s", kind), "pid": ("u", pid), "command": ("s", command),
            "detail": ("s", detail), "force": ("s", force)}


def finding(check, state, subject, text):
    return {"check": ("s", check), "state": ("s", state), "subject": ("s", subject), "text": ("s", text)}


def opener(**values):
    o = {"pid": 4711, "tid": 4712, "uid": 0, "command": "bash", "exe": "/usr/bin/bash", "unit": "ssh.service",
         "file": "bus/pci/rescan"}
    o.update(values)
    return {k: ("u" if isinstance(v, int) else "s", v) for k, v in o.items()}


def program(state, job, since=1, **values):
    return dict(opener(**values), state=("s", state), job=("u", job), since=("t", since))


def difference(pf, what, wanted, seen, vf=-1, disruptive=False, policy="nics"):
    return {"pf": ("s", pf), "policy": ("s", policy), "vf": ("i", vf), "what": ("s", what), "wanted": ("s", wanted),
            "seen": ("s", seen), "disruptive": ("b", disruptive)}


def no_difference(pf, name, message):
    """A PF of which it cannot be told."""
    return {"pf": ("s", pf), "policy": ("s", ""), "vf": ("i", -1), "error": ("s", "org.sriovd1.Error." + name),
            "message": ("s", message), "disruptive": ("b", False)}


class Refusal(Exception):
    pass


class Stub:
    """Answers are a dict: member -> function(*arguments) that returns (signature, values, fds)."""

    def __init__(self, folder):
        self.dir, self.calls, self.lock = folder, [], threading.Lock()
        self.objects, self.jobs, self.answers, self.later = {}, {}, {}, []
        self.gate = {"mode": ("s", "serialize"), "wanted": ("s", "serialize"), "why-off": ("s", ""), "doors": ("u", 17),
                     "failed": ("u", 0), "uncovered": ("as", []), "passed": ("t", 3), "denied": ("t", 1),
                     "lease": ("t", 10000000)}
        self.programs, self.peers = [], []
        self.together, self.held = {}, []  # member -> so many answers are given at once, and not before
        os.makedirs(os.path.join(folder, "run"), exist_ok=True)
        for name in ("run/private", "bus"):
            s = socket.socket(socket.AF_UNIX)
            s.bind(os.path.join(folder, name))
            s.listen(8)
            threading.Thread(target=self.accept, args=(s,), daemon=True).start()

    def accept(self, listener):
        while True:
            s, _ = listener.accept()
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def called(self, member):
        return [args for m, args in self.calls if m == member]

    @staticmethod
    def path(address):
        """As sd_bus_path_encode() does it: what is no letter and no digit in hex, and a digit at the start as well."""
        return "/org/sriovd1/pf/" + "".join(c if c.isalnum() and (i > 0 or c.isalpha()) else f"_{ord(c):02x}"
                                            for i, c in enumerate(address))

    def table(self, interface, names):
        types = PF_TYPES if interface == PF else VF_TYPES
        return f"a({''.join(types[n] for n in names)})", [tuple(o[interface][n][1] for n in names)
                                                          for o in self.objects.values() if interface in o]

    def add_pf(self, address, state="ok", vfs=(), **values):
        path = self.path(address)
        self.objects[path] = {PF: typed({"Address": address, "Driver": "igb", "Vendor": "Intel", "Device": "82576",
                                         "Class": 0x020000, "NetDevs": [], "TotalVFs": 7, "VFs": len(vfs),
                                         "Autoprobe": True, "State": state, "NUMANode": -1, "IOMMUGroup": 1,
                                         "EswitchMode": "", "Policy": "", "PolicyState": "", "Ready": True, **values},
                                        PF_TYPES)}
        for i, vf in enumerate(vfs):
            self.objects[path + f"_vf{i}"] = {VF: typed({"Address": vf, "Index": i, "PF": path, "Driver": "vfio-pci",
                                                         "NetDevs": [], "IOMMUGroup": 10 + i, "MAC": "", "VLAN": 0,
                                                         "Attributes": {}, "Ready": True}, VF_TYPES)}
        return path

    def change(self, path, **values):
        """Properties of a PF or VF, without a word."""
        interface, properties = next(iter(self.objects[path].items()))
        properties.update(typed(values, PF_TYPES if interface == PF else VF_TYPES))
        return interface

    def add_job(self, number, **values):
        job = {"Id": number, "Operation": "set-vfs", "Object": "0000:01:00.0", "State": "ended", "Result": "done",
               "Stage": "", "Stages": [], "Progress": 0.0, "ProgressValid": False, "UID": 0, "PID": 1, "Reason": "",
               "Created": 1, "Started": 1, "Ended": 0, "Cancelable": True, "Warnings": [], "Holders": [], "Opener": {}, "Stuck": "",
               "Results": [], "Error": "", "Message": ""}
        job.update(values)
        self.jobs[f"/org/sriovd1/job/{number}"] = job
        return f"/org/sriovd1/job/{number}"

    # What it answers

    def answer(self, path, interface, member, args):
        if member in self.answers:
            return self.answers[member](*args)
        if member == "GetManagedObjects":
            return "a{oa{sa{sv}}}", [self.objects], []
        if member == "GetTable":
            return "v", [self.table(*args)], []
        if member == "ListJobs":
            return "a(usoss)", [[(j["Id"], j["State"], p, j["Operation"], j["Object"])
                                 for p, j in self.jobs.items()]], []
        if member == "Gate":
            return "a{sv}aa{sv}", [self.gate, self.programs], []
        if member == "SetGateMode":
            self.gate["mode"] = ("s", args[0])
            return "", [], []
        if member == "GetAll" and path == "/org/sriovd1":
            return VARIANTS, [{"GateMode": self.gate["mode"], "QueueLength": ("u", 0)}], []
        if member == "GetAll" and path in self.jobs:
            return VARIANTS, [typed(self.jobs[path], JOB_TYPES)], []
        if interface in ("org.freedesktop.DBus", "org.freedesktop.DBus.Peer"):
            return ("s", [":1.1"], []) if member == "Hello" else ("", [], [])
        raise Refusal("org.freedesktop.DBus.Error.UnknownMethod", member)

    def refuse(self, member, name, message, prefix="org.sriovd1.Error."):
        def refusal(*_):
            raise Refusal(prefix + name, message)
        self.answers[member] = refusal

    def hold(self, name):
        """As the daemon does it: an open description with a lock, that lives as long as somebody has it open."""
        path = os.path.join(self.dir, name)

        def answer(*_):
            fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(fd, fcntl.LOCK_SH)
            return "h", [0], [fd]
        self.answers["Hold"] = answer
        return path

    # The wire

    def serve(self, s):
        try:
            self.authenticate(s)
            self.peers.append(s)
            while True:
                self.one(s)
        except (OSError, EOFError):
            pass
        finally:
            with self.lock:
                self.peers = [p for p in self.peers if p is not s]
            s.close()

    @staticmethod
    def receive(s, n):
        data = b""
        while len(data) < n:
            more = s.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def authenticate(self, s):
        line, waiting = b"", True
        while waiting:
            c = self.receive(s, 1)
            line += c if c not in b"\0\r" else b""
            if c != b"\n":
                continue
            word = line.strip()
            if word == b"AUTH EXTERNAL":
                s.sendall(b"DATA\r\n")
            elif word.startswith((b"AUTH", b"DATA")):
                s.sendall(b"OK " + b"0123456789abcdef" * 2 + b"\r\n")
            elif word == b"NEGOTIATE_UNIX_FD":
                s.sendall(b"AGREE_UNIX_FD\r\n")
            waiting = word != b"BEGIN"
            line = b""

    def one(self, s):
        start = self.receive(s, 16)
        body, serial, fields = struct.unpack("<III", start[4:16])
        head = start + self.receive(s, fields + (-fields % 8))
        data = self.receive(s, body)
        reader = wire.Reader(head)
        reader.at = 12
        values = {code: v[1] for code, v in reader.get("a(yv)")}
        reader = wire.Reader(data)
        args = [reader.get(t) for t in wire.split(values.get(wire.SIGNATURE, ""))]
        member = values[wire.MEMBER]
        with self.lock:
            self.calls.append((member, args))
            try:
                reply = (wire.RETURN, *self.answer(values[wire.PATH], values.get(wire.INTERFACE, ""), member, args), None)
            except Refusal as e:
                reply = (wire.ERROR, "s", [e.args[1]], [], e.args[0])
        if member in self.together:
            self.held.append(self.encode(serial, *reply))
            if len(self.held) == self.together[member]:
                s.sendall(b"".join(self.held))
                self.held.clear()
            return
        socket.send_fds(s, [self.encode(serial, *reply)], reply[3])
        for fd in reply[3]:
            os.close(fd)
        while self.later:
            s.sendall(self.later.pop(0))

    def change_later(self, path, **values):
        """Told to whoever gets the next reply, behind it. Changes the job as well, if there are such properties."""
        self.later.append(self.change_job(path, **values))

    def change_job(self, path, **values):
        """The same as a signal, to be told."""
        told = {k: v for k, v in values.items() if k != "Holders"}
        self.jobs[path].update(values)
        return self.signal(path, "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as",
                           JOB, typed(told, JOB_TYPES), [k for k in values if k not in told])

    def change_now(self, path, **values):
        """Of a PF or VF, told to all."""
        interface = self.change(path, **values)
        told = {k: self.objects[path][interface][k] for k in values}
        self.tell(self.signal(path, "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", interface, told, []))

    def tell(self, data):
        with self.lock:
            for s in self.peers:
                s.sendall(data)

    def signal(self, path, interface, member, signature, *body, sender="org.sriovd1"):
        return self.encode(0, wire.SIGNAL, signature, body, [], None, [
            (wire.PATH, ("o", path)), (wire.INTERFACE, ("s", interface)), (wire.MEMBER, ("s", member)),
            (wire.SENDER, ("s", sender))])

    @staticmethod
    def encode(serial, kind, signature, values, fds, error, fields=None):
        body = wire.Writer()
        for t, v in zip(wire.split(signature), values):
            body.put(t, v)
        fields = fields or [(wire.REPLY, ("u", serial))]
        fields += [(wire.ERROR_NAME, ("s", error))] if error else []
        fields += [(wire.SIGNATURE, ("g", signature))] if signature else []
        fields += [(UNIX_FDS, ("u", len(fds)))] if fds else []
        head = wire.Writer()
        for t, v in (("y", ord("l")), ("y", kind), ("y", 1), ("y", 1), ("u", len(body.data)), ("u", 1000 + serial)):
            head.put(t, v)
        head.put("a(yv)", fields)
        head.pad(8)
        return bytes(head.data + body.data)


def new_folder():
    return tempfile.mkdtemp(prefix="cli.")
