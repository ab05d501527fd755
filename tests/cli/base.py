# SPDX-License-Identifier: GPL-2.0-or-later
"""Base: sriovctl in front of a stub, for each test a new one"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stub import Stub, new_folder  # noqa: E402

SRIOVCTL = os.environ["SRIOVCTL"]
PF, VF0, VF1 = "0000:01:00.0", "0000:01:10.0", "0000:01:10.2"
PF2 = "0000:02:00.0"  # the stub has it once a test adds it
BAD = "org.sriovd1.Error."


class WithStub(unittest.TestCase):
    def setUp(self):
        self.dir = new_folder()
        self.addCleanup(shutil.rmtree, self.dir)
        self.stub = Stub(self.dir)
        self.stub.add_pf(PF, vfs=(VF0, VF1))
        self.env = dict(os.environ, SRIOVD_RUNTIME_DIRECTORY=os.path.join(self.dir, "run"),
                        DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={self.dir}/bus", LC_ALL="C.UTF-8", TERM="dumb",
                        PATH="/usr/sbin:/usr/bin:/sbin:/bin")

    def ctl(self, *words, status=0):
        p = subprocess.run([SRIOVCTL, *words], env=self.env, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(p.returncode, status, f"{words}: {p.stdout}{p.stderr}")
        return p

    def json(self, *words, status=0):
        return json.loads(self.ctl(*words, "--json=short", status=status).stdout)

    def holders_are(self, *holders):
        self.stub.answers["Holders"] = lambda fn: ("aa{sv}", [list(holders)], [])

    def job_is(self, **values):
        path = self.stub.add_job(7, **values)
        for member in ("SetVFs", "Unbind"):
            self.stub.answers[member] = lambda *_: ("o", [path], [])

    def until(self, test, what):
        end = time.monotonic() + 30
        while not test():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)


class Child:
    """One that does not end by itself, or not at once."""

    def __init__(self, test, *words):
        self.p = subprocess.Popen([SRIOVCTL, *words], env=test.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        test.addCleanup(self.kill)

    def kill(self):
        if self.p.poll() is None:
            self.p.kill()
        self.p.communicate()

    def poll(self):
        return self.p.poll()

    def interrupt(self):
        self.p.send_signal(signal.SIGINT)

    def json_line(self):
        return json.loads(self.p.stdout.readline())

    def end(self):
        out, error = self.p.communicate(timeout=60)
        return self.p.returncode, out, error


def run(name):
    module = sys.modules["__main__"]
    tests = unittest.defaultTestLoader.loadTestsFromModule(module)
    if len(sys.argv) > 1:
        tests = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:], module)
    outcome = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(tests)
    bad = len(outcome.failures) + len(outcome.errors)
    print(f"{name}: {outcome.testsRun - bad - len(outcome.skipped)} passed, {bad} failed, {len(outcome.skipped)} skipped")
    sys.exit(bad > 0)
